// The CRL lint: good lists pass, and every rule of the table has a spoilt list that makes it, and no other, speak.
#include "estuary/x509/lint_crl.h"

#include <set>

#include "crl_support.h"

namespace estuary::x509 {
namespace {

using test::at;
using test::CrlDraft;
using test::load_list;
using test::rules_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Extension reason(std::string_view hex, bool critical = false) { return {oid::crl_reason, critical, test::hex(hex)}; }
Extension scope_of(std::string_view hex, bool critical = true) {
    return {oid::issuing_distribution_point, critical, test::hex(hex)};
}
Extension issued_by(std::string_view name, bool critical = true) {
    return {oid::certificate_issuer, critical, write_general_names({test::general_name(name)})};
}
Extension critical(Extension extension, bool value = true) {
    extension.critical = value;
    return extension;
}
ByteVec generalized(std::string_view text) { return test::tlv(der::Tag::generalized_time, as_bytes(text)); }
ByteVec entry_of_date(ByteVec date) { return test::sequence({test::hex("020105"), std::move(date)}); }

/// A delta CRL, its number 5.
CrlDraft& as_delta(CrlDraft& draft) { return draft.set(make_delta_crl_indicator(CrlNumber{4})); }

struct SpoiltList {
    std::string_view rule;
    void (*spoil)(CrlDraft&);
};
const std::vector<SpoiltList> cases{
    {"rfc5280_5_1_structure", [](CrlDraft& d) { d.this_update = test::hex("0500"); }},
    {"rfc5280_5_1_structure", [](CrlDraft& d) { d.crl_extensions.push_back(make_crl_number(CrlNumber{5})); }},
    {"rfc5280_5_1_structure", [](CrlDraft& d) { d.set_entries({test::sequence({test::hex("020105")})}); }},
    {"rfc5280_5_1_structure",
     [](CrlDraft& d) {
         d.set_entries({CrlDraft::entry("05", {reason("0a0101"), reason("0a0101")})});
     }},
    {"rfc5280_5_1_structure", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("05", {reason("020101")})}); }},
    {"rfc5280_5_1_2_1_version_2", [](CrlDraft& d) { d.version.clear(); }},
    {"rfc5280_5_1_2_1_version_2", [](CrlDraft& d) { d.version = test::hex("020102"); }},
    {"rfc5280_5_1_2_3_issuer_name", [](CrlDraft& d) { d.issuer = to_vec(test::name("CN=Issuer").der()); }},
    {"rfc5280_5_1_2_4_time_kind", [](CrlDraft& d) { d.this_update = generalized("20260601000000Z"); }},
    {"rfc5280_5_1_2_4_time_kind", [](CrlDraft& d) { d.next_update = generalized("20491231235959Z"); }},
    {"rfc5280_5_1_2_5_next_update_present", [](CrlDraft& d) { d.next_update.clear(); }},
    {"rfc5280_5_1_2_5_next_update_later", [](CrlDraft& d) { d.next_update = d.this_update; }},
    {"rfc5280_6_3_3_next_update_within_issuers", [](CrlDraft& d) { d.next_update = test::time_of("2060-01-02"); }},
    {"rfc5280_5_1_2_6_revoked_not_empty", [](CrlDraft& d) { d.revoked = test::hex("3000"); }},
    {"rfc5280_5_2_no_other_critical",
     [](CrlDraft& d) {
         d.set({der::Oid{"1.2.3"}, true, test::hex("0500")});
     }},
    {"rfc5280_5_2_1_aki_present", [](CrlDraft& d) { d.remove(oid::authority_key_identifier); }},
    {"rfc5280_5_2_1_aki_present",
     [](CrlDraft& d) {
         d.set({oid::authority_key_identifier, false, test::hex("3000")});
     }},
    {"rfc5280_5_2_1_aki_is_issuers_ski", [](CrlDraft& d) { d.set(make_authority_key_identifier(test::hex("0102"))); }},
    {"rfc5280_5_2_2_issuer_alt_name_syntax",
     [](CrlDraft& d) {
         d.set({oid::issuer_alt_name, false, test::hex("3000")});
     }},
    {"rfc5280_5_2_3_number_present", [](CrlDraft& d) { d.remove(oid::crl_number); }},
    {"rfc5280_5_2_3_number_range",
     [](CrlDraft& d) {
         d.set({oid::crl_number, false, test::hex("0201ff")});
     }},
    {"rfc5280_5_2_3_number_range",
     [](CrlDraft& d) {
         d.set({oid::crl_number, false, test::hex("02157f0102030405060708090a0b0c0d0e0f1011121314")});
     }},
    {"rfc5280_5_2_4_delta_critical", [](CrlDraft& d) { d.set(critical(make_delta_crl_indicator(CrlNumber{4}), false)); }},
    {"rfc5280_5_2_4_base_below_number", [](CrlDraft& d) { d.set(make_delta_crl_indicator(CrlNumber{5})); }},
    {"rfc5280_5_2_5_scope_syntax", [](CrlDraft& d) { d.set(scope_of("3003810100")); }},
    {"rfc5280_5_2_5_scope_syntax", [](CrlDraft& d) { d.set(scope_of("30068101ff8201ff")); }},
    {"rfc5280_5_2_5_scope_critical", [](CrlDraft& d) { d.set(scope_of("30038101ff", false)); }},
    {"rfc5280_5_2_5_scope_not_empty", [](CrlDraft& d) { d.set(scope_of("3000")); }},
    {"rfc5280_5_2_5_no_attribute_certificates", [](CrlDraft& d) { d.set(scope_of("30038501ff")); }},
    {"rfc5280_5_2_5_reason_in_scope",
     [](CrlDraft& d) { d.set(scope_of("300483020560")).set_entries({CrlDraft::entry("05", {reason("0a0104")})}); }},
    {"rfc5280_5_2_6_freshest_names_only",
     [](CrlDraft& d) {
         d.set({oid::freshest_crl, false, test::hex("3000")});
     }},
    {"rfc5280_5_2_6_freshest_names_only",
     [](CrlDraft& d) {
         d.set({oid::freshest_crl, false, test::hex("300f300da007a0058603613a6281020560")});  // uri:a:b, reasons
     }},
    {"rfc5280_5_2_6_freshest_not_in_delta", [](CrlDraft& d) { as_delta(d).set(make_freshest_crl({"http://a"})); }},
    {"rfc5280_5_2_7_access_ca_issuers_only", [](CrlDraft& d) { d.set(make_authority_info_access({"http://a"}, {"http://b"})); }},
    {"rfc5280_5_2_7_access_ca_issuers_only",
     [](CrlDraft& d) {
         d.set({oid::authority_info_access, false, test::hex("3000")});
     }},
    {"rfc5280_5_1_2_6_serial_number", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("00")}); }},
    {"rfc5280_5_1_2_6_serial_number", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("ff")}); }},
    {"rfc5280_5_1_2_6_serial_number",
     [](CrlDraft& d) { d.set_entries({CrlDraft::entry("7f0102030405060708090a0b0c0d0e0f1011121314")}); }},
    {"rfc5280_5_1_2_6_listed_once",
     [](CrlDraft& d) {
         d.set_entries({CrlDraft::entry("05"), CrlDraft::entry("05")});
     }},
    {"rfc5280_5_1_2_6_listed_once",
     [](CrlDraft& d) {
         d.set_entries({CrlDraft::entry("05"), CrlDraft::entry("0400"), CrlDraft::entry("05")});
     }},
    {"rfc5280_5_1_2_6_revocation_date_kind", [](CrlDraft& d) { d.set_entries({entry_of_date(generalized("20260501000000Z"))}); }},
    {"rfc5280_5_3_no_unknown_critical",
     [](CrlDraft& d) {
         d.set_entries({CrlDraft::entry("05", {{der::Oid{"1.2.3"}, true, {}}})});
     }},
    {"rfc5280_5_3_1_reason_not_critical", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("05", {reason("0a0101", true)})}); }},
    {"rfc5280_5_3_1_reason_known", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("05", {reason("0a0107")})}); }},
    {"rfc5280_5_3_1_reason_known", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("05", {reason("0a010b")})}); }},
    {"rfc5280_5_3_1_reason_not_unspecified", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("05", {reason("0a0100")})}); }},
    {"rfc5280_5_3_1_remove_only_in_delta", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("05", {reason("0a0108")})}); }},
    {"rfc5280_5_3_2_invalidity_date_not_critical",
     [](CrlDraft& d) {
         d.set_entries({CrlDraft::entry("05", {{oid::invalidity_date, true, generalized("20260101000000Z")}})});
     }},
    {"rfc5280_5_3_3_certificate_issuer",
     [](CrlDraft& d) { d.set_entries({CrlDraft::entry("05", {issued_by("dirname:CN=a")})}); }},
    {"rfc5280_5_3_3_certificate_issuer",
     [](CrlDraft& d) { d.set(scope_of("30038401ff")).set_entries({CrlDraft::entry("05", {issued_by("dirname:CN=a", false)})}); }},
    {"rfc5280_5_3_3_certificate_issuer",
     [](CrlDraft& d) { d.set(scope_of("30038401ff")).set_entries({CrlDraft::entry("05", {issued_by("dns:a.example")})}); }},
};

