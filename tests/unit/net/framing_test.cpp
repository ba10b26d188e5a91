// A listener that speaks something else than HTTP, and the client of such: lines, of which each is a request to echo it.
#include <gmock/gmock.h>

#include <thread>

#include "estuary/net/message_client.h"
#include "support.h"

namespace estuary::net::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::IsEmpty;
using testing::StartsWith;

/// "text\n" is a request for the path of the listener, "#…" is refused, and "bye\n" ends the connection.
class Lines final : public Framing {
public:
    Lines(std::size_t listener, std::size_t octets_max) : target_{listener == 0 ? "/echo" : "/slow"}, octets_max_{octets_max} {}

    std::size_t feed(std::string_view octets) override {
        const auto end = octets.find('\n');
        line_ += octets.substr(0, end);
        complete_ = end != std::string_view::npos;
        if (line_.starts_with('#') || line_.size() > octets_max_) refuse("refused");
        return complete_ ? end + 1 : octets.size();
    }
    State state() const noexcept override { return refused_ ? State::refused : complete_ ? State::complete : State::reading; }
    bool started() const noexcept override { return refused_ || complete_ || !line_.empty(); }
    bool closes() const noexcept override { return closes_; }
    const http::Refusal& refusal() const noexcept override { return refusal_; }
    http::Request take() override {
        complete_ = false;
        closes_ = line_ == "bye";
        return post(target_, std::exchange(line_, {}));
    }
    bool cut() override { return started() && (refuse("cut"), true); }
    bool write(std::string& to, const http::Response& response, const Last& last) override {
        to += response.body + (last.close ? "END\n" : "");
        return false;
    }

private:
    void refuse(std::string why) {
        refused_ = true;
        refusal_ = {400, std::move(why)};
    }

    std::string target_, line_;
    std::size_t octets_max_;
    bool complete_ = false, refused_ = false, closes_ = false;
    http::Refusal refusal_;
};

ServerOptions speaking_lines(const Limits& limits = {}) {
    ServerOptions options;
    options.limits = limits;
    options.framing = [octets = limits.body_bytes_max](std::size_t listener) { return std::make_unique<Lines>(listener, octets); };
    return options;
}

TEST(Framing, ManyMessagesOnOneConnection) {
    TestServer server{speaking_lines()};
    BareClient client{server.port()};
    std::string all, expected;
    for (int i = 0; i < 300; ++i) {   // more than one turn allows, and all at once
        all += std::to_string(i) + "\n";
        expected += std::to_string(i) + "\n";
    }
    std::thread sender{[&] { client.send(all + "bye\nmore\n"); }};
    EXPECT_EQ(client.read_all(), expected + "bye\nEND\n");
    sender.join();
    EXPECT_EQ(server->counters().requests, 301u);
}

TEST(Framing, EachListenerHasItsOwn) {
    auto options = speaking_lines();
    options.listen = {{"127.0.0.1", 0}, {"127.0.0.1", 0}};
    TestServer server{std::move(options)};
    BareClient first{server->port(0)}, second{server->port(1)};
    first.send("bye\n");
    second.send("bye\n");
    EXPECT_EQ(first.read_all(), "bye\nEND\n");
    EXPECT_EQ(second.read_all(), "slow\nEND\n");
}

TEST(Framing, WhatIsRefusedIsToldAndEndsTheConnection) {
    Limits limits;
    limits.body_bytes_max = 20;
    TestServer server{speaking_lines(limits)};
    for (const std::string text : {"#", "ok\n#never", "ok\n123456789012345678901"}) {
        BareClient client{server.port()};
        client.send(text);
        EXPECT_THAT(client.read_all(), EndsWith("refused\nEND\n")) << text;
    }
    BareClient half{server.port()};
    half.send("begun");
    half.half_close();
    EXPECT_EQ(half.read_all(), "cut\nEND\n");
    BareClient whole{server.port()};
    whole.send("done\n");
    whole.half_close();
    EXPECT_EQ(whole.read_all(), "done\n");
}

