// Basic, Digest and challenges.
#include <gmock/gmock.h>

#include "estuary/base/encoding.h"
#include "estuary/crypto/digest.h"
#include "estuary/http/grammar.h"
#include "support.h"

namespace estuary::http {
namespace {

using test::name_of;
using test::Text;
using testing::ElementsAre;
using testing::Pair;

std::string basic(std::string_view plain) { return "Basic " + to_base64(as_bytes(plain)); }

TEST(Basic, Rfc7617Examples) {
    const auto ascii = parse_basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    ASSERT_TRUE(ascii);
    EXPECT_EQ(ascii->user, "Aladdin");
    EXPECT_EQ(ascii->password.reveal_text(), "open sesame");
    const auto utf8 = parse_basic("basic dGVzdDoxMjPCow==");  // section 2.1: "test", "123£"
    ASSERT_TRUE(utf8);
    EXPECT_EQ(utf8->password.reveal_text(), "123\xC2\xA3");
    EXPECT_EQ(write_basic("Aladdin", crypto::Secret{"open sesame"}), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST(Basic, OnlyTheFirstColonSeparates) {
    const auto credentials = parse_basic(basic("u:p:q"));
    ASSERT_TRUE(credentials);
    EXPECT_EQ(credentials->user, "u");
    EXPECT_EQ(credentials->password.reveal_text(), "p:q");
}

class BadBasic : public testing::TestWithParam<Text> {};
TEST_P(BadBasic, IsRefused) { EXPECT_FALSE(parse_basic(GetParam().text)); }  // bug class 13
INSTANTIATE_TEST_SUITE_P(Rfc7617, BadBasic,
                         testing::Values(Text{"empty", ""}, Text{"other_scheme", "Bearer QTpi"}, Text{"no_credentials", "Basic"},
                                         Text{"no_blank", "BasicQTpi"}, Text{"no_colon", basic("alone")},
                                         Text{"not_base64", "Basic Q!pi"}, Text{"no_padding", "Basic dGVzdDoxMjPCow"},
                                         Text{"two_words", "Basic QTpi QTpi"},
                                         Text{"control", basic(std::string_view{"a\0b:c", 5})},
                                         Text{"line_break", basic("a\n:b")}, Text{"latin1", basic("a:\xE9")},
                                         Text{"long", basic(std::string(9000, 'a'))}),
                         name_of);

constexpr std::string_view rfc7616_sha256 =
    "Digest username=\"Mufasa\",\n realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=SHA-256, "
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
    "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
    "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", "
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

std::string without_line_break(std::string_view text) {
    std::string out{text};
    std::erase(out, '\n');
    return out;
}

TEST(Digest, Rfc7616Example) {  // section 3.9.1
    const auto digest = parse_digest(without_line_break(rfc7616_sha256));
    ASSERT_TRUE(digest) << digest.error().detail;
    EXPECT_EQ(digest->username, "Mufasa");
    EXPECT_EQ(digest->algorithm, "SHA-256");
    EXPECT_EQ(digest->qop, "auth");
    EXPECT_FALSE(digest->userhash);
    const auto ha1 = to_hex(crypto::sha256(as_bytes("Mufasa:http-auth@example.org:Circle of Life")));
    EXPECT_EQ(digest_response(ha1, digest->nonce, digest->nc, digest->cnonce, "GET", digest->uri), digest->response);
    EXPECT_NE(digest_response(ha1, digest->nonce, digest->nc, digest->cnonce, "POST", digest->uri), digest->response);
}

TEST(Digest, ExtendedUserNameAndEscapes) {
    const auto digest = parse_digest(
        "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=\"a\\\"b\", nonce=n, uri=\"/\", "
        "response=00, userhash=false");
    ASSERT_TRUE(digest) << digest.error().detail;
    EXPECT_EQ(digest->username, "J\xC3\xA4s\xC3\xB8n Doe");
    EXPECT_EQ(digest->realm, "a\"b");
}

class BadDigest : public testing::TestWithParam<Text> {};
TEST_P(BadDigest, IsRefused) { EXPECT_FALSE(parse_digest(GetParam().text)); }
INSTANTIATE_TEST_SUITE_P(
    Rfc7616, BadDigest,
    testing::Values(Text{"empty", ""}, Text{"basic", "Basic QTpi"}, Text{"nothing", "Digest "},
                    Text{"no_nonce", "Digest username=u, realm=r, uri=\"/\", response=00"},
                    Text{"twice", "Digest username=u, username=v, realm=r, nonce=n, uri=\"/\", response=00"},
                    Text{"twice_by_case", "Digest username=u, realm=r, Realm=r, nonce=n, uri=\"/\", response=00"},
                    Text{"both_user_names", "Digest username=u, username*=UTF-8''v, realm=r, nonce=n, uri=\"/\", response=00"},
                    Text{"nc_short", "Digest username=u, realm=r, nonce=n, uri=\"/\", response=00, qop=auth, cnonce=c, nc=1"},
                    Text{"no_cnonce", "Digest username=u, realm=r, nonce=n, uri=\"/\", response=00, qop=auth, nc=00000001"},
                    Text{"response_not_hex", "Digest username=u, realm=r, nonce=n, uri=\"/\", response=zz"},
                    Text{"bad_extended", "Digest username*=latin1''u, realm=r, nonce=n, uri=\"/\", response=00"},
                    Text{"bad_percent", "Digest username*=UTF-8''%4, realm=r, nonce=n, uri=\"/\", response=00"},
                    Text{"control", "Digest username=\"a\x01\", realm=r, nonce=n, uri=\"/\", response=00"},
                    Text{"open_quote", "Digest username=\"u, realm=r"}, Text{"no_comma", "Digest username=u realm=r"}),
    name_of);

TEST(Challenges, SeveralInOneField) {
    const auto found = parse_challenges(
        "Basic realm=\"a, b\", , Negotiate abc==,Digest realm=\"c\" , qop=\"auth\", "
        "algorithm=SHA-256, Mutual");
    ASSERT_TRUE(found) << found.error().detail;
    ASSERT_EQ(found->size(), 4u);
    EXPECT_EQ((*found)[0].scheme, "basic");
    EXPECT_THAT((*found)[0].parameters, ElementsAre(Pair("realm", "a, b")));
    EXPECT_EQ((*found)[1].scheme, "negotiate");
    EXPECT_THAT((*found)[1].parameters, ElementsAre(Pair("", "abc==")));
    EXPECT_THAT((*found)[2].parameters, ElementsAre(Pair("algorithm", "SHA-256"), Pair("qop", "auth"), Pair("realm", "c")));
    EXPECT_EQ((*found)[3].scheme, "mutual");
}

TEST(Challenges, WhatServersSend) {
    EXPECT_EQ(parse_challenges("Basic realm = \"estrealm\"")->at(0).parameters.at("realm"), "estrealm");
    EXPECT_EQ(parse_challenges("Basic")->at(0).scheme, "basic");
    // RFC 9110 11.6.1
    const auto two = parse_challenges("Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"");
    ASSERT_EQ(two->size(), 2u);
    EXPECT_EQ((*two)[1].parameters.at("title"), "Login to \"apps\"");
}

class BadChallenges : public testing::TestWithParam<Text> {};
TEST_P(BadChallenges, AreRefused) { EXPECT_FALSE(parse_challenges(GetParam().text)); }
INSTANTIATE_TEST_SUITE_P(Rfc9110, BadChallenges,
                         testing::Values(Text{"empty", ""}, Text{"commas", " , ,"}, Text{"quote_only", "\"a\""},
                                         Text{"open_quote", "Basic realm=\"a"}, Text{"no_value", "Basic realm=, b=c"},
                                         Text{"twice", "Basic realm=a, realm=b"}, Text{"no_comma", "Basic realm=a charset=b"},
                                         Text{"junk", "Basic realm=a;b"}),
                         name_of);

TEST(Challenges, AreLimited) {
    std::string many;
    for (int i = 0; i < 17; ++i) many += "Basic,";
    EXPECT_EQ(parse_challenges(many).error().code, Code::too_large);
    EXPECT_EQ(parse_challenges("Basic realm=" + std::string(9000, 'a')).error().code, Code::too_large);
}

}  // namespace
}  // namespace estuary::http