/// Every case whose rule begins so: its rule speaks, and it alone.
void check(std::string_view rule_prefix) {
    int count = 0;
    for (const auto& [rule, spoil] : cases) {
        if (!rule.starts_with(rule_prefix)) continue;
        CrlDraft draft;
        spoil(draft);
        EXPECT_THAT(rules_of(lint_crl(draft.tbs(), test::crl_issuer())), ElementsAre(std::string{rule})) << "case " << count;
        ++count;
    }
    EXPECT_GT(count, 0) << rule_prefix;
}

TEST(LintCrl, GoodListsPass) {
    const auto issuer = test::crl_issuer();
    const auto passes = [&](const CrlDraft& draft) { EXPECT_THAT(rules_of(lint_crl(draft.tbs(), issuer)), IsEmpty()); };
    passes(CrlDraft{});
    CrlDraft full;
    full.set(make_freshest_crl({"http://a"})).set(make_authority_info_access({}, {"http://a/ca.der"}));
    full.set({oid::issuer_alt_name, false, write_general_names({test::general_name("dns:ca.example")})});
    full.set(scope_of("30058303076080")).set_entries({CrlDraft::entry("0400", {reason("0a010a")}), CrlDraft::entry("05")});
    passes(full);
    CrlDraft delta;
    as_delta(delta).set_entries({CrlDraft::entry("05", {reason("0a0108")})});
    passes(delta);
    CrlDraft indirect;
    indirect.set(scope_of("30038401ff"));
    indirect.set_entries({CrlDraft::entry("05"), CrlDraft::entry("05", {issued_by("dirname:CN=a")})});
    passes(indirect);
    CrlDraft late;
    late.this_update = test::time_of("2050-01-01"), late.next_update = test::time_of("2060-01-01");
    passes(late);
}

