// Fetching what a certificate points to: limits, redirects, plain http and https.
#include <gmock/gmock.h>

#include <sys/socket.h>

#include <thread>

#include <fmt/format.h>

#include "estuary/net/fetch.h"
#include "estuary/net/listener.h"
#include "support.h"

namespace estuary::net::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// Gives its answers one after the other, each on a connection of its own, and keeps what it was asked.
class ScriptedServer {
public:
    explicit ScriptedServer(std::vector<std::string> answers) : listener_{*open_listener({"127.0.0.1", 0})} {
        thread_ = std::thread{[this, script = std::move(answers)] {
            for (const auto& answer : script) give(answer);
        }};
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;
    ~ScriptedServer() { join(); }

    http::Url url() const { return *http::Url::parse("http://127.0.0.1:" + std::to_string(listener_.port) + "/first"); }
    const std::vector<std::string>& asked() {
        join();
        return asked_;
    }

private:
    void give(const std::string& answer) {
        Fd fd;
        while (!fd) fd = Fd{::accept(listener_.fd.get(), nullptr, nullptr)};
        std::string text;
        std::array<char, 4096> buffer;
        while (text.find("\r\n\r\n") == std::string::npos) {
            const auto count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
            if (count <= 0) break;
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
        asked_.push_back(text);
        ::send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    void join() {
        if (thread_.joinable()) thread_.join();
    }

    Listener listener_;
    std::vector<std::string> asked_;
    std::thread thread_;
};

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
std::string redirect(unsigned status, const std::string& to) {
    return fmt::format("HTTP/1.1 {} Over there\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", status, to);
}
http::Request plain_get() { return {"GET", {}, {}, {}}; }

TEST(Fetch, AsksForThePathOfTheUrlAndCloses) {
    ScriptedServer server{{hello}};
    const auto response = net::fetch(server.url(), plain_get(), {});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, "hello");
    EXPECT_THAT(server.asked().at(0), StartsWith("GET /first HTTP/1.1\r\n"));
    EXPECT_THAT(server.asked().at(0), HasSubstr("Connection: close\r\n"));
}

TEST(Fetch, FollowsRedirectsOnTheSameHost) {
    ScriptedServer server{{redirect(302, "/second"), redirect(308, "third"), hello}};
    const auto response = net::fetch(server.url(), plain_get(), {});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_THAT(server.asked().at(1), StartsWith("GET /second "));
    EXPECT_THAT(server.asked().at(2), StartsWith("GET /third "));
}

TEST(Fetch, FollowsNoRedirectElsewhere) {
    for (const auto* to : {"http://127.0.0.2/", "http://127.0.0.1:1/", "ftp://127.0.0.1/", "file:///etc/passwd"}) {
        ScriptedServer server{{redirect(302, to)}};
        EXPECT_FALSE(net::fetch(server.url(), plain_get(), {})) << to;
    }
}

TEST(Fetch, FollowsSoManyRedirectsOnly) {
    ScriptedServer server{{redirect(302, "/1"), redirect(302, "/2"), redirect(302, "/3"), redirect(302, "/4")}};
    const auto response = net::fetch(server.url(), plain_get(), {});
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().detail, HasSubstr("too often"));
}

TEST(Fetch, PostIsNotTurnedIntoSomethingElse) {
    ScriptedServer moved{{redirect(302, "/second")}};
    EXPECT_EQ(net::fetch(moved.url(), {"POST", {}, {}, "question"}, {})->status, 302u);
    ScriptedServer kept{{redirect(307, "/second"), hello}};
    ASSERT_TRUE(net::fetch(kept.url(), {"POST", {}, {}, "question"}, {}));
    EXPECT_THAT(kept.asked().at(1), StartsWith("POST /second "));
}

TEST(Fetch, KeepsItsLimits) {
    FetchOptions options;
    options.body_bytes_max = 4;
    ScriptedServer large{{hello}};
    EXPECT_EQ(net::fetch(large.url(), plain_get(), options).error().code, Code::too_large);
    ScriptedServer chunked{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}};
    EXPECT_EQ(net::fetch(chunked.url(), plain_get(), options).error().code, Code::too_large);

    const auto silent = open_listener({"127.0.0.1", 0});
    ASSERT_TRUE(silent);
    options.timeout = 50ms;
    const auto late = net::fetch(*http::Url::parse("http://127.0.0.1:" + std::to_string(silent->port)), plain_get(), options);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::unavailable);
}

TEST(Fetch, ChecksHttpsServers) {
    TestServer server{tls_options()};
    FetchOptions options;
    EXPECT_EQ(net::fetch(server.url(), {"GET", "/quick", {}, {}}, options).error().code, Code::not_authenticated);
    options.trust = trusting().trust;
    EXPECT_EQ(net::fetch(server.url(), {"GET", "/quick", {}, {}}, options)->status, 200u);
}

TEST(Fetch, AsksPublicAddressesOnlyWhereThatIsWanted) {  // bug class 29
    FetchOptions options;
    options.public_addresses_only = true;
    ScriptedServer server{{hello}};
    for (const auto* host : {"127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254"}) {
        const auto response = net::fetch(*http::Url::parse(fmt::format("http://{}:{}/", host, server.url().port)), plain_get(), options);
        ASSERT_FALSE(response) << host;
        EXPECT_EQ(response.error().code, Code::policy) << host << response.error().detail;
    }
    EXPECT_TRUE(net::fetch(server.url(), plain_get(), {}));
    EXPECT_THAT(server.asked(), testing::SizeIs(1));
}

}  // namespace
}  // namespace estuary::net::test
