// Media types, paths, dates, header fields and the wire form of responses.
#include <gmock/gmock.h>

#include "estuary/http/grammar.h"
#include "estuary/http/wire.h"
#include "support.h"

namespace estuary::http {
namespace {

using test::name_of;
using test::Text;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Time at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
    return std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)} +
           std::chrono::hours{hour} + std::chrono::minutes{minute} + Seconds{second};
}

TEST(MediaType, LowersNamesAndKeepsValues) {
    const auto type = MediaType::parse("Multipart/Mixed ; Boundary=\"a \\\"B\"; Charset=UTF-8;");
    ASSERT_TRUE(type);
    EXPECT_EQ(type->type, "multipart/mixed");
    EXPECT_EQ(type->parameters.at("boundary"), "a \"B");
    EXPECT_EQ(type->parameters.at("charset"), "UTF-8");
}

TEST(MediaType, SmimeTypeOfEstAnswers) {
    const auto type = MediaType::parse("application/pkcs7-mime; smime-type=certs-only");
    ASSERT_TRUE(type);
    EXPECT_EQ(type->type, "application/pkcs7-mime");
    EXPECT_EQ(type->parameters.at("smime-type"), "certs-only");
}

class BadMediaType : public testing::TestWithParam<Text> {};
TEST_P(BadMediaType, IsRefused) {
    const auto type = MediaType::parse(GetParam().text);
    ASSERT_FALSE(type);
    EXPECT_THAT(type.error().detail, HasSubstr("media type"));
}
INSTANTIATE_TEST_SUITE_P(Rfc9110, BadMediaType,
                         testing::Values(Text{"empty", ""}, Text{"no_slash", "application"}, Text{"no_subtype", "application/"},
                                         Text{"no_type", "/pkcs10"}, Text{"blank_inside", "application /pkcs10"},
                                         Text{"two_types", "application/pkcs10, text/plain"}, Text{"no_value", "a/b; c"},
                                         Text{"blank_around_equals", "a/b; c = d"}, Text{"open_quote", "a/b; c=\"d"},
                                         Text{"control_in_quotes", "a/b; c=\"\x01\""}, Text{"twice", "a/b; c=d; C=e"},
                                         Text{"no_semicolon", "a/b c=d"}, Text{"long", "a/b; c=" + std::string(2000, 'x')}),
                         name_of);

TEST(PathSegments, AreDecodedOnce) {  // bug class 10
    EXPECT_THAT(*path_segments("/.well-known/est/a%2Db%252e/simpleenroll?x=/../y"),
                ElementsAre(".well-known", "est", "a-b%2e", "simpleenroll"));
    EXPECT_THAT(*path_segments("/"), IsEmpty());
    EXPECT_THAT(*path_segments("/k%C3%BCche"), ElementsAre("k\xC3\xBC"
                                                           "che"));
}

class BadPath : public testing::TestWithParam<Text> {};
TEST_P(BadPath, IsRefused) { EXPECT_FALSE(path_segments(GetParam().text)); }  // bug class 10
INSTANTIATE_TEST_SUITE_P(Rfc3986, BadPath,
                         testing::Values(Text{"empty", ""}, Text{"relative", "est"}, Text{"dot", "/a/./b"},
                                         Text{"dots", "/a/../b"}, Text{"encoded_dots", "/a/%2e%2E/b"},
                                         Text{"double_slash", "//a"}, Text{"trailing_slash", "/a/"},
                                         Text{"encoded_slash", "/a%2fb"}, Text{"nul", "/a%00b"}, Text{"control", "/a%0ab"},
                                         Text{"bad_percent", "/a%2"}, Text{"bad_hex", "/a%zz"}, Text{"not_utf8", "/a%ff"},
                                         Text{"overlong_utf8", "/%c0%ae%c0%ae"}, Text{"fragment", "/a#b"},
                                         Text{"long", "/" + std::string(1024, 'a')}),
                         name_of);

TEST(Date, IsImfFixdate) {
    EXPECT_EQ(imf_fixdate(at(1994, 11, 6, 8, 49, 37)), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 5.6.7
    EXPECT_EQ(imf_fixdate(at(2024, 2, 29, 23, 59, 59)), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(RetryAfter, SecondsOrDate) {
    const auto now = at(1994, 11, 6, 8, 49, 0);
    EXPECT_EQ(*parse_retry_after("120", now), Seconds{120});
    EXPECT_EQ(*parse_retry_after(" 0 ", now), Seconds{0});
    EXPECT_EQ(*parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Seconds{37});
    EXPECT_EQ(*parse_retry_after("Sun, 06 Nov 1994 08:48:00 GMT", now), Seconds{0});  // past
}

class BadRetryAfter : public testing::TestWithParam<Text> {};
TEST_P(BadRetryAfter, IsRefused) { EXPECT_FALSE(parse_retry_after(GetParam().text, at(2026, 1, 1))); }
INSTANTIATE_TEST_SUITE_P(Rfc9110, BadRetryAfter,
                         testing::Values(Text{"empty", ""}, Text{"negative", "-1"}, Text{"fraction", "1.5"},
                                         Text{"overflow", "99999999999"}, Text{"wrong_weekday", "Mon, 06 Nov 1994 08:49:37 GMT"},
                                         Text{"no_such_day", "Wed, 30 Feb 1994 08:49:37 GMT"},
                                         Text{"not_gmt", "Sun, 06 Nov 1994 08:49:37 CET"},
                                         Text{"hour_24", "Sun, 06 Nov 1994 24:49:37 GMT"}, Text{"words", "soon"}),
                         name_of);

TEST(Quoted, EscapesQuotesAndBackslashes) {
    EXPECT_EQ(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(quoted("a\r\nb"), "\"a  b\"");
}

TEST(Headers, NamesAreComparedWithoutCase) {
    Headers headers{{"Host", "a"}, {"X", "1"}, {"x", "2"}};
    EXPECT_EQ(headers.find("HOST"), "a");
    EXPECT_EQ(headers.find("x"), "1");
    EXPECT_EQ(headers.count("X"), 2u);
    EXPECT_EQ(headers.find("y"), std::nullopt);
    headers.set("X", "3");
    EXPECT_EQ(headers.count("x"), 1u);
    EXPECT_EQ(headers.find("x"), "3");
}

TEST(WriteResponse, HasLengthAndNoForeignFraming) {
    Response response = text_response(200, "hello");
    response.headers.add("Content-Length", "99");
    response.headers.add("transfer-encoding", "chunked");
    response.headers.add("X-Injected", "a\r\nSet-Cookie: b");
    std::string text;
    write_response(text, response, {"Sun, 06 Nov 1994 08:49:37 GMT", true, false});
    EXPECT_EQ(text,
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "X-Injected: a  Set-Cookie: b\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n");
}

TEST(WriteResponse, HeadHasLengthWithoutBodyAnd204HasNeither) {
    std::string head, empty;
    write_response(head, text_response(200, "hello"), {{}, false, true});
    EXPECT_THAT(head, testing::EndsWith("Content-Length: 6\r\n\r\n"));
    Response none;
    none.status = 204;
    write_response(empty, none, {});
    EXPECT_EQ(empty, "HTTP/1.1 204 No Content\r\n\r\n");  // RFC 9110 8.6
}

TEST(WriteRequest, PutsHostAndLengthIn) {
    std::string text;
    write_request(text, {"POST", "/a", {{"Host", "evil"}, {"Content-Length", "7"}}, "xy"}, "example.org");
    EXPECT_EQ(text, "POST /a HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\nxy");
}

}  // namespace
}  // namespace estuary::http