TEST(LintCrl, ListOfOpensslPasses) {
    const auto issuer = test::load("ca", "crl");
    for (const auto* name : {"complete", "delta", "empty"})
        EXPECT_THAT(rules_of(lint_crl(load_list(name).tbs(), issuer)), IsEmpty()) << name;
    EXPECT_THAT(rules_of(lint_crl(load_list("version_1").tbs(), issuer)),
                ElementsAre("rfc5280_5_1_2_1_version_2", "rfc5280_5_2_1_aki_present", "rfc5280_5_2_3_number_present"));
}

TEST(LintCrl, Structure) { check("rfc5280_5_1_structure"); }
TEST(LintCrl, VersionIs2) { check("rfc5280_5_1_2_1"); }
TEST(LintCrl, IssuerIsNamedOctetForOctet) { check("rfc5280_5_1_2_3_issuer_name"); }
TEST(LintCrl, TimesAreOfTheirKind) { check("rfc5280_5_1_2_4"); }
TEST(LintCrl, NextUpdateIsThereAndLater) { check("rfc5280_5_1_2_5"); }
TEST(LintCrl, NextUpdateIsNotPastTheIssuer) { check("rfc5280_6_3_3_next_update_within_issuers"); }
TEST(LintCrl, EmptyRevokedIsAbsent) { check("rfc5280_5_1_2_6_revoked_not_empty"); }
TEST(LintCrl, SerialNumbersArePositiveAndShort) { check("rfc5280_5_1_2_6_serial_number"); }
TEST(LintCrl, SerialNumbersAreListedOnce) { check("rfc5280_5_1_2_6_listed_once"); }
TEST(LintCrl, RevocationDatesAreOfTheirKind) { check("rfc5280_5_1_2_6_revocation_date_kind"); }
TEST(LintCrl, OtherExtensionsAreNotCritical) { check("rfc5280_5_2_no"); }
TEST(LintCrl, AuthorityKeyIdentifierIsTheIssuers) { check("rfc5280_5_2_1"); }
TEST(LintCrl, NumberIsThereAndInRange) { check("rfc5280_5_2_3"); }
TEST(LintCrl, DeltaIndicatorIsCriticalAndBelowTheNumber) { check("rfc5280_5_2_4"); }
TEST(LintCrl, ScopeIsCriticalNotEmptyAndWellFormed) { check("rfc5280_5_2_5"); }
TEST(LintCrl, FreshestCrlHasNamesOnlyAndIsNotInDeltas) { check("rfc5280_5_2_6"); }
TEST(LintCrl, AccessIsToCaIssuersOnly) { check("rfc5280_5_2_7"); }
TEST(LintCrl, EntryExtensionsAreKnownOrNotCritical) { check("rfc5280_5_3_no"); }
TEST(LintCrl, ReasonsAreThoseOfTheRfc) { check("rfc5280_5_3_1"); }
TEST(LintCrl, InvalidityDateIsNotCritical) { check("rfc5280_5_3_2"); }
TEST(LintCrl, CertificateIssuerIsCriticalAndOfIndirectLists) { check("rfc5280_5_3_3"); }

