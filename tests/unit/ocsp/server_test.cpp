// OCSP over HTTP: methods, paths, caching.
#include "estuary/ocsp/server.h"

#include "estuary/http/grammar.h"
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::World;
using testing::HasSubstr;

class OcspServer : public testing::Test {
protected:
    http::Request get(const std::string& target, const std::string& method = "GET") { return {method, target, {}, {}}; }
    http::Request get(Bytes der) { return get("/ocsp/" + encode_get_path(der)); }
    http::Request post(Bytes der, const std::string& type = "application/ocsp-request") {
        return {"POST", "/ocsp", {{"Content-Type", type}}, std::string{as_text(der)}};
    }
    std::string header(const http::Response& response, std::string_view name) {
        return std::string{response.headers.find(name).value_or("-")};
    }
    ResponseStatus status(const http::Response& response) { return Response::parse(as_bytes(response.body)).value().status; }

    World world;
    Server server{{}, *world.responder, world.clock};
};

TEST_F(OcspServer, GetAndPostGiveTheSameAnswer) {
    const auto got = server.serve(get(world.request()));
    EXPECT_EQ(got.status, 200u);
    EXPECT_EQ(header(got, "Content-Type"), "application/ocsp-response");
    EXPECT_EQ(server.serve(post(world.request())).body, got.body);
    EXPECT_EQ(server.serve(get("/ocsp/" + encode_get_path(world.request()), "HEAD")).body, got.body);
    EXPECT_EQ(server.serve(get("/ocsp//" + to_base64(world.request()))).body, got.body);
    EXPECT_TRUE(verify(world.device.certificate, world.ca.certificate, as_bytes(got.body), std::nullopt, {.now = test::now}));
}

// RFC 5019 6.2, RFC 9919 7.2
TEST_F(OcspServer, CacheableAnswersSayHowLong) {
    const auto response = server.serve(get(world.request()));
    EXPECT_EQ(header(response, "Last-Modified"), http::imf_fixdate(test::now));
    EXPECT_EQ(header(response, "Expires"), http::imf_fixdate(test::now + 12 * test::hour));
    EXPECT_EQ(header(response, "Cache-Control"), "max-age=32400, public, no-transform, must-revalidate");
    EXPECT_EQ(header(response, "ETag"), "\"" + to_hex(crypto::sha256(as_bytes(response.body))) + "\"");
    world.clock.advance(test::hour);
    EXPECT_THAT(header(server.serve(get(world.request())), "Cache-Control"), HasSubstr("max-age=28800,"));
}

TEST_F(OcspServer, AnswersWithNonceAndErrorsAreNotCached) {
    for (const auto& der : {world.request(ByteVec(32, 1)), test::request_for({world.id_of("55")}), test::hex("3000")}) {
        const auto response = server.serve(get(der));
        EXPECT_EQ(response.status, 200u);
        EXPECT_EQ(header(response, "Cache-Control"), "no-store");
        EXPECT_EQ(header(response, "ETag"), "-");
        EXPECT_EQ(header(response, "Expires"), "-");
    }
}

TEST_F(OcspServer, KnownEntityTagIs304) {
    auto request = get(world.request());
    const auto etag = header(server.serve(request), "ETag");
    for (const auto& value : {etag, "W/" + etag, "\"a\", " + etag, std::string{"*"}}) {
        request.headers.set("If-None-Match", value);
        const auto response = server.serve(request);
        EXPECT_EQ(response.status, 304u);
        EXPECT_TRUE(response.body.empty());
        EXPECT_EQ(header(response, "ETag"), etag);
        EXPECT_NE(header(response, "Cache-Control"), "-");
    }
    request.headers.set("If-None-Match", "\"other\"");
    EXPECT_EQ(server.serve(request).status, 200u);
    auto posted = post(world.request());
    posted.headers.set("If-None-Match", etag);
    EXPECT_EQ(server.serve(posted).status, 200u);
}

TEST_F(OcspServer, WrongMethodIs405) {
    const auto response = server.serve(get("/ocsp", "PUT"));
    EXPECT_EQ(response.status, 405u);
    EXPECT_EQ(header(response, "Allow"), "GET, HEAD, POST");
}