TEST(Framing, DeadlinesAreThoseOfHttp) {   // bug class 30
    Limits limits;
    limits.request_timeout = limits.idle_timeout = 60ms;
    TestServer server{speaking_lines(limits)};
    BareClient slow{server.port()}, idle{server.port()}, dribbling{server.port()};
    slow.send("begun");
    std::thread dribble{[&] {
        while (server->counters().timeouts < 2) {
            dribbling.send("a");
            std::this_thread::sleep_for(5ms);
        }
    }};
    EXPECT_EQ(slow.read_all(), "The request took too long to arrive.\nEND\n");
    EXPECT_THAT(dribbling.read_until("\n"), StartsWith("The request took too long"));
    EXPECT_THAT(idle.read_all(), IsEmpty());
    dribble.join();
}

TEST(Framing, DrainFinishesWhatIsUnderWay) {
    auto options = speaking_lines();
    options.framing = [](std::size_t) {
        struct Blocking final : Framing {
            std::size_t feed(std::string_view octets) override { return got = true, octets.size(); }
            State state() const noexcept override { return got ? State::complete : State::reading; }
            bool started() const noexcept override { return got; }
            bool closes() const noexcept override { return false; }
            const http::Refusal& refusal() const noexcept override { return none; }
            http::Request take() override { return got = false, get("/block"); }
            bool write(std::string& to, const http::Response& response, const Last& last) override {
                to += response.body + (last.close ? "END\n" : "");
                return false;
            }
            bool got = false;
            http::Refusal none;
        };
        return std::make_unique<Blocking>();
    };
    TestServer server{std::move(options)};
    BareClient client{server.port()};
    client.send("x");
    server.handler.await_blocked(1);
    std::thread drain{[&] { server->drain(20s); }};
    server.handler.release();
    EXPECT_THAT(client.read_all(), StartsWith("blocked\n"));
    drain.join();
}

// The client.

Result<std::size_t> line_length(Bytes begun) {
    const auto end = as_text(begun).find('\n');
    return end == std::string_view::npos ? 0 : end + 1;
}

Result<std::unique_ptr<MessageConnection>> open_lines(std::uint16_t port, std::chrono::milliseconds timeout = 20s) {
    return MessageConnection::open({"tcp", "127.0.0.1", port, {}}, {.exchange_timeout = timeout});
}

TEST(MessageClient, ExchangesMessagesOnOneConnection) {
    TestServer server{speaking_lines()};
    auto connection = open_lines(server.port());
    ASSERT_TRUE(connection) << connection.error().detail;
    for (const auto& text : {std::string{"one\n"}, std::string(100'000, 'x') + "\n", std::string{"three\n"}}) {
        const auto answer = (*connection)->exchange(as_bytes(text), line_length);
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(as_text(*answer), text);
    }
    EXPECT_EQ(server->counters().connections_accepted, 1u);
}

TEST(MessageClient, SaysWhatWentWrong) {
    TestServer server{speaking_lines()};
    auto connection = *open_lines(server.port());
    const auto two = connection->exchange(as_bytes("one\ntwo\n"), [](Bytes begun) { return begun.size() < 8 ? std::size_t{0} : std::size_t{4}; });
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().code, Code::malformed);

    const auto ended = (*open_lines(server.port()))->exchange(as_bytes("bye\n"), [](Bytes) { return std::size_t{100}; });
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, Code::unavailable);
    EXPECT_THAT(ended.error().detail, testing::HasSubstr("cut short"));

    const auto refused = (*open_lines(server.port()))->exchange(as_bytes("x\n"), [](Bytes) -> Result<std::size_t> { return fail(Code::too_large, "no"); });
    EXPECT_EQ(refused.error().code, Code::too_large);

    const auto slow = (*open_lines(server.port(), 50ms))->exchange(as_bytes("never ended"), line_length);
    EXPECT_EQ(slow.error().code, Code::unavailable);
    EXPECT_THAT(slow.error().detail, testing::HasSubstr("in time"));

    const auto port = server.port();
    server->drain(0ms);
    EXPECT_EQ(open_lines(port).error().code, Code::unavailable);
}

}  // namespace
}  // namespace estuary::net::test