// Known extensions that are critical and must not be: two rules speak, since no reader needs to know them.
TEST(LintCrl, CriticalityOfKnownExtensions) {
    const auto spoken = [](Extension extension) {
        CrlDraft draft;
        draft.set(critical(std::move(extension)));
        return rules_of(lint_crl(draft.tbs(), test::crl_issuer()));
    };
    EXPECT_THAT(spoken(make_authority_key_identifier(test::crl_key_id())),
                ElementsAre("rfc5280_5_2_no_other_critical", "rfc5280_4_2_1_1_aki_not_critical"));
    EXPECT_THAT(spoken(make_crl_number(CrlNumber{5})),
                ElementsAre("rfc5280_5_2_no_other_critical", "rfc5280_5_2_3_number_not_critical"));
    EXPECT_THAT(spoken({oid::issuer_alt_name, false, write_general_names({test::general_name("dns:a.example")})}),
                ElementsAre("rfc5280_5_2_no_other_critical", "rfc5280_5_2_2_issuer_alt_name_not_critical"));
    EXPECT_THAT(spoken(make_freshest_crl({"http://a"})),
                ElementsAre("rfc5280_5_2_no_other_critical", "rfc5280_5_2_6_freshest_not_critical"));
    EXPECT_THAT(spoken(make_authority_info_access({}, {"http://a"})),
                ElementsAre("rfc5280_5_2_no_other_critical", "rfc5280_5_2_7_access_not_critical"));
}

TEST(LintCrl, IssuerIsNotEmpty) {
    const auto nameless = test::unsigned_certificate("", test::hex("01"),
                                                     {make_key_usage(crl_sign), make_subject_key_identifier(test::crl_key_id())});
    CrlDraft draft;
    draft.issuer = to_vec(Name{}.der());
    EXPECT_THAT(rules_of(lint_crl(draft.tbs(), nameless)), ElementsAre("rfc5280_5_1_2_3_issuer_not_empty"));
}

TEST(LintCrl, IssuerMaySignCrls) {
    EXPECT_THAT(rules_of(lint_crl(CrlDraft{}.tbs(), test::crl_issuer(key_cert_sign))),
                ElementsAre("rfc5280_6_3_3_issuer_crl_sign"));
}

TEST(LintCrl, FindingSaysWhichEntry) {
    CrlDraft draft;
    draft.set_entries({CrlDraft::entry("0400"), CrlDraft::entry("0401", {reason("0a0107")})});
    const auto findings = lint_crl(draft.tbs(), test::crl_issuer());
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].message, "RFC 5280 5.3.1: entry of serial number 0401: reasonCode is none of RFC 5280 5.3.1");
}

// Numbers that do not ascend are held against each other by their hashes; none repeats among many.
TEST(LintCrl, ManySerialNumbersInAnyOrder) {
    std::vector<ByteVec> entries;
    for (std::uint64_t i = 20'000; i > 0; --i) entries.push_back(CrlDraft::entry("5f" + to_hex(CrlNumber{i + 0x10000}.octets)));
    CrlDraft draft;
    draft.set_entries(entries);
    EXPECT_THAT(rules_of(lint_crl(draft.tbs(), test::crl_issuer())), IsEmpty());
    entries.push_back(entries[7777]);
    draft.set_entries(entries);
    EXPECT_THAT(rules_of(lint_crl(draft.tbs(), test::crl_issuer())), ElementsAre("rfc5280_5_1_2_6_listed_once"));
}

TEST(LintCrl, EveryRuleHasACase) {
    std::set<std::string_view> tested{
        "rfc5280_4_2_1_1_aki_not_critical",    "rfc5280_5_2_3_number_not_critical", "rfc5280_5_2_2_issuer_alt_name_not_critical",
        "rfc5280_5_2_6_freshest_not_critical", "rfc5280_5_2_7_access_not_critical", "rfc5280_5_1_2_3_issuer_not_empty",
        "rfc5280_6_3_3_issuer_crl_sign"};
    for (const auto& [rule, spoil] : cases) tested.insert(rule);
    const auto names = lint_crl_rule_names();
    EXPECT_EQ(tested, std::set<std::string_view>(names.begin(), names.end()));
    EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
}

}  // namespace
}  // namespace estuary::x509
