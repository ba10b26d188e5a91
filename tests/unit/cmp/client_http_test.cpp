// CMP over HTTP from the client's side (RFC 9811).
#include "estuary/cmp/http_client.h"
#include "support.h"

namespace estuary::test {
namespace {

http::Response response(unsigned status, std::string_view type, std::string body) {
    http::Response made;
    made.status = status;
    if (!type.empty()) made.headers.add("Content-Type", std::string{type});
    made.body = std::move(body);
    return made;
}
Result<cmp::HttpTarget> target(std::string_view url, std::string_view called = {}) {
    return cmp::http_target(http::Url::parse(url).value(), called);
}

TEST(CmpHttpClient, PathsAreThoseOfRfc9811OrThePersons) {
    EXPECT_EQ(target("http://ca")->path, "/.well-known/cmp");
    EXPECT_EQ(target("http://ca/")->path, "/.well-known/cmp");
    EXPECT_EQ(target("http://ca/", "line7")->path, "/.well-known/cmp/p/line7");
    EXPECT_EQ(target("http://ca/.well-known/cmp/p/line7")->path, "/.well-known/cmp/p/line7");
    EXPECT_TRUE(target("http://ca/.well-known/cmp/p/line7")->operation_labels);
    EXPECT_EQ(target("http://ca/pkix/")->path, "/pkix/");
    EXPECT_FALSE(target("http://ca/pkix/")->operation_labels);
    EXPECT_EQ(code_of(target("http://ca/pkix/", "line7")), Code::policy);
}

TEST(CmpHttpClient, RequestsArePostsOfPkixcmp) {
    const ByteVec octets{0x30, 0x00};
    const auto request = cmp::make_http_request(*target("http://ca"), "ca:80", "initialization", octets);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/.well-known/cmp/initialization");
    EXPECT_EQ(request.headers.find("Content-Type"), "application/pkixcmp");
    EXPECT_EQ(request.body, (std::string{"\x30\x00", 2}));
    EXPECT_EQ(cmp::make_http_request(*target("http://ca/pkix/"), "ca", "initialization", octets).target, "/pkix/");
    EXPECT_EQ(cmp::make_http_request(*target("http://ca"), "ca", "", octets).target, "/.well-known/cmp");
}

TEST(CmpHttpClient, MessagesAreReadWhateverTheStatus) {
    for (const unsigned status : {200u, 201u, 400u, 403u, 404u, 500u, 503u}) {
        const auto good = response(status, "Application/PKIXCMP; x=y", "message");
        const auto read = cmp::read_http_response(good);
        ASSERT_TRUE(read) << status;
        EXPECT_EQ(to_string(*read), "message");
    }
    EXPECT_TRUE(cmp::read_http_response(response(200, "application/pkixcmp-poll", "message")));
}

TEST(CmpHttpClient, WhatIsNoMessageIsAnErrorOfItsStatus) {
    const auto code = [](unsigned status, std::string_view type = "text/html", std::string body = "<p>") {
        return code_of(cmp::read_http_response(response(status, type, std::move(body))));
    };
    EXPECT_EQ(code(200), Code::malformed);
    EXPECT_EQ(code(200, ""), Code::malformed);
    EXPECT_EQ(code(200, "application/pkixcmp", ""), Code::malformed);
    EXPECT_EQ(code(200, "application/pkixcmpx"), Code::malformed);
    EXPECT_EQ(code(401), Code::not_authorised);
    EXPECT_EQ(code(404), Code::not_found);
    EXPECT_EQ(code(429), Code::too_busy);
    EXPECT_EQ(code(500), Code::unavailable);
    EXPECT_EQ(code(503), Code::too_busy);
    EXPECT_EQ(code(302, "application/pkixcmp", "message"), Code::policy);   // nobody is sent elsewhere
    auto busy = response(503, "", "");
    busy.headers.add("Retry-After", "7");
    EXPECT_EQ(cmp::read_http_response(busy).error().retry_after_s, 7u);
    auto elsewhere = response(301, "", "");
    elsewhere.headers.add("Location", "http://evil.example/\x1b[2J");
    const auto text = cmp::read_http_response(elsewhere).error().detail;
    EXPECT_NE(text.find("evil.example"), std::string::npos);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace estuary::test
