// Slow, silent, greedy and many clients: none of them stops the others. (bug class 30)
#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <thread>

#include "support.h"

namespace estuary::net::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ServerOptions with_limits(const Limits& limits) {
    ServerOptions out;
    out.limits = limits;
    return out;
}

TEST(ServerLimits, SlowSenderIsCutOffWith408) {
    Limits limits;
    limits.request_timeout = 50ms;
    TestServer server{with_limits(limits)};
    for (const std::string text : {"GET /quick HT", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"}) {
        BareClient client{server.port()};
        client.send(text);
        EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408 ")) << text;
    }
    EXPECT_EQ(server->counters().timeouts, 2u);
}

TEST(ServerLimits, DribblingDoesNotExtendTheDeadline) {
    Limits limits;
    limits.request_timeout = 100ms;
    TestServer server{with_limits(limits)};
    BareClient client{server.port()};
    client.send("GET /quick HTTP/1.1\r\nX: ");
    std::thread dribble{[&] {
        while (server->counters().timeouts == 0) {
            client.send("a");
            std::this_thread::sleep_for(5ms);
        }
    }};
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 408 "));
    dribble.join();
}

TEST(ServerLimits, IdleConnectionIsClosed) {
    Limits limits;
    limits.idle_timeout = 50ms;
    TestServer server{with_limits(limits)};
    BareClient fresh{server.port()}, used{server.port()};
    used.send(get_quick);
    EXPECT_THAT(used.read_response(), EndsWith("quick\n"));
    EXPECT_THAT(fresh.read_all(), IsEmpty());
    EXPECT_THAT(used.read_all(), IsEmpty());
    EXPECT_EQ(server->counters().timeouts, 0u);  // idleness is no fault
}

TEST(ServerLimits, SilentHandshakeIsCutOff) {
    auto options = tls_options();
    options.limits.handshake_timeout = 50ms;
    TestServer server{std::move(options)};
    BareClient client{server.port()};
    EXPECT_THAT(client.read_all(), IsEmpty());
    EXPECT_EQ(server->counters().timeouts, 1u);
}

TEST(ServerLimits, PeerThatDoesNotReadIsCutOff) {
    Limits limits;
    limits.write_timeout = 100ms;
    TestServer server{with_limits(limits)};
    BareClient client{server.port()};
    client.send("GET /large/50000000 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return server->counters().timeouts == 1 && server->counters().connections_open == 0; }));
}

TEST(ServerLimits, RequestsOfOneConnection) {
    Limits limits;
    limits.requests_per_connection_max = 2;
    TestServer server{with_limits(limits)};
    BareClient client{server.port()};
    client.send(get_quick);
    EXPECT_THAT(client.read_response(), Not(testing::HasSubstr("Connection: close")));
    client.send(get_quick);
    EXPECT_THAT(client.read_all(), testing::HasSubstr("Connection: close"));
}

TEST(ServerLimits, NewConnectionTakesTheOldestIdleOnesPlace) {
    auto options = with_limits({});
    options.io_threads = 1;
    options.limits.connections_max = 3;
    TestServer server{std::move(options)};
    std::vector<std::unique_ptr<BareClient>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<BareClient>(server.port()));
        clients.back()->send(get_quick);
        EXPECT_THAT(clients.back()->read_response(), EndsWith("quick\n")) << i;
    }
    EXPECT_THAT(clients[0]->read_all(), IsEmpty());
    clients[1]->send(get_quick);
    EXPECT_THAT(clients[1]->read_response(), EndsWith("quick\n"));
    EXPECT_EQ(server->counters().connections_open, 3u);
}

TEST(ServerLimits, BusyConnectionsAreNotGivenUpForNewOnes) {
    auto options = with_limits({});
    options.io_threads = 1;
    options.limits.connections_max = 1;
    TestServer server{std::move(options)};
    BareClient busy{server.port()};
    busy.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
    server.handler.await_blocked(1);
    BareClient refused{server.port()};
    EXPECT_THAT(refused.read_all(), IsEmpty());
    server.handler.release();
    EXPECT_THAT(busy.read_response(), EndsWith("blocked\n"));
}

TEST(ServerLimits, ConnectionsOfOneAddress) {
    Limits limits;
    limits.connections_per_address_max = 1;
    TestServer server{with_limits(limits)};
    {
        BareClient first{server.port()};
        first.send(get_quick);
        EXPECT_THAT(first.read_response(), EndsWith("quick\n"));
        BareClient second{server.port()};
        EXPECT_THAT(second.read_all(), IsEmpty());
    }
    ASSERT_TRUE(eventually([&] { return server->counters().connections_open == 0; }));
    BareClient again{server.port()};
    again.send(get_quick);
    EXPECT_THAT(again.read_response(), EndsWith("quick\n"));
}

TEST(ServerLimits, SlowCrowdDoesNotStopOthers) {
    auto options = tls_options();
    TestServer server{std::move(options)};
    std::vector<std::unique_ptr<BareClient>> crowd;
    for (int i = 0; i < 300; ++i) {
        crowd.push_back(std::make_unique<BareClient>(server.port()));
        crowd.back()->send(std::string_view{"\x16\x03\x01", 3});
    }
    EXPECT_EQ(fetch(server.url(), trusting(), get("/quick")).status, 200u);
}

/// Takes every free descriptor while it lives.
class NoDescriptors {
public:
    NoDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        auto less = before_;
        less.rlim_cur = std::min<rlim_t>(before_.rlim_cur, 512);
        ::setrlimit(RLIMIT_NOFILE, &less);
        for (;;) {
            Fd fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
            if (!fd) break;
            taken_.push_back(std::move(fd));
        }
    }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
    std::vector<Fd> taken_;
};

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer);
#else
constexpr bool sanitized = false;
#endif

TEST(ServerLimits, SurvivesRunningOutOfDescriptors) {
    if (sanitized) GTEST_SKIP() << "the sanitizer needs descriptors of its own";
    TestServer server;
    auto busy = std::make_unique<BareClient>(server.port());
    busy->send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
    server.handler.await_blocked(1);
    // The socket is made before, so that connecting needs no descriptor on this side.
    const Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    {
        const NoDescriptors none;
        ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        ASSERT_EQ(::send(socket.get(), get_quick.data(), get_quick.size(), MSG_NOSIGNAL), static_cast<ssize_t>(get_quick.size()));
        std::this_thread::sleep_for(20ms);  // lets the server try; the outcome does not depend on it
    }
    std::array<char, 512> answer{};
    ASSERT_GT(::recv(socket.get(), answer.data(), answer.size(), 0), 0);
    EXPECT_THAT(answer.data(), StartsWith("HTTP/1.1 200 OK"));
    server.handler.release();
    EXPECT_THAT(busy->read_response(), EndsWith("blocked\n"));
}

}  // namespace
}  // namespace estuary::net::test
