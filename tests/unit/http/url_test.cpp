// URLs: what a person may type, and what a server may send in Location.
#include <gtest/gtest.h>

#include "estuary/http/grammar.h"
#include "support.h"

namespace estuary::http {
namespace {

using test::Text;

struct Case {
    std::string name, text, whole, authority;
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class GoodUrl : public testing::TestWithParam<Case> {};
TEST_P(GoodUrl, IsReadAndWritten) {
    const auto url = Url::parse(GetParam().text);
    ASSERT_TRUE(url) << url.error().detail;
    EXPECT_EQ(url->to_string(), GetParam().whole);
    EXPECT_EQ(url->authority(), GetParam().authority);
    EXPECT_EQ(Url::parse(url->to_string())->to_string(), GetParam().whole);
}
INSTANTIATE_TEST_SUITE_P(
    Rfc3986, GoodUrl,
    testing::Values(Case{"whole", "https://Example.ORG:8443/a/b?c=d", "https://example.org:8443/a/b?c=d", "example.org:8443"},
                    Case{"host_only", "ca.example", "https://ca.example", "ca.example"},
                    Case{"host_and_port", "localhost:8443", "https://localhost:8443", "localhost:8443"},
                    Case{"default_port", "https://a:443/", "https://a/", "a"},
                    Case{"empty_port", "https://a:/", "https://a/", "a"}, Case{"http", "http://a:443", "http://a:443", "a:443"},
                    Case{"http_default", "http://a:80/x", "http://a/x", "a"},
                    Case{"ipv4", "127.0.0.1:8443", "https://127.0.0.1:8443", "127.0.0.1:8443"},
                    Case{"ipv6", "https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443"},
                    Case{"query_at_once", "https://a?b", "https://a/?b", "a"}),
    [](const auto& test) { return test.param.name; });

class BadUrl : public testing::TestWithParam<Text> {};
TEST_P(BadUrl, IsRefused) { EXPECT_FALSE(Url::parse(GetParam().text)); }
INSTANTIATE_TEST_SUITE_P(Rfc3986, BadUrl,
                         testing::Values(Text{"empty", ""}, Text{"scheme", "ftp://a"}, Text{"fragment", "https://a/#b"},
                                         Text{"user", "https://u:p@a/"}, Text{"port_zero", "a:0"}, Text{"port_large", "a:65536"},
                                         Text{"port_word", "a:b"}, Text{"blank", "https://a/ b"},
                                         Text{"line_break", "https://a/\r\nX:y"}, Text{"no_host", "https:///x"},
                                         Text{"bad_ipv6", "https://[::g]/"}, Text{"open_ipv6", "https://[::1/"},
                                         Text{"after_ipv6", "https://[::1]x/"}, Text{"non_ascii", "https://k\xC3\xBC/"},
                                         Text{"percent_host", "https://a%2e/"},
                                         Text{"long", "https://a/" + std::string(2048, 'x')}),
                         [](const auto& test) { return test.param.name; });

struct Reference {
    std::string name, reference, whole;
};
void PrintTo(const Reference& each, std::ostream* out) { *out << each.name; }

class Resolve : public testing::TestWithParam<Reference> {};
TEST_P(Resolve, FollowsRfc3986) {
    const auto base = Url::parse("https://a:8443/b/c/d?q");
    const auto url = base->resolve(GetParam().reference);
    ASSERT_TRUE(url) << url.error().detail;
    EXPECT_EQ(url->to_string(), GetParam().whole);
}
INSTANTIATE_TEST_SUITE_P(
    Section54, Resolve,
    testing::Values(Reference{"absolute", "https://x/y", "https://x/y"}, Reference{"other_scheme", "http://x/y#z", "http://x/y"},
                    Reference{"network_path", "//x/y", "https://x/y"}, Reference{"absolute_path", "/y", "https://a:8443/y"},
                    Reference{"relative", "y", "https://a:8443/b/c/y"}, Reference{"query", "?y", "https://a:8443/b/c/d?y"},
                    Reference{"up", "../y", "https://a:8443/b/y"}, Reference{"above_root", "../../../y", "https://a:8443/y"},
                    Reference{"dots", "/x/./y/../z", "https://a:8443/x/z"}, Reference{"directory", "..", "https://a:8443/b/"},
                    Reference{"nothing", "", "https://a:8443/b/c/d?q"},
                    Reference{"slash_in_query", "y?a/../b", "https://a:8443/b/c/y?a/../b"}),
    [](const auto& test) { return test.param.name; });

TEST(Resolve, RefusesOtherSchemes) {
    const auto base = Url::parse("https://a/");
    EXPECT_FALSE(base->resolve("javascript:alert(1)"));
    EXPECT_FALSE(base->resolve("file:///etc/passwd"));
    EXPECT_FALSE(base->resolve("https://u@b/"));
}

}  // namespace
}  // namespace estuary::http
