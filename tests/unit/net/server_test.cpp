// The server over bare sockets and plain HTTP: what a request meets on its way.
#include <gmock/gmock.h>

#include <thread>

#include "support.h"

namespace estuary::net::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(Server, AnswersWithLengthAndDateAndKeepsAlive) {
    TestServer server;
    BareClient client{server.port()};
    for (int i = 0; i < 3; ++i) {
        client.send(get_quick);
        const auto response = client.read_response();
        EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(response, HasSubstr("\r\nContent-Length: 6\r\n"));
        EXPECT_THAT(response, HasSubstr("\r\nDate: "));
        EXPECT_THAT(response, Not(HasSubstr("Connection: close")));
        EXPECT_THAT(response, EndsWith("\r\n\r\nquick\n"));
    }
    EXPECT_EQ(server->counters().requests, 3u);
    EXPECT_EQ(server->counters().connections_accepted, 1u);
    EXPECT_EQ(server->counters().connections_open, 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
    TestServer server;
    BareClient client{server.port()};
    std::string all;
    for (const std::string path : {"/slow", "/quick", "/slow/2", "/quick/2"})
        all += "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(all + "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab");
    for (const std::string body : {"slow\n", "quick\n", "slow/2\n", "quick/2\n", "ab\n"})
        EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\n" + body));
    EXPECT_THAT(client.read_all(), IsEmpty());
}

TEST(Server, AnswersManyPipelinedRequests) {  // more than one turn allows
    TestServer server;
    BareClient client{server.port()};
    constexpr int count = 500;
    std::string all;
    for (int i = 0; i < count; ++i) all += get_quick;
    std::thread sender{[&] { client.send(all); }};
    for (int i = 0; i < count; ++i) ASSERT_THAT(client.read_response(), EndsWith("quick\n")) << i;
    sender.join();
}

TEST(Server, TakesChunkedBodies) {
    TestServer server;
    BareClient client{server.port()};
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    client.send("2\r\nde\r\n0\r\n\r\n");
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nabcde\n"));
}

TEST(Server, HonoursExpectContinue) {
    TestServer server;
    BareClient client{server.port()};
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nab\n"));
}

TEST(Server, RefusesATooLargeBodyBeforeItIsSent) {
    TestServer server;
    BareClient client{server.port()};
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, AnswersHeadWithoutBody) {
    TestServer server;
    BareClient client{server.port()};
    client.send("HEAD /quick HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 6\r\n"));
    client.send(get_quick);
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));  // no body came in between
}

