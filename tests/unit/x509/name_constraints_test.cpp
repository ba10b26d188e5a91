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

struct Subtrees {
    std::string name, permitted, excluded, subject, san;  ///< empty: none
    bool ok;
};
class Satisfies : public testing::TestWithParam<Subtrees> {};

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
    Subtrees{"itself", "dns:example.com", "", "", "dns:example.com", true},
    Subtrees{"below", "dns:example.com", "", "", "dns:a.b.EXAMPLE.com", true},
    Subtrees{"beside", "dns:example.com", "", "", "dns:badexample.com", false},
    Subtrees{"above", "dns:a.example.com", "", "", "dns:example.com", false},
    Subtrees{"empty_is_all", "dns:", "", "", "dns:a", true},
    Subtrees{"leading_dot_below", "dns:.example.com", "", "", "dns:a.example.com", true},
    Subtrees{"leading_dot_itself", "dns:.example.com", "", "", "dns:example.com", false},
    Subtrees{"wildcard_within", "dns:example.com", "", "", "dns:*.example.com", true},
    Subtrees{"wildcard_wider", "dns:a.example.com", "", "", "dns:*.example.com", false},
    Subtrees{"excluded", "", "dns:bad.example.com", "", "dns:x.bad.example.com", false},
    Subtrees{"excluded_other", "", "dns:bad.example.com", "", "dns:good.example.com", true},
    Subtrees{"excluded_by_wildcard", "", "dns:bad.example.com", "", "dns:*.example.com", false},
    Subtrees{"excluded_deeper_than_wildcard", "", "dns:x.bad.example.com", "", "dns:*.example.com", true},
    Subtrees{"excluded_wins", "dns:example.com", "dns:bad.example.com", "", "dns:bad.example.com", false},
    Subtrees{"excluded_trailing_dot", "", "dns:bad.com", "", "dns:bad.com.", false},
    Subtrees{"all_excluded", "", "dns:", "", "dns:a", false},
    Subtrees{"other_kinds_free", "dns:example.com", "", "CN=anything", "email:a@b.c", true},
    Subtrees{"cn_is_not_looked_at", "dns:example.com", "", "CN=www.other.com", "", true}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Email, Satisfies, testing::Values(
    Subtrees{"host", "email:example.com", "", "", "email:a@Example.com", true},
    Subtrees{"host_not_below", "email:example.com", "", "", "email:a@b.example.com", false},
    Subtrees{"domain_below", "email:.example.com", "", "", "email:a@b.example.com", true},
    Subtrees{"domain_not_itself", "email:.example.com", "", "", "email:a@example.com", false},
    Subtrees{"mailbox", "email:a@example.com", "", "", "email:a@EXAMPLE.com", true},
    Subtrees{"mailbox_local_case", "email:a@example.com", "", "", "email:A@example.com", false},
    Subtrees{"mailbox_other", "email:a@example.com", "", "", "email:b@example.com", false},
    Subtrees{"excluded_host", "", "email:example.com", "", "email:a@example.com", false},
    Subtrees{"excluded_trailing_dot", "", "email:bad.com", "", "email:a@bad.com.", false},
    Subtrees{"two_ats", "email:good.com", "", "", "email:a@bad.com@good.com", false},
    Subtrees{"subject_address", "email:example.com", "", "emailAddress=a@other.com", "", false},
    Subtrees{"subject_address_ok", "email:example.com", "", "emailAddress=a@example.com", "", true},
    Subtrees{"subject_address_excluded_beside_san", "", "email:bad.com", "emailAddress=a@bad.com", "dns:x", false}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Address, Satisfies, testing::Values(
    Subtrees{"within", "net:c0000200ffffff00", "", "", "ip:192.0.2.77", true},
    Subtrees{"outside", "net:c0000200ffffff00", "", "", "ip:192.0.3.77", false},
    Subtrees{"excluded", "", "net:c0000200ffffff00", "", "ip:192.0.2.77", false},
    Subtrees{"six_when_only_four", "net:c0000200ffffff00", "", "", "ip:2001:db8::1", false},
    Subtrees{"six_not_in_excluded_four", "", "net:00000000" "00000000", "", "ip:2001:db8::1", true},
    Subtrees{"six", "net:20010db8000000000000000000000000ffffffff000000000000000000000000", "", "", "ip:2001:db8::1", true},
    Subtrees{"everything_excluded", "", "net:0000000000000000", "", "ip:192.0.2.1", false}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Uri, Satisfies, testing::Values(
    Subtrees{"host", "uri:host.example.com", "", "", "uri:https://Host.Example.com:8443/x", true},
    Subtrees{"host_not_below", "uri:example.com", "", "", "uri:https://a.example.com/", false},
    Subtrees{"domain", "uri:.example.com", "", "", "uri:https://a.b.example.com/", true},
    Subtrees{"domain_not_itself", "uri:.example.com", "", "", "uri:https://example.com/", false},
    Subtrees{"user_does_not_fool", "uri:.example.com", "", "", "uri:https://a.example.com@evil.com/", false},
    Subtrees{"path_does_not_fool", "uri:.example.com", "", "", "uri:https://evil.com/a.example.com", false},
    Subtrees{"excluded", "", "uri:bad.com", "", "uri:https://bad.com/", false},
    Subtrees{"urn_cannot_be_checked", "", "uri:bad.com", "", "uri:urn:dev:1", false},
    Subtrees{"address_cannot_be_checked", "", "uri:bad.com", "", "uri:https://192.0.2.1/", false},
    Subtrees{"ipv6_cannot_be_checked", "", "uri:bad.com", "", "uri:https://[::1]/", false}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Directory, Satisfies, testing::Values(
    Subtrees{"below", "dirname:O=Example,C=DE", "", "CN=a,OU=b,O=EXAMPLE,C=DE", "", true},
    Subtrees{"itself", "dirname:O=Example,C=DE", "", "O=Example,C=DE", "", true},
    Subtrees{"beside", "dirname:O=Example,C=DE", "", "CN=a,O=Other,C=DE", "", false},
    Subtrees{"above", "dirname:O=Example,C=DE", "", "C=DE", "", false},
    Subtrees{"empty_subject", "dirname:O=Example,C=DE", "", "", "", true},
    Subtrees{"excluded", "", "dirname:O=Example", "CN=a,O=Example", "", false},
    Subtrees{"in_san", "dirname:O=Example", "", "", "dirname:O=Other", false}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(OtherForms, Satisfies, testing::Values(
    Subtrees{"registered_id_constrained", "rid:1.2.3", "", "", "rid:1.2.3", false},
    Subtrees{"registered_id_free", "dns:a", "", "", "rid:1.2.3", true},
    Subtrees{"other_name_constrained", "", "upn:a@b", "", "upn:c@d", false}), [](const auto& test) { return test.param.name; });

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
