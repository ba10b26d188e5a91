// The requester's messages: requests, nonces, HTTP, where the responder is.
#include "estuary/ocsp/server.h"
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using test::World;
using testing::HasSubstr;

TEST(OcspRequester, HashIsSha256UnlessAskedOtherwise) {
    const World world;
    const auto hash = [](Result<ByteVec> der) { return Request::parse(der.value()).value().certificates[0].hash(); };
    EXPECT_EQ(hash(make_request(world.device.certificate, world.ca.certificate)), Hash::sha256);
    EXPECT_EQ(hash(make_request(world.device.certificate, world.ca.certificate, std::nullopt, Hash::sha1)), Hash::sha1);
}

TEST(OcspRequester, RequestIsOneCertificateWithoutSingleExtensions) {
    const World world;
    const auto request = Request::parse(world.request()).value();
    EXPECT_EQ(request.certificates.size(), 1u);
    EXPECT_FALSE(request.is_signed);
    EXPECT_FALSE(request.nonce);
    EXPECT_THAT(failure(make_request(world.device.certificate, world.ca.certificate, ByteVec(129))), HasSubstr("malformed"));
}

// RFC 9654 2.1
TEST(OcspRequester, NonceHas32RandomOctets) {
    crypto::SystemEntropy entropy;
    const auto first = make_nonce_octets(entropy);
    EXPECT_EQ(first.size(), 32u);
    EXPECT_NE(first, make_nonce_octets(entropy));
}

TEST(OcspRequester, ShortUrlsAreGotLongOnesPosted) {
    const World world;
    const auto sha1 = world.request(std::nullopt, Hash::sha1);
    const auto get = make_http_request("http://ocsp.example/ocsp", sha1);
    ASSERT_TRUE(get) << failure(get);
    EXPECT_EQ(get->method, "GET");
    EXPECT_EQ(get->target, "/ocsp/" + encode_get_path(sha1));
    EXPECT_EQ(make_http_request("http://ocsp.example", sha1)->target, "/" + encode_get_path(sha1));
    EXPECT_EQ(make_http_request("http://ocsp.example/ocsp/", sha1)->target, "/ocsp/" + encode_get_path(sha1));
    const auto long_url = "http://ocsp.example/" + std::string(200, 'a');
    const auto post = make_http_request(long_url, sha1);
    ASSERT_TRUE(post) << failure(post);
    EXPECT_EQ(post->method, "POST");
    EXPECT_EQ(post->headers.find("Content-Type"), "application/ocsp-request");
    EXPECT_EQ(post->body, as_text(sha1));
    EXPECT_FALSE(make_http_request("ldap://x", sha1));
    for (const auto* pragma : {"Pragma", "Cache-Control"}) EXPECT_FALSE(get->headers.find(pragma));
}

TEST(OcspRequester, SpeaksWithOurServer) {
    World world;
    Server server{{}, *world.responder, world.clock};
    const ByteVec nonce(32, 1);
    for (const auto& der : {world.request(), world.request(nonce), world.request(std::nullopt, Hash::sha512)}) {
        const auto response = server.serve(make_http_request("http://h.example/ocsp", der).value());
        const auto octets = response_octets(response);
        ASSERT_TRUE(octets) << failure(octets);
        EXPECT_TRUE(verify(world.device.certificate, world.ca.certificate, *octets, std::nullopt, {.now = test::now}));
    }
}

TEST(OcspRequester, OtherHttpAnswersAreErrors) {
    EXPECT_THAT(failure(response_octets({503, {}, {}})), HasSubstr("unavailable"));
    EXPECT_THAT(failure(response_octets({404, {}, {}})), HasSubstr("unsupported"));
    EXPECT_THAT(failure(response_octets({200, {}, "x"})), HasSubstr("unsupported"));
    EXPECT_THAT(failure(response_octets({200, {{"Content-Type", "text/html"}}, "x"})), HasSubstr("unsupported"));
}

TEST(OcspRequester, ResponderIsFoundInTheCertificate) {
    const World world;
    const auto with = test::issue({.ocsp_uri = "http://ocsp.example/ocsp"}, &world.ca);
    EXPECT_EQ(responder_uris(with.certificate).value(), std::vector<std::string>{"http://ocsp.example/ocsp"});
    EXPECT_TRUE(responder_uris(world.device.certificate).value().empty());
    const auto ldap = test::issue({.ocsp_uri = "ldap://ocsp.example/ocsp"}, &world.ca);
    EXPECT_TRUE(responder_uris(ldap.certificate).value().empty());
}

}  // namespace
}  // namespace estuary::ocsp
