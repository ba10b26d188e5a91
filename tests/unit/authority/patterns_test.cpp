#include "support.h"

namespace estuary::authority::test {
namespace {

struct SubjectCase {
    std::string label, subject, pattern;
    bool matches;
};
class SubjectPatterns : public testing::TestWithParam<SubjectCase> {};
TEST_P(SubjectPatterns, Match) {
    const auto& given = GetParam();
    EXPECT_EQ(subject_matches(given.subject.empty() ? x509::Name{} : name(given.subject), given.pattern), given.matches);
}
INSTANTIATE_TEST_SUITE_P(
    Authority, SubjectPatterns,
    testing::Values(
        SubjectCase{"exact", "CN=device 1,O=Example", "CN=device 1,O=Example", true},
        SubjectCase{"any_run", "CN=device 17,O=Example", "CN=device *,O=Example", true},
        SubjectCase{"empty_run", "CN=device ,O=Example", "CN=device*,O=Example", true},
        SubjectCase{"two_stars", "CN=a-b-c", "CN=*-b-*", true},
        SubjectCase{"whole_subject_only", "CN=device 1,O=Example", "CN=device 1", false},
        SubjectCase{"nothing_more", "CN=device 1", "CN=device 1,O=*", false},
        SubjectCase{"order_counts", "O=Example,CN=device 1", "CN=device 1,O=Example", false},
        SubjectCase{"star_stays_in_its_value", "CN=x,O=y", "CN=*", false},                        // bug class 13
        SubjectCase{"comma_in_value_is_no_separator", "CN=x\\,O=y", "CN=x,O=y", false},           // bug class 13
        SubjectCase{"escaped_comma", "CN=x\\,y", "CN=x\\,y", true},
        SubjectCase{"star_in_the_name_is_a_star", "CN=\\2a", "CN=a", false},                      // bug class 13
        SubjectCase{"escaped_star_is_a_star", "CN=\\2a", "CN=\\*", true},
        SubjectCase{"escaped_star_is_no_wildcard", "CN=abc", "CN=\\*", false},
        SubjectCase{"hex_escape", "CN=a", "CN=\\61", true},
        SubjectCase{"case_counts", "CN=Device", "CN=device", false},
        SubjectCase{"other_type", "O=device", "CN=device", false},
        SubjectCase{"dotted_type", "CN=device", "2.5.4.3=dev*", true},
        SubjectCase{"multi_valued", "CN=a+serialNumber=1", "serialNumber=1+CN=a", true},
        SubjectCase{"multi_valued_all", "CN=a+serialNumber=1", "CN=a", false},
        SubjectCase{"empty_subject", "", "CN=*", false}, SubjectCase{"bad_pattern_matches_nothing", "CN=a", "", false}),
    [](const auto& test) { return test.param.label; });

struct SanCase {
    std::string label, name, pattern;
    bool matches;
};
class SanPatterns : public testing::TestWithParam<SanCase> {};
TEST_P(SanPatterns, Match) {
    const auto& given = GetParam();
    EXPECT_EQ(san_matches(san(given.name), given.pattern), given.matches);
}
INSTANTIATE_TEST_SUITE_P(
    Authority, SanPatterns,
    testing::Values(
        SanCase{"dns_exact", "dns:a.example", "dns:a.example", true}, SanCase{"dns_case", "dns:A.Example", "dns:a.eXAMPLE", true},
        SanCase{"dns_one_label", "dns:x.devices.example", "dns:*.devices.example", true},
        SanCase{"dns_more_labels", "dns:x.y.z.devices.example", "dns:*.devices.example", true},
        SanCase{"dns_needs_a_label", "dns:devices.example", "dns:*.devices.example", false},
        SanCase{"dns_suffix_is_no_domain", "dns:evildevices.example", "dns:*devices.example", true},
        SanCase{"dns_label_boundary", "dns:evildevices.example", "dns:*.devices.example", false},
        SanCase{"dns_longer_domain", "dns:a.devices.example.evil.test", "dns:*.devices.example", false},
        SanCase{"dns_star_in_label", "dns:dev-7.example", "dns:dev-*.example", true},
        SanCase{"dns_star_in_label_stays", "dns:dev-7.evil.example", "dns:dev-*.example", false},
        SanCase{"dns_star_in_the_middle", "dns:a.b.c.example", "dns:a.*.example", true},
        SanCase{"dns_wildcard_name", "dns:*.devices.example", "dns:*.devices.example", false},      // bug class 13
        SanCase{"dns_wildcard_name_any", "dns:*.devices.example", "dns:*", false},                  // bug class 13
        SanCase{"dns_wildcard_allowed", "dns:*.devices.example", "dns:\\*.devices.example", true},
        SanCase{"dns_all", "dns:a.b.example", "dns:*", true}, SanCase{"kind_counts", "uri:urn:a.example", "dns:*", false},
        SanCase{"ip_exact", "ip:192.0.2.1", "ip:192.0.2.1", true}, SanCase{"ip_other", "ip:192.0.2.2", "ip:192.0.2.1", false},
        SanCase{"ip_network", "ip:192.0.2.77", "ip:192.0.2.0/24", true},
        SanCase{"ip_outside", "ip:192.0.3.0", "ip:192.0.2.0/24", false},
        SanCase{"ip_odd_prefix", "ip:192.0.2.127", "ip:192.0.2.0/25", true},
        SanCase{"ip_odd_prefix_outside", "ip:192.0.2.128", "ip:192.0.2.0/25", false},
        SanCase{"ip_everything", "ip:192.0.2.128", "ip:0.0.0.0/0", true}, SanCase{"ip_family", "ip:::1", "ip:0.0.0.0/0", false},
        SanCase{"ip6_network", "ip:2001:db8::7", "ip:2001:db8::/32", true},
        SanCase{"ip6_outside", "ip:2001:db9::7", "ip:2001:db8::/32", false}, SanCase{"ip_any", "ip:::1", "ip:*", true},
        SanCase{"email_host", "email:bob@Example.com", "email:*@example.com", true},
        SanCase{"email_other_host", "email:bob@mail.example.com", "email:*@example.com", false},
        SanCase{"email_sub_host", "email:bob@mail.example.com", "email:*@*.example.com", true},
        SanCase{"email_local_case", "email:Bob@example.com", "email:bob@example.com", false},
        SanCase{"uri_run", "uri:urn:dev:17", "uri:urn:dev:*", true}, SanCase{"uri_case", "uri:urn:DEV:17", "uri:urn:dev:*", false},
        SanCase{"uri_stays_in_segment", "uri:https://evil.test/a.example/", "uri:https://*.example/", false},  // bug class 13
        SanCase{"uri_userinfo", "uri:https://good.example@evil.test", "uri:https://good.example*", false},
        SanCase{"uri_any", "uri:https://a.example/x", "uri:*", true},
        SanCase{"dirname", "dirname:CN=x,O=y", "dirname:CN=*,O=y", true},
        SanCase{"dirname_other", "dirname:CN=x,O=z", "dirname:CN=*,O=y", false},
        SanCase{"rid", "rid:1.2.3", "rid:1.2.*", true}, SanCase{"upn", "upn:bob@realm.example", "upn:*@realm.example", true},
        SanCase{"upn_other", "upn:bob@evil.example", "upn:*@realm.example", false}),
    [](const auto& test) { return test.param.label; });

TEST(Patterns, BadOnesAreNamed) {
    for (const auto* const text : {"", "CN", "CN=", "=x", "nosuch=x", "CN=a,", "CN=a+", "CN=a\\"})
        EXPECT_EQ(code_of(check_subject_pattern(text)), Code::malformed) << text;
    for (const auto* const text : {"", "a.example", "dns:", "dns:a..b", "dns:.a", "ip:x", "ip:192.0.2.0/33", "ip:192.0.2.0/",
                                   "ip:192.0.2.0/-1", "email:nobody", "email:@host", "dirname:x", "uri:a\\b"})
        EXPECT_EQ(code_of(check_san_pattern(text)), Code::malformed) << text;
    EXPECT_EQ(code_of(check_san_pattern("dns:" + std::string(2000, 'a'))), Code::too_large);
    EXPECT_TRUE(check_subject_pattern("CN=*,O=Example"));
    EXPECT_TRUE(check_san_pattern("dns:*.devices.example"));
}

// bug class 30: no pattern makes matching slow
TEST(Patterns, ManyStarsEnd) {
    const std::string stars = "uri:urn:" + std::string(500, '*') + "b";
    EXPECT_FALSE(san_matches(san("uri:urn:" + std::string(2000, 'a')), stars));
}

}  // namespace
}  // namespace estuary::authority::test
