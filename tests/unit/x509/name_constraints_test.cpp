#include "estuary/x509/extension.h"

#include "support.h"

namespace estuary::x509 {
namespace {

using test::failure;
using test::hex;
using test::name;
using test::octets;
using testing::HasSubstr;
using Kind = GeneralName::Kind;

/// A subtree or a name from "kind:text"; unlike from_text, not checked as a name of an end entity.
GeneralName raw(std::string_view text) {
    const auto value = text.substr(text.find(':') + 1);
    if (text.starts_with("dns:")) return {Kind::dns, octets(value)};
    if (text.starts_with("email:")) return {Kind::email, octets(value)};
    if (text.starts_with("uri:")) return {Kind::uri, octets(value)};
    if (text.starts_with("net:")) return {Kind::ip, hex(value)};
    return test::general_name(text);
}

struct Case {
    std::string name, permitted, excluded, subject, san;  ///< empty: none
    bool ok;
};
class Satisfies : public testing::TestWithParam<Case> {};

TEST_P(Satisfies, AsRfc5280Section4_2_1_10) {
    const auto& test = GetParam();
    NameConstraints constraints;
    if (!test.permitted.empty()) constraints.permitted.push_back(raw(test.permitted));
    if (!test.excluded.empty()) constraints.excluded.push_back(raw(test.excluded));
    // Through DER, as they are met in certificates.
    constraints = parse_name_constraints(make_name_constraints(constraints).value).value();
    std::vector<GeneralName> names;
    if (!test.san.empty()) names.push_back(raw(test.san));
    const auto result = satisfies(constraints, name(test.subject), names);
    EXPECT_EQ(result.has_value(), test.ok) << failure(result);
    if (!result) {
        EXPECT_EQ(result.error().code, Code::policy);
    }
}

INSTANTIATE_TEST_SUITE_P(Dns, Satisfies, testing::Values(
    Case{"itself", "dns:example.com", "", "", "dns:example.com", true},
    Case{"below", "dns:example.com", "", "", "dns:a.b.EXAMPLE.com", true},
    Case{"beside", "dns:example.com", "", "", "dns:badexample.com", false},
    Case{"above", "dns:a.example.com", "", "", "dns:example.com", false},
    Case{"empty_is_all", "dns:", "", "", "dns:a", true},
    Case{"leading_dot_below", "dns:.example.com", "", "", "dns:a.example.com", true},
    Case{"leading_dot_itself", "dns:.example.com", "", "", "dns:example.com", false},
    Case{"wildcard_within", "dns:example.com", "", "", "dns:*.example.com", true},
    Case{"wildcard_wider", "dns:a.example.com", "", "", "dns:*.example.com", false},
    Case{"excluded", "", "dns:bad.example.com", "", "dns:x.bad.example.com", false},
    Case{"excluded_other", "", "dns:bad.example.com", "", "dns:good.example.com", true},
    Case{"excluded_by_wildcard", "", "dns:bad.example.com", "", "dns:*.example.com", false},
    Case{"excluded_deeper_than_wildcard", "", "dns:x.bad.example.com", "", "dns:*.example.com", true},
    Case{"excluded_wins", "dns:example.com", "dns:bad.example.com", "", "dns:bad.example.com", false},
    Case{"excluded_trailing_dot", "", "dns:bad.com", "", "dns:bad.com.", false},
    Case{"all_excluded", "", "dns:", "", "dns:a", false},
    Case{"other_kinds_free", "dns:example.com", "", "CN=anything", "email:a@b.c", true},
    Case{"cn_is_not_looked_at", "dns:example.com", "", "CN=www.other.com", "", true}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Email, Satisfies, testing::Values(
    Case{"host", "email:example.com", "", "", "email:a@Example.com", true},
    Case{"host_not_below", "email:example.com", "", "", "email:a@b.example.com", false},
    Case{"domain_below", "email:.example.com", "", "", "email:a@b.example.com", true},
    Case{"domain_not_itself", "email:.example.com", "", "", "email:a@example.com", false},
    Case{"mailbox", "email:a@example.com", "", "", "email:a@EXAMPLE.com", true},
    Case{"mailbox_local_case", "email:a@example.com", "", "", "email:A@example.com", false},
    Case{"mailbox_other", "email:a@example.com", "", "", "email:b@example.com", false},
    Case{"excluded_host", "", "email:example.com", "", "email:a@example.com", false},
    Case{"excluded_trailing_dot", "", "email:bad.com", "", "email:a@bad.com.", false},
    Case{"two_ats", "email:good.com", "", "", "email:a@bad.com@good.com", false},
    Case{"subject_address", "email:example.com", "", "emailAddress=a@other.com", "", false},
    Case{"subject_address_ok", "email:example.com", "", "emailAddress=a@example.com", "", true},
    Case{"subject_address_excluded_beside_san", "", "email:bad.com", "emailAddress=a@bad.com", "dns:x", false}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Address, Satisfies, testing::Values(
    Case{"within", "net:c0000200ffffff00", "", "", "ip:192.0.2.77", true},
    Case{"outside", "net:c0000200ffffff00", "", "", "ip:192.0.3.77", false},
    Case{"excluded", "", "net:c0000200ffffff00", "", "ip:192.0.2.77", false},
    Case{"six_when_only_four", "net:c0000200ffffff00", "", "", "ip:2001:db8::1", false},
    Case{"six_not_in_excluded_four", "", "net:00000000" "00000000", "", "ip:2001:db8::1", true},
    Case{"six", "net:20010db8000000000000000000000000ffffffff000000000000000000000000", "", "", "ip:2001:db8::1", true},
    Case{"everything_excluded", "", "net:0000000000000000", "", "ip:192.0.2.1", false}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Uri, Satisfies, testing::Values(
    Case{"host", "uri:host.example.com", "", "", "uri:https://Host.Example.com:8443/x", true},
    Case{"host_not_below", "uri:example.com", "", "", "uri:https://a.example.com/", false},
    Case{"domain", "uri:.example.com", "", "", "uri:https://a.b.example.com/", true},
    Case{"domain_not_itself", "uri:.example.com", "", "", "uri:https://example.com/", false},
    Case{"user_does_not_fool", "uri:.example.com", "", "", "uri:https://a.example.com@evil.com/", false},
    Case{"path_does_not_fool", "uri:.example.com", "", "", "uri:https://evil.com/a.example.com", false},
    Case{"excluded", "", "uri:bad.com", "", "uri:https://bad.com/", false},
    Case{"urn_cannot_be_checked", "", "uri:bad.com", "", "uri:urn:dev:1", false},
    Case{"address_cannot_be_checked", "", "uri:bad.com", "", "uri:https://192.0.2.1/", false},
    Case{"ipv6_cannot_be_checked", "", "uri:bad.com", "", "uri:https://[::1]/", false}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Directory, Satisfies, testing::Values(
    Case{"below", "dirname:O=Example,C=DE", "", "CN=a,OU=b,O=EXAMPLE,C=DE", "", true},
    Case{"itself", "dirname:O=Example,C=DE", "", "O=Example,C=DE", "", true},
    Case{"beside", "dirname:O=Example,C=DE", "", "CN=a,O=Other,C=DE", "", false},
    Case{"above", "dirname:O=Example,C=DE", "", "C=DE", "", false},
    Case{"empty_subject", "dirname:O=Example,C=DE", "", "", "", true},
    Case{"excluded", "", "dirname:O=Example", "CN=a,O=Example", "", false},
    Case{"in_san", "dirname:O=Example", "", "", "dirname:O=Other", false}), [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(OtherForms, Satisfies, testing::Values(
    Case{"registered_id_constrained", "rid:1.2.3", "", "", "rid:1.2.3", false},
    Case{"registered_id_free", "dns:a", "", "", "rid:1.2.3", true},
    Case{"other_name_constrained", "", "upn:a@b", "", "upn:c@d", false}), [](const auto& test) { return test.param.name; });

TEST(Satisfies, EveryNameIsChecked) {  // bug class 19: one forbidden among N, at every position
    const NameConstraints constraints{{raw("dns:example.com")}, {}};
    for (std::size_t position = 0; position < 5; ++position) {
        std::vector<GeneralName> names(5, raw("dns:a.example.com"));
        EXPECT_TRUE(satisfies(constraints, Name{}, names));
        names[position] = raw("dns:evil.org");
        const auto result = satisfies(constraints, Name{}, names);
        ASSERT_FALSE(result);
        EXPECT_THAT(result.error().detail, HasSubstr("evil.org"));
    }
}

TEST(NameConstraints, RefuseWhatRfc5280Refuses) {
    for (const auto* bad : {
             "",                              // nothing
             "3000",                          // neither list
             "3002a000",                      // empty list
             "3007a0053003820161" "00",       // octets left over
             "300aa0083006820161800101",      // minimum 1
             "300aa0083006820161810101",      // maximum
             "300aa00830068704c0000201",      // address without mask
             "3007a10530038201" "61a000",     // order of the lists
         })
        EXPECT_FALSE(parse_name_constraints(hex(bad))) << bad;
    EXPECT_TRUE(parse_name_constraints(hex("3007a1053003820161")));
    EXPECT_TRUE(make_name_constraints({}).critical);
}

}  // namespace
}  // namespace estuary::x509