TEST_F(OcspServer, WrongMediaTypeIs415) {
    EXPECT_EQ(server.serve(post(world.request(), "application/octet-stream")).status, 415u);
    EXPECT_EQ(server.serve({"POST", "/ocsp", {}, "x"}).status, 415u);
    EXPECT_EQ(server.serve(post(world.request(), "Application/OCSP-Request; a=b")).status, 200u);
}

TEST_F(OcspServer, TooLargeIs413And414) {
    EXPECT_EQ(server.serve(post(ByteVec(16'385))).status, 413u);
    EXPECT_EQ(server.serve(get("/ocsp/" + std::string(1 << 20, 'M'))).status, 414u);
    EXPECT_EQ(server.serve(get("/ocsp/" + std::string(4000, '/'))).status, 400u);
}

TEST_F(OcspServer, BadPathsAre400And404) {
    for (const auto* path : {"/ocsp", "/ocsp/", "/ocsp/%zz", "/ocsp/hello", "/ocsp?x", "/ocsp/index.html"})
        EXPECT_EQ(server.serve(get(path)).status, 400u) << path;
    EXPECT_EQ(server.serve(get("/ocspx")).status, 404u);
    EXPECT_EQ(server.serve(get("/")).status, 404u);
    EXPECT_EQ(server.serve({"POST", "/ocsp/x", {{"Content-Type", "application/ocsp-request"}}, {}}).status, 404u);
    EXPECT_TRUE(server.owns("/ocsp"));
    EXPECT_TRUE(server.owns("/ocsp/abc"));
    EXPECT_FALSE(server.owns("/ocspabc"));
}

TEST_F(OcspServer, PathIsAParameter) {
    Server root{{.path = ""}, *world.responder, world.clock};
    EXPECT_EQ(root.serve(get("/" + encode_get_path(world.request()))).status, 200u);
    Server deep{{.path = "/a/b"}, *world.responder, world.clock};
    EXPECT_EQ(deep.serve(get("/a/b/" + encode_get_path(world.request()))).status, 200u);
}

TEST_F(OcspServer, ErrorsOfOcspAre200) {
    EXPECT_EQ(status(server.serve(post(test::hex("3000")))), ResponseStatus::malformed_request);
    EXPECT_EQ(status(server.serve(post(Bytes{}))), ResponseStatus::malformed_request);
    world.states.error = Error{Code::unavailable, "away"};
    EXPECT_EQ(status(server.serve(post(world.request()))), ResponseStatus::try_later);
}

TEST_F(OcspServer, CollapsedSlashesAreMendedByTheIssuersHashes) {
    // A CA whose hashes hold "//" at a known place: keys are made until one does.
    for (int tries = 0; tries < 2000; ++tries) {
        const auto base64 = to_base64(world.request(std::nullopt, Hash::sha512));
        const auto at = base64.find("//");
        if (at == std::string::npos || base64.find("//", at + 1) != std::string::npos || at > base64.size() - 30) {
            const auto key = std::to_string(tries);
            world.ca = test::make_ca("CN=Test CA " + key);
            world.device = test::issue({}, &world.ca);
            continue;
        }
        ResponderConfig config;
        config.issuers.push_back({"ca", world.ca.certificate, {world.ca.signer()}, false});
        const auto responder = Responder::create(config, world.states, world.clock).value();
        Server mending{{}, *responder, world.clock};
        auto collapsed = base64;
        collapsed.erase(at, 1);
        const auto response = mending.serve(get("/ocsp/" + collapsed));
        ASSERT_EQ(response.status, 200u) << response.body;
        const auto answer = Response::parse(as_bytes(response.body)).value();
        EXPECT_EQ(answer.basic.value().data.responses[0].id, world.id(Hash::sha512));
        return;
    }
    FAIL() << "no CA with a double slash was made";
}

TEST_F(OcspServer, ReadyAnswersNeedNoSignature) {
    EXPECT_FALSE(server.serve_ready(get(world.request())));
    const auto answer = server.serve(get(world.request()));
    const auto ready = server.serve_ready(get(world.request()));
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->body, answer.body);
    EXPECT_EQ(server.serve_ready(get("/ocsp", "PUT"))->status, 405u);
    EXPECT_EQ(server.serve_ready(get("/ocsp/%zz"))->status, 400u);
}

}  // namespace
}  // namespace estuary::ocsp
