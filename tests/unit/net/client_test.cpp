// The client against servers that are absent, silent, or say strange things.
#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <thread>

#include "estuary/net/listener.h"
#include "support.h"

namespace estuary::net::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Accepts one connection, reads a request head, says `answer`, and closes.
class CannedServer {
public:
    explicit CannedServer(std::string answer) : listener_{*open_listener({"127.0.0.1", 0})} {
        thread_ = std::thread{[this, text = std::move(answer)] {
            sockaddr_in ignored{};
            socklen_t size = sizeof ignored;
            Fd fd;
            while (!fd) fd = Fd{::accept(listener_.fd.get(), reinterpret_cast<sockaddr*>(&ignored), &size)};
            std::array<char, 4096> buffer;
            if (::recv(fd.get(), buffer.data(), buffer.size(), 0) < 0) return;
            ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
        }};
    }
    CannedServer(const CannedServer&) = delete;
    CannedServer& operator=(const CannedServer&) = delete;
    ~CannedServer() { thread_.join(); }
    http::Url url() const { return *http::Url::parse("http://127.0.0.1:" + std::to_string(listener_.port)); }

private:
    Listener listener_;
    std::thread thread_;
};

Result<http::Response> exchange_with(std::string answer, ClientOptions options = {}) {
    options.plain_http = true;
    const CannedServer server{std::move(answer)};
    ESTUARY_TRY(const auto connection, Connection::open(server.url(), options));
    return connection->exchange(get("/"));
}

TEST(Client, ReadsUntilTheEndWhereThereIsNoLength) {
    const auto response = exchange_with("HTTP/1.1 200 OK\r\n\r\nhello");
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, "hello");
    EXPECT_TRUE(response->close);
}

TEST(Client, PassesOverInterimResponses) {
    const auto response = exchange_with(
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 202 Accepted\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 202u);
    EXPECT_EQ(response->headers.find("retry-after"), "5");
}

TEST(Client, CutAnswerIsAnError) {
    const auto response = exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().detail, HasSubstr("cut short"));
}

TEST(Client, StrangeAnswerIsMalformed) {
    const auto response = exchange_with("220 mail.example ESMTP\r\n\r\n");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::malformed);
}

TEST(Client, LargeAnswerIsRefused) {
    ClientOptions options;
    options.body_bytes_max = 4;
    const auto response = exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", options);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::too_large);
}

TEST(Client, ClosedConnectionIsUnavailable) {
    const auto response = exchange_with("");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::unavailable);
}

TEST(Client, DoesNotReuseAConnectionThatTheServerEnds) {
    TestServer server{tls_options()};
    const auto connection = open(server.url(), trusting());
    ASSERT_TRUE(connection);
    auto last = get("/quick");
    last.headers.add("Connection", "close");
    ASSERT_TRUE(connection->exchange(last));
    const auto after = connection->exchange(get("/quick"));
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code, Code::unavailable);
}

TEST(Client, ReadsTheAnswerToABodyThatWasRefused) {
    TestServer server{tls_options()};
    const auto response = fetch(server.url(), trusting(), post("/echo", std::string(4'000'000, 'a')));
    EXPECT_EQ(response.status, 413u);
}

TEST(Client, RefusedConnectionSaysSo) {
    std::uint16_t port = 0;
    {
        TestServer server;
        port = server.port();
    }
    const auto connection = Connection::open(*http::Url::parse("127.0.0.1:" + std::to_string(port)), {});
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().code, Code::unavailable);
    EXPECT_THAT(connection.error().detail, HasSubstr("refused"));
}

TEST(Client, UnknownNameSaysSo) {
    const auto connection = Connection::open(*http::Url::parse("no-such-host.invalid"), {});  // RFC 6761 6.4
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().code, Code::unavailable);
    EXPECT_THAT(connection.error().detail, HasSubstr("resolve"));
}

TEST(Client, SilentServerTimesOut) {
    const auto listener = open_listener({"127.0.0.1", 0});
    ASSERT_TRUE(listener);
    const auto port = std::to_string(listener->port);
    ClientOptions options;
    options.trust.provisional = true;
    options.connect_timeout = 50ms;
    options.exchange_timeout = 50ms;
    const auto shaking = Connection::open(*http::Url::parse("https://127.0.0.1:" + port), options);
    ASSERT_FALSE(shaking);
    EXPECT_THAT(shaking.error().detail, HasSubstr("in time"));
    options.plain_http = true;
    const auto connection = Connection::open(*http::Url::parse("http://127.0.0.1:" + port), options);
    ASSERT_TRUE(connection);
    const auto response = (*connection)->exchange(get("/"));
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().detail, HasSubstr("in time"));
}

TEST(Client, PlainHttpIsOnlyForThoseWhoAskForIt) {
    TestServer server;
    const auto connection = Connection::open(server.url(), trusting());
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().code, Code::policy);
    EXPECT_THAT(connection.error().detail, HasSubstr("not https"));
}

TEST(Client, PlainServerOnTlsPortSaysSo) {
    TestServer server;
    auto url = server.url();
    url.scheme = "https";
    const auto connection = Connection::open(url, trusting());
    ASSERT_FALSE(connection);
    EXPECT_THAT(connection.error().detail, HasSubstr("does not speak TLS"));
}

}  // namespace
}  // namespace estuary::net::test