TEST(Server, Http10IsAnsweredAndClosed) {
    TestServer server;
    BareClient client{server.port()};
    client.send("GET /slow HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto all = client.read_all();
    EXPECT_THAT(all, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(all, EndsWith("slow\n"));
}

TEST(Server, AnswersAClientThatHasFinishedSending) {
    TestServer server;
    BareClient client{server.port()};
    client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    client.half_close();
    EXPECT_THAT(client.read_all(), EndsWith("slow\n"));
}

TEST(Server, SendsLargeAnswersToSlowReaders) {
    TestServer server;
    BareClient client{server.port()};
    client.send("GET /large/8000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_all().size(), 8'000'000u);
}

TEST(Server, SendsSharedBodiesAndGoesOn) {
    TestServer server;
    BareClient client{server.port()};
    // One after the other on one connection, the first larger than any buffer, the second without its body.
    client.send("GET /shared/8000000 HTTP/1.1\r\nHost: x\r\n\r\n"
                "HEAD /shared/5 HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /shared/5 HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto all = client.read_all();
    const auto body = all.find("\r\n\r\n") + 4;
    EXPECT_EQ(all.find_first_not_of('s', body) - body, 8'000'000u);
    const auto rest = all.substr(body + 8'000'000);
    EXPECT_THAT(rest, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(rest, HasSubstr("Content-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n")) << "HEAD";
    EXPECT_THAT(rest, HasSubstr("\r\n\r\nsssssHTTP/1.1 200 OK\r\n"));
}

struct Refused {
    std::string name, text, status;
};
void PrintTo(const Refused& each, std::ostream* out) { *out << each.name; }
class RefusedByServer : public testing::TestWithParam<Refused> {};
TEST_P(RefusedByServer, IsAnsweredInPlainTextAndClosed) {
    TestServer server;
    BareClient client{server.port()};
    client.send(GetParam().text);
    const auto all = client.read_all();  // ends only if the server closes
    EXPECT_THAT(all, StartsWith("HTTP/1.1 " + GetParam().status + " "));
    EXPECT_THAT(all, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_THAT(all, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(all, Not(HasSubstr("200 OK")));  // what was smuggled in is not served
    EXPECT_EQ(server->counters().requests, 0u);
}
INSTANTIATE_TEST_SUITE_P(
    Smuggling, RefusedByServer,
    testing::Values(
        Refused{"length_and_chunked",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /quick "
                "HTTP/1.1\r\n"
                "Host: x\r\n\r\n",
                "400"},
        Refused{"two_lengths",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 33\r\n\r\n"
                "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n",
                "400"},
        Refused{"other_coding",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\nGET /quick HTTP/1.1\r\nHost: x\r\n\r\n", "501"},
        Refused{"folding", "GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\n\r\n", "400"},
        Refused{"chunk_size", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nGET /quick HTTP/1.1\r\n",
                "400"},
        Refused{"no_host", "GET /quick HTTP/1.1\r\n\r\n", "400"}, Refused{"http_2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
        Refused{"large_head", "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a'), "431"},
        Refused{"large_body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'a'), "413"},
        Refused{"binary", std::string{"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11}, "400"}),
    [](const auto& test) { return test.param.name; });

TEST(Server, DroppedRequestIsAnswered500) {
    TestServer server;
    for (const std::string path : {"/drop", "/throw", "/quick/throw"}) {
        BareClient client{server.port()};
        client.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto response = client.read_response();
        EXPECT_THAT(response, StartsWith("HTTP/1.1 500 ")) << path;
        EXPECT_THAT(response, Not(HasSubstr("moody")));  // nothing of the exception leaks
        client.send(get_quick);
        EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
    }
}

TEST(Server, TheFirstAnswerCounts) {
    TestServer server;
    BareClient client{server.port()};
    client.send("GET /twice HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read_response(), EndsWith("twice\n"));
    client.send(get_quick);
    EXPECT_THAT(client.read_response(), EndsWith("quick\n"));
}

TEST(Server, AnswersAfterTheHandlerHasReturned) {
    struct Later final : Handler {
        bool is_quick(const http::Request&) const override { return true; }
        void serve(http::Request, std::shared_ptr<const http::Peer>, ResponderPtr responder) override {
            const std::lock_guard lock{mutex};
            kept = std::move(responder);
        }
        std::mutex mutex;
        ResponderPtr kept;
    } handler;
    ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.io_threads = 1;
    auto server = Server::create(std::move(options), handler);
    ASSERT_TRUE(server);
    (*server)->start();
    BareClient client{(*server)->port()};
    client.send(get_quick);
    ResponderPtr responder;
    ASSERT_TRUE(eventually([&] {
        const std::lock_guard lock{handler.mutex};
        responder = handler.kept;
        return responder != nullptr;
    }));
    responder->respond(http::text_response(202, "later"));
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 202 Accepted\r\n"));
    server->reset();  // a responder may outlive its server
    responder->respond(http::text_response(200, "too late"));
}

TEST(Server, FullQueueAnswers503AtOnce) {  // bug class 30
    ServerOptions options;
    options.worker_threads = 1;
    options.limits.queued_requests_max = 1;
    TestServer server{std::move(options)};
    BareClient running{server.port()}, second{server.port()}, third{server.port()};
    const std::string_view block = "GET /block HTTP/1.1\r\nHost: x\r\n\r\n";
    running.send(block);
    server.handler.await_blocked(1);
    // One of these two waits in the queue, the other finds it full.
    second.send(block);
    third.send(block);
    ASSERT_TRUE(eventually([&] { return server->counters().refused_busy == 1; }));
    server.handler.release();
    const auto answers = second.read_response() + third.read_response();
    EXPECT_THAT(answers, HasSubstr("HTTP/1.1 503 "));
    EXPECT_THAT(answers, HasSubstr("Retry-After: 2\r\n"));
    EXPECT_THAT(answers, HasSubstr("HTTP/1.1 200 "));
    EXPECT_THAT(running.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST(Server, QuickRequestsAreServedWhileAllWorkersAreBusy) {
    ServerOptions options;
    options.worker_threads = 1;
    TestServer server{std::move(options)};
    BareClient slow{server.port()}, quick{server.port()};
    slow.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
    server.handler.await_blocked(1);
    quick.send(get_quick);
    EXPECT_THAT(quick.read_response(), EndsWith("quick\n"));
}

TEST(Server, DrainFinishesWhatIsUnderWay) {
    TestServer server;
    BareClient busy{server.port()}, idle{server.port()};
    busy.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.send(get_quick);
    idle.read_response();
    server.handler.await_blocked(1);
    std::thread drain{[&] { server->drain(std::chrono::seconds{20}); }};
    EXPECT_THAT(idle.read_all(), IsEmpty());  // closed: the drain has begun
    server.handler.release();
    const auto response = busy.read_all();
    EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(response, EndsWith("blocked\n"));
    drain.join();
    EXPECT_ANY_THROW(BareClient{server.port()});
}

TEST(Server, DrainDoesNotWaitForEver) {
    TestServer server;
    BareClient slow{server.port()};
    slow.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab");
    ASSERT_TRUE(eventually([&] { return server->counters().connections_open == 1; }));
    server->drain(std::chrono::milliseconds{50});
    EXPECT_EQ(server->counters().connections_open, 0u);
}

TEST(Server, PortInUseIsAnErrorThatNamesIt) {
    TestServer server;
    ServerOptions options;
    options.listen = {{"127.0.0.1", server.port()}};
    const auto second = Server::create(std::move(options), server.handler);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::unavailable);
    EXPECT_THAT(second.error().detail, HasSubstr("127.0.0.1 port " + std::to_string(server.port())));
    EXPECT_THAT(second.error().detail, HasSubstr("in use"));
}

TEST(Server, BadListenAddressIsAnError) {
    MoodyHandler handler;
    ServerOptions options;
    options.listen = {{"not an address", 0}};
    const auto server = Server::create(std::move(options), handler);
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, Code::malformed);
}

TEST(Server, ListensOnAllAddressesAndNamesIpv4ClientsPlainly) {
    ServerOptions options;
    options.listen = {{"*", 0}, {"127.0.0.1", 0}};
    TestServer server{std::move(options)};
    EXPECT_NE(server->port(0), server->port(1));
    for (const auto port : {server->port(0), server->port(1)}) {
        BareClient client{port};
        client.send("GET /peer HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_THAT(client.read_response(), HasSubstr("\r\n\r\n127.0.0.1\n"));
    }
}

}  // namespace
}  // namespace estuary::net::test
