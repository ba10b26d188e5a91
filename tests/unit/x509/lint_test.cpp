// The lint: good certificates pass, and every rule of the table has a spoilt certificate that makes it speak.
#include <functional>
#include <set>

#include "estuary/x509/certificate.h"
#include "support.h"

namespace estuary::x509 {
namespace {

using der::Tag;
using test::load;
using test::rules_of;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

/// A TBSCertificate in parts, any of which can be spoilt.
struct Draft {
    ByteVec version = test::hex("a003020102");
    ByteVec serial = test::hex("02107f000000000000000000000000000001");
    ByteVec algorithm = test::hex("300a06082a8648ce3d040302");  // ecdsa-with-SHA256
    ByteVec issuer = to_vec(test::name("C=XX,CN=issuer").der());
    ByteVec not_before = time("2026-01-01T00:00:00Z");
    ByteVec not_after = time("2027-01-01T00:00:00Z");
    ByteVec subject = to_vec(test::name("CN=device,O=Example").der());
    ByteVec spki = ec_key();
    ByteVec unique_ids;
    std::vector<Extension> extensions;

    static ByteVec ec_key() { return to_vec(load("device").spki()); }
    static ByteVec time(std::string_view text) {
        der::Writer writer;
        writer.time(parse_iso8601(text).value());
        return std::move(writer).take();
    }

    ByteVec encode() const {
        der::Writer writer;
        writer.sequence([&] {
            writer.raw(version).raw(serial).raw(algorithm).raw(issuer);
            writer.sequence([&] { writer.raw(not_before).raw(not_after); });
            writer.raw(subject).raw(spki).raw(unique_ids);
            if (!extensions.empty())
                writer.constructed(der::context_constructed(3), [&] { write_extensions(writer, extensions); });
        });
        return std::move(writer).take();
    }

    /// In the place of the extension of that kind, or at the end.
    void set(Extension extension) {
        remove(extension.id);
        extensions.push_back(std::move(extension));
    }
    void remove(const der::Oid& id) {
        std::erase_if(extensions, [&](const Extension& extension) { return extension.id == id; });
    }
    void set_value(const der::Oid& id, std::string_view hex, bool critical = false) { set({id, critical, test::hex(hex)}); }
    void flip_critical(const der::Oid& id) {
        for (auto& extension : extensions)
            if (extension.id == id) extension.critical = !extension.critical;
    }
};

const ByteVec issuer_key_id = test::hex("00112233445566778899aabbccddeeff00112233");
const ByteVec own_key_id = test::hex("ffeeddccbbaa99887766554433221100ffeeddcc");

Draft end_entity() {
    Draft draft;
    draft.extensions = {make_basic_constraints({}),
                        make_key_usage(digital_signature),
                        make_ext_key_usage({oid::kp_client_auth, oid::kp_cmc_ra}),
                        make_subject_alt_name({test::general_name("dns:device.example.com"), test::general_name("ip:192.0.2.1"),
                                               test::general_name("email:a@example.com")},
                                              false),
                        make_authority_key_identifier(issuer_key_id),
                        make_subject_key_identifier(own_key_id),
                        make_certificate_policies({der::Oid{"1.3.6.1.4.1.99999.1"}, der::Oid{"1.3.6.1.4.1.99999.2"}},
                                                  "https://pki.example.com/cps"),
                        make_crl_distribution_points({"http://pki.example.com/ca.crl"}),
                        make_authority_info_access({"http://pki.example.com/ocsp"}, {"http://pki.example.com/ca.der"})};
    return draft;
}

Draft subordinate() {
    Draft draft;
    draft.subject = to_vec(test::name("CN=subordinate").der());
    draft.extensions = {make_basic_constraints({.ca = true, .path_length = 1}), make_key_usage(key_cert_sign | crl_sign),
                        make_authority_key_identifier(issuer_key_id), make_subject_key_identifier(own_key_id),
                        make_name_constraints({.permitted = {test::general_name("dns:example.com")}, .excluded = {}})};
    draft.set_value(oid::policy_constraints, "3003800100", true);
    draft.set_value(oid::inhibit_any_policy, "020100", true);
    draft.set_value(oid::policy_mappings, "3018301606092b06010401868d1f0106092b06010401868d1f02", true);
    return draft;
}

Draft self_signed() {
    Draft draft;
    draft.subject = draft.issuer;
    draft.not_after = Draft::time("2050-01-01T00:00:00Z");
    draft.extensions = {make_basic_constraints({.ca = true, .path_length = 2}), make_key_usage(key_cert_sign | crl_sign),
                        make_subject_key_identifier(issuer_key_id)};
    return draft;
}

/// The draft as a certificate, with a signature that nobody checks.
Certificate certificate(const Draft& draft) {
    return Certificate::parse(encode_certificate(draft.encode(), draft.algorithm, test::hex("00"))).value();
}

std::string shown(const std::vector<LintFinding>& findings) {
    std::string text;
    for (const auto& finding : findings) text += finding.rule + ": " + finding.message + "\n";
    return text;
}

TEST(LintGood, Drafts) {
    const auto issuer = certificate(self_signed());
    EXPECT_EQ(shown(lint_tbs(end_entity().encode(), &issuer)), "");
    EXPECT_EQ(shown(lint_tbs(subordinate().encode(), &issuer)), "");
    EXPECT_EQ(shown(lint_tbs(self_signed().encode(), nullptr)), "");
}

TEST(LintGood, MadeByOpenssl) {
    const auto root = load("root"), issuing = load("issuing");
    EXPECT_EQ(shown(lint_tbs(root.tbs(), nullptr)), "");
    EXPECT_EQ(shown(lint_tbs(issuing.tbs(), &root)), "");
    EXPECT_EQ(shown(lint_tbs(load("ed25519").tbs(), nullptr)), "");
    for (const auto* name : {"device", "rsa", "nameless"}) EXPECT_EQ(shown(lint_tbs(load(name).tbs(), &issuing)), "") << name;
}

TEST(LintBad, MadeByOpenssl) {
    const auto issuing = load("issuing");
    EXPECT_THAT(rules_of(lint_tbs(load("serial_zero").tbs(), &issuing)), ElementsAre("rfc5280_4_1_2_2_serial_positive"));
    EXPECT_THAT(rules_of(lint_tbs(load("serial_20").tbs(), &issuing)), ElementsAre("rfc5280_4_1_2_2_serial_20_octets"));
    EXPECT_THAT(rules_of(lint_tbs(load("sha1").tbs(), &issuing)), ElementsAre("rfc6194_3_signature_digest"));
    EXPECT_THAT(rules_of(lint_tbs(load("odd").tbs(), &issuing)), ElementsAre("rfc5280_4_2_no_unknown_critical"));
    EXPECT_THAT(rules_of(lint_tbs(load("outside").tbs(), &issuing)), ElementsAre("rfc5280_6_1_3_name_constraints"));
    EXPECT_THAT(rules_of(lint_tbs(load("version_1").tbs(), nullptr)), ElementsAre("rfc5280_4_1_2_1_version_v3"));
}

TEST(LintBad, NotEvenATbs) {
    const auto good = end_entity().encode();
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_THAT(rules_of(lint_tbs(Bytes{good}.first(size), nullptr)), ElementsAre("rfc5280_4_1_structure")) << size;
    auto draft = end_entity();
    draft.subject = test::hex("30023100");  // an RDN without attributes
    EXPECT_THAT(rules_of(lint_tbs(draft.encode(), nullptr)), ElementsAre("rfc5280_4_1_structure"));
}

// Each case spoils one thing. `certificate` is what is linted, below a good issuer; `issuer` is spoilt instead where given.
using Spoil = std::function<void(Draft&)>;
struct RuleCase {
    std::string rule;
    std::string what;
    Draft (*base)() = end_entity;
    Spoil spoil = {};
    Spoil spoil_issuer = {};
};

std::vector<std::string> findings_of(const RuleCase& test) {
    auto draft = test.base();
    if (test.spoil) test.spoil(draft);
    if (test.base == self_signed) return rules_of(lint_tbs(draft.encode(), nullptr));
    auto issuer = self_signed();
    if (test.spoil_issuer) test.spoil_issuer(issuer);
    const auto issuing = certificate(issuer);
    return rules_of(lint_tbs(draft.encode(), &issuing));
}

/// A key of `octets` zero octets, and the usages it shall be for.
Spoil key(std::string_view oid, std::size_t octets, std::uint32_t usage) {
    return [=](Draft& draft) {
        der::Writer writer;
        writer.sequence([&] {
            writer.sequence([&] { writer.oid(der::Oid{oid}); });
            writer.bit_string(ByteVec(octets));
        });
        draft.spki = std::move(writer).take();
        draft.set(make_key_usage(usage));
    };
}

Spoil usage(std::uint32_t bits) {
    return [=](Draft& draft) { draft.set(make_key_usage(bits)); };
}
Spoil rsa_usage(std::uint32_t bits) {
    return [=](Draft& draft) {
        draft.spki = to_vec(load("rsa").spki());
        draft.set(make_key_usage(bits));
    };
}
Spoil value(const der::Oid& id, std::string_view hex, bool critical = false) {
    return [=, text = std::string{hex}](Draft& draft) { draft.set_value(id, text, critical); };
}
Spoil flip(const der::Oid& id) {
    return [=](Draft& draft) { draft.flip_critical(id); };
}
Spoil without(const der::Oid& id) {
    return [=](Draft& draft) { draft.remove(id); };
}
Spoil subject(const der::Oid& type, Tag tag, std::string_view text) {
    return [=, octets = test::octets(text)](Draft& draft) { draft.subject = test::one_attribute(type, tag, octets); };
}
template <class Field>
Spoil part(Field Draft::* field, std::string_view hex) {
    return [=, octets = test::hex(hex)](Draft& draft) { draft.*field = octets; };
}
Spoil span(std::string_view from, std::string_view to) {
    return [=, first = std::string{from}, last = std::string{to}](Draft& draft) {
        draft.not_before = Draft::time(first);
        draft.not_after = Draft::time(last);
    };
}
Spoil issuer_constraints(const NameConstraints& constraints) {
    return [=](Draft& draft) { draft.set(make_name_constraints(constraints)); };
}

const der::Oid directory_attributes{"2.5.29.9"};
const der::Oid poison{"1.3.6.1.4.1.11129.2.4.3"};
const der::Oid timestamps{"1.3.6.1.4.1.11129.2.4.2"};
/// GeneralNames of one "http://a"; a distribution point list of it.
constexpr std::string_view some_uri = "300a8608687474703a2f2f61";
constexpr std::string_view some_point = "3010300ea00ca00a8608687474703a2f2f61";
constexpr std::string_view sia = "3016301406082b060105050730058608687474703a2f2f61";

std::vector<RuleCase> field_cases() {
    return {
        {"rfc5280_4_1_structure", "no_tbs", end_entity, part(&Draft::spki, "0500")},
        {"rfc5280_4_1_2_1_version_v3", "v2", end_entity, part(&Draft::version, "a003020101")},
        {"rfc5280_4_1_2_1_version_v3", "v1", end_entity, part(&Draft::version, "")},
        {"rfc5280_4_1_2_1_version_v3", "v4", end_entity, part(&Draft::version, "a003020103")},
        {"rfc5280_4_1_2_2_serial_positive", "zero", end_entity, part(&Draft::serial, "020100")},
        {"rfc5280_4_1_2_2_serial_positive", "negative", end_entity, part(&Draft::serial, "0201ff")},
        {"rfc5280_4_1_2_2_serial_20_octets", "of_21", end_entity,
         part(&Draft::serial, "0215010000000000000000000000000000000000000000")},
        {"rfc5280_4_1_2_4_issuer_not_empty", "empty", end_entity, part(&Draft::issuer, "3000")},
        {"rfc5280_4_1_2_5_time_syntax", "no_seconds", end_entity, part(&Draft::not_before, "170b323630313031303030305a")},
        {"rfc5280_4_1_2_5_time_syntax", "fraction", end_entity,
         part(&Draft::not_after, "181132303530303130313030303030302e355a")},
        // bug class 21
        {"rfc5280_4_1_2_5_time_kind", "generalized_in_2049", end_entity,
         part(&Draft::not_after, "180f32303439313233313233353935395a")},
        {"rfc5280_4_1_2_5_time_kind", "generalized_start", end_entity,
         part(&Draft::not_before, "180f32303236303130313030303030305a")},
        {"rfc5280_4_1_2_5_time_order", "reversed", end_entity, span("2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z")},
        {"rfc5280_4_1_2_8_no_unique_ids", "issuers", end_entity, part(&Draft::unique_ids, "81020001")},
        {"rfc5280_4_1_2_8_no_unique_ids", "subjects", end_entity, part(&Draft::unique_ids, "82020001")},
    };
}

std::vector<RuleCase> name_cases() {
    return {
        {"rfc5280_4_1_2_6_ca_subject_not_empty", "ca", subordinate, part(&Draft::subject, "3000")},
        {"rfc5280_4_1_2_6_subject_syntax", "set_out_of_order", end_entity,
         part(&Draft::subject, "30183116300906035504030c026263300906035504030c026162")},
        {"rfc5280_4_1_2_4_string_type", "teletex", end_entity, subject(oid::common_name, Tag::teletex_string, "x")},
        {"rfc5280_4_1_2_4_string_type", "bmp", end_entity,
         subject(oid::common_name, Tag::bmp_string, std::string_view{"\0x", 2})},
        {"rfc5280_4_1_2_4_string_type", "serial_utf8", end_entity, subject(oid::serial_number, Tag::utf8_string, "4711")},
        {"rfc5280_4_1_2_4_string_type", "domain_utf8", end_entity, subject(oid::domain_component, Tag::utf8_string, "org")},
        {"rfc5280_4_1_2_4_string_type", "country_utf8", end_entity, subject(oid::country_name, Tag::utf8_string, "XX")},
        {"rfc5280_4_1_2_4_string_content", "no_utf8", end_entity, subject(oid::common_name, Tag::utf8_string, "\xff\xfe")},
        {"rfc5280_4_1_2_4_string_content", "asterisk_in_printable", end_entity,
         subject(oid::common_name, Tag::printable_string, "a*b")},
        // bug class 13
        {"rfc5280_4_1_2_4_string_content", "control", end_entity, subject(oid::common_name, Tag::utf8_string, "a\nb")},
        {"rfc5280_4_1_2_4_string_content", "nul", end_entity,
         subject(oid::common_name, Tag::utf8_string, std::string_view{"a\0b", 3})},
        {"rfc5280_a_1_attribute_size", "name_of_65", end_entity,
         subject(oid::common_name, Tag::utf8_string, std::string(65, 'x'))},
        {"rfc5280_a_1_attribute_size", "empty", end_entity, subject(oid::organization_name, Tag::utf8_string, "")},
        {"rfc5280_a_1_country_two_letters", "digits", end_entity, subject(oid::country_name, Tag::printable_string, "49")},
        {"rfc5280_a_1_country_two_letters", "three", end_entity, subject(oid::country_name, Tag::printable_string, "DEU")},
    };
}

constexpr std::string_view rsa_key_oid = "1.2.840.113549.1.1.1";

// bug class 33: what keys of each kind must not be certified for
std::vector<RuleCase> key_cases() {
    return {
        {"rfc5280_4_1_1_2_signature_algorithm", "ecdsa_with_null", end_entity,
         part(&Draft::algorithm, "300c06082a8648ce3d0403020500")},
        {"rfc5280_4_1_1_2_signature_algorithm", "unknown", end_entity, part(&Draft::algorithm, "300506032a0304")},
        {"rfc5280_4_1_1_2_signature_algorithm", "pss_without_parameters", end_entity,
         part(&Draft::algorithm, "300b06092a864886f70d01010a")},
        {"rfc6194_3_signature_digest", "ecdsa_with_sha1", end_entity, part(&Draft::algorithm, "300906072a8648ce3d0401")},
        {"rfc5280_6_1_3_signature_suits_issuer_key", "rsa_by_ec", end_entity,
         part(&Draft::algorithm, "300d06092a864886f70d01010b0500")},
        {"rfc5280_6_1_3_signature_suits_issuer_key", "ecdsa_by_ed25519", self_signed,
         [](Draft& draft) { draft.spki = to_vec(load("ed25519").spki()); }},
        {"rfc5280_4_1_2_7_public_key", "rsa_without_null", end_entity, key(rsa_key_oid, 32, digital_signature)},
        {"rfc5280_4_1_2_7_public_key", "ed25519_of_31", end_entity, key("1.3.101.112", 31, digital_signature)},
        {"rfc5280_4_1_2_7_public_key", "unknown", end_entity, key("1.2.3.4", 32, digital_signature)},
        {"rfc5280_4_1_2_7_public_key", "ec_explicit", end_entity,
         part(&Draft::spki, "3013300b06072a8648ce3d02013000030400040102")},
        {"rfc5280_4_1_2_7_public_key", "ec_infinity", end_entity,
         part(&Draft::spki, "3019301306072a8648ce3d020106082a8648ce3d03010703020000")},
        {"rfc3279_2_3_1_rsa_key_usage", "agreement", end_entity, rsa_usage(digital_signature | key_agreement)},
        {"rfc4055_1_2_rsa_pss_key_usage", "encipherment", end_entity,
         [](Draft& draft) { key("1.2.840.113549.1.1.10", 0, key_encipherment)(draft); }},
        {"rfc5480_3_ec_key_usage", "key_encipherment", end_entity, usage(digital_signature | key_encipherment)},
        {"rfc5480_3_ec_key_usage", "data_encipherment", end_entity, usage(data_encipherment)},
        {"rfc8410_5_x25519_x448_key_usage", "signs", end_entity, key("1.3.101.110", 32, key_agreement | digital_signature)},
        {"rfc8410_5_x25519_x448_key_usage", "x448_enciphers", end_entity, key("1.3.101.111", 56, key_encipherment)},
        {"rfc8410_5_ed25519_ed448_key_usage", "agrees", end_entity, key("1.3.101.112", 32, digital_signature | key_agreement)},
        {"rfc8410_5_ed25519_ed448_key_usage", "ed448_enciphers", end_entity, key("1.3.101.113", 57, key_encipherment)},
        {"rfc9881_5_ml_dsa_key_usage", "agrees", end_entity,
         key("2.16.840.1.101.3.4.3.17", 1312, digital_signature | key_agreement)},
        {"rfc9881_5_ml_dsa_key_usage", "enciphers", end_entity, key("2.16.840.1.101.3.4.3.18", 1952, key_encipherment)},
        {"rfc9909_6_slh_dsa_key_usage", "enciphers", end_entity,
         key("2.16.840.1.101.3.4.3.20", 32, digital_signature | data_encipherment)},
        {"rfc9935_5_ml_kem_key_usage", "signs", end_entity, key("2.16.840.1.101.3.4.4.2", 1184, digital_signature)},
        {"rfc9935_5_ml_kem_key_usage", "both", end_entity,
         key("2.16.840.1.101.3.4.4.1", 800, key_encipherment | digital_signature)},
    };
}

std::vector<RuleCase> extension_cases() {
    return {
        {"rfc5280_4_2_extension_once", "twice", end_entity,
         [](Draft& draft) { draft.extensions.push_back(draft.extensions.back()); }},
        {"rfc5280_4_2_no_unknown_critical", "private", end_entity, value(der::Oid{"1.3.6.1.4.1.99999.7"}, "0500", true)},
        {"rfc5280_4_2_1_1_aki_syntax", "no_sequence", end_entity, value(oid::authority_key_identifier, "0400")},
        {"rfc5280_4_2_1_1_aki_not_critical", "critical", end_entity, flip(oid::authority_key_identifier)},
        {"rfc5280_4_2_1_2_ski_syntax", "empty", end_entity, value(oid::subject_key_identifier, "0400")},
        {"rfc5280_4_2_1_2_ski_not_critical", "critical", end_entity, flip(oid::subject_key_identifier)},
        {"rfc5280_4_2_1_3_key_usage_syntax", "no_bit", end_entity, value(oid::key_usage, "030100", true)},
        {"rfc5280_4_2_1_3_key_usage_syntax", "trailing_zero_bits", end_entity, value(oid::key_usage, "03020080", true)},
        {"rfc5280_4_2_1_3_key_usage_critical", "not", end_entity, flip(oid::key_usage)},
        {"rfc5280_4_2_1_4_policies_syntax", "empty", end_entity, value(oid::certificate_policies, "3000")},
        {"rfc5280_4_2_1_4_policies_syntax", "no_qualifiers", end_entity,
         value(oid::certificate_policies, "3009300706032a03043000")},
        {"rfc5280_4_2_1_4_policies_once", "twice", end_entity,
         value(oid::certificate_policies, "300e300506032a0304300506032a0304")},
        {"rfc5280_4_2_1_5_policy_mappings_syntax", "any_policy", subordinate,
         value(oid::policy_mappings, "300d300b0604551d200006032a0304", true)},
        {"rfc5280_4_2_1_5_policy_mappings_critical", "not", subordinate, flip(oid::policy_mappings)},
        // bug classes 13 and 15
        {"rfc5280_4_2_1_6_san_syntax", "empty", end_entity, value(oid::subject_alt_name, "3000")},
        {"rfc5280_4_2_1_6_san_syntax", "nul_in_dns", end_entity, value(oid::subject_alt_name, "30058203610062")},
        {"rfc5280_4_2_1_6_san_syntax", "address_in_dns", end_entity, value(oid::subject_alt_name, "30098207312e322e332e34")},
        {"rfc5280_4_2_1_6_san_syntax", "address_of_5", end_entity, value(oid::subject_alt_name, "300787050102030405")},
        {"rfc5280_4_2_1_6_san_syntax", "blank", end_entity, value(oid::subject_alt_name, "3003820120")},
        {"rfc5280_4_1_2_6_empty_subject_san_critical", "not_critical", end_entity, part(&Draft::subject, "3000")},
        {"rfc5280_4_1_2_6_empty_subject_san_critical", "no_names", end_entity,
         [](Draft& draft) {
             draft.subject = test::hex("3000");
             draft.remove(oid::subject_alt_name);
         }},
        {"rfc5280_4_2_1_6_san_not_critical", "beside_a_subject", end_entity, flip(oid::subject_alt_name)},
        {"rfc5280_4_2_1_7_ian_syntax", "empty", end_entity, value(oid::issuer_alt_name, "3000")},
        {"rfc5280_4_2_1_7_ian_not_critical", "critical", end_entity, value(oid::issuer_alt_name, some_uri, true)},
        {"rfc5280_4_2_1_8_directory_attributes_syntax", "no_values", end_entity,
         value(directory_attributes, "3009300706032a03043100")},
        {"rfc5280_4_2_1_8_directory_attributes_not_critical", "critical", end_entity,
         value(directory_attributes, "300b300906032a030431020500", true)},
        {"rfc5280_4_2_1_9_basic_constraints_syntax", "path_length_without_ca", end_entity,
         value(oid::basic_constraints, "3003020100")},
        {"rfc5280_4_2_1_9_basic_constraints_syntax", "negative", subordinate,
         value(oid::basic_constraints, "30060101ff0201ff", true)},
        {"rfc5280_4_2_1_10_name_constraints_syntax", "empty", subordinate, value(oid::name_constraints, "3000", true)},
        {"rfc5280_4_2_1_10_name_constraints_critical", "not", subordinate, flip(oid::name_constraints)},
        {"rfc5280_4_2_1_11_policy_constraints_syntax", "empty", subordinate, value(oid::policy_constraints, "3000", true)},
        {"rfc5280_4_2_1_11_policy_constraints_critical", "not", subordinate, flip(oid::policy_constraints)},
        {"rfc5280_4_2_1_12_ext_key_usage_syntax", "empty", end_entity, value(oid::ext_key_usage, "3000")},
        {"rfc5280_4_2_1_12_any_purpose_not_critical", "critical", end_entity,
         [](Draft& draft) { draft.set(make_ext_key_usage({oid::any_extended_key_usage}, true)); }},
        {"rfc5280_4_2_1_12_purposes_once", "twice", end_entity,
         [](Draft& draft) { draft.set(make_ext_key_usage({oid::kp_client_auth, oid::kp_client_auth})); }},
        {"rfc5280_4_2_1_13_crl_points_syntax", "empty", end_entity, value(oid::crl_distribution_points, "3000")},
        {"rfc5280_4_2_1_13_crl_points_syntax", "only_reasons", end_entity,
         value(oid::crl_distribution_points, "3006300481020102")},
        {"rfc5280_4_2_1_13_crl_points_syntax", "no_uri", end_entity,
         value(oid::crl_distribution_points, "300b3009a007a0058603612062")},
        {"rfc5280_4_2_1_13_crl_points_not_critical", "critical", end_entity, flip(oid::crl_distribution_points)},
        {"rfc5280_4_2_1_14_inhibit_any_policy_syntax", "negative", subordinate, value(oid::inhibit_any_policy, "0201ff", true)},
        {"rfc5280_4_2_1_14_inhibit_any_policy_critical", "not", subordinate, flip(oid::inhibit_any_policy)},
        {"rfc5280_4_2_1_15_freshest_crl_syntax", "empty", end_entity, value(oid::freshest_crl, "3000")},
        {"rfc5280_4_2_1_15_freshest_crl_not_critical", "critical", end_entity, value(oid::freshest_crl, some_point, true)},
        {"rfc5280_4_2_2_1_aia_syntax", "empty", end_entity, value(oid::authority_info_access, "3000")},
        {"rfc5280_4_2_2_1_aia_syntax", "strange_method", end_entity,
         value(oid::authority_info_access, "3011300f06032a03048608687474703a2f2f61")},
        {"rfc5280_4_2_2_1_aia_not_critical", "critical", end_entity, flip(oid::authority_info_access)},
        {"rfc5280_4_2_2_2_sia_syntax", "empty", end_entity, value(oid::subject_info_access, "3000")},
        {"rfc5280_4_2_2_2_sia_not_critical", "critical", end_entity, value(oid::subject_info_access, sia, true)},
        {"rfc7633_4_tls_feature_syntax", "negative", end_entity, value(oid::tls_feature, "30030201ff")},
        {"rfc7633_4_tls_feature_not_critical", "critical", end_entity, value(oid::tls_feature, "3003020105", true)},
        // bug class 4
        {"rfc6962_3_1_no_poison", "there", end_entity, value(poison, "0500", true)},
        {"rfc6962_3_3_no_timestamps", "there", end_entity, value(timestamps, "04020000")},
    };
}

std::vector<RuleCase> authority_cases() {
    const auto dns = [](std::string_view name) {
        return std::vector{test::general_name(std::string{"dns:"} + std::string{name})};
    };
    return {
        {"rfc5280_4_2_1_9_ca_critical", "not", subordinate, flip(oid::basic_constraints)},
        {"rfc5280_4_2_1_9_key_cert_sign_needs_ca", "end_entity", end_entity, usage(digital_signature | key_cert_sign)},
        {"rfc5280_4_2_1_9_key_cert_sign_needs_ca", "no_constraints", end_entity,
         [](Draft& draft) {
             draft.remove(oid::basic_constraints);
             draft.set(make_key_usage(key_cert_sign));
         }},
        {"rfc5280_4_2_1_3_ca_has_key_cert_sign", "only_crls", subordinate, usage(crl_sign)},
        {"rfc5280_4_2_1_3_ca_has_key_cert_sign", "no_usage", subordinate, without(oid::key_usage)},
        {"rfc5280_4_2_1_3_one_way_agreement", "without_agreement", end_entity, usage(digital_signature | encipher_only)},
        {"rfc5280_4_2_1_3_one_way_agreement", "both", end_entity, usage(key_agreement | encipher_only | decipher_only)},
        {"rfc5280_4_2_1_9_path_length_needs_ca", "no_key_cert_sign", subordinate, usage(crl_sign)},
        {"rfc5280_4_2_1_2_ca_has_ski", "without", subordinate, without(oid::subject_key_identifier)},
        {"rfc5280_4_2_1_10_name_constraints_need_ca", "end_entity", end_entity,
         [](Draft& draft) { draft.set(make_name_constraints({.permitted = {test::general_name("dns:a.b")}, .excluded = {}})); }},
        {"rfc5280_4_2_1_11_policy_constraints_need_ca", "constraints", end_entity,
         value(oid::policy_constraints, "3003800100", true)},
        {"rfc5280_4_2_1_11_policy_constraints_need_ca", "any_policy", end_entity, value(oid::inhibit_any_policy, "020100", true)},
        {"rfc5280_4_2_1_1_aki_present", "without", end_entity, without(oid::authority_key_identifier)},
        {"rfc5280_4_2_1_1_aki_present", "no_key_id", end_entity, value(oid::authority_key_identifier, "3000")},
        {"rfc5280_4_2_1_2_aki_is_issuers_ski", "another", end_entity,
         [](Draft& draft) { draft.set(make_authority_key_identifier(own_key_id)); }},
        {"rfc5280_4_2_1_2_aki_is_issuers_ski", "self_signed", self_signed,
         [](Draft& draft) { draft.set(make_authority_key_identifier(own_key_id)); }},
        {"rfc5280_6_1_3_issuer_name", "other_string_type", end_entity,  // bug class 34: equal text, other octets
         [](Draft& draft) { draft.issuer = test::one_attribute(oid::common_name, Tag::printable_string, as_bytes("issuer")); },
         [](Draft& issuer) { issuer.subject = test::one_attribute(oid::common_name, Tag::utf8_string, as_bytes("issuer")); }},
        {"rfc5280_6_1_3_issuer_name", "self_signed", self_signed, part(&Draft::subject, "3000")},
        {"rfc5280_6_1_3_validity_within_issuers", "longer", end_entity, span("2026-01-01T00:00:00Z", "2050-01-01T00:00:01Z")},
        {"rfc5280_6_1_3_validity_within_issuers", "earlier", end_entity, span("2025-12-31T23:59:59Z", "2027-01-01T00:00:00Z")},
        {"rfc5280_6_1_4_issuer_is_ca",
         "end_entity",
         end_entity,
         {},
         [](Draft& issuer) { issuer.set(make_basic_constraints({})); }},
        {"rfc5280_6_1_4_issuer_key_cert_sign", "only_crls", end_entity, {}, usage(crl_sign)},
        {"rfc5280_6_1_4_path_length",
         "used_up",
         subordinate,
         {},
         [](Draft& issuer) { issuer.set(make_basic_constraints({.ca = true, .path_length = 0})); }},
        {"rfc5280_6_1_4_path_length",
         "not_below",
         subordinate,
         {},
         [](Draft& issuer) { issuer.set(make_basic_constraints({.ca = true, .path_length = 1})); }},
        {"rfc5280_6_1_3_name_constraints",
         "outside",
         end_entity,
         {},
         issuer_constraints({.permitted = dns("other.example"), .excluded = {}})},
        {"rfc5280_6_1_3_name_constraints",
         "excluded",
         end_entity,
         {},
         issuer_constraints({.permitted = {}, .excluded = dns("device.example.com")})},
    };
}

std::vector<RuleCase> all_cases() {
    std::vector<RuleCase> all;
    for (const auto& part_of_them : {field_cases(), name_cases(), key_cases(), extension_cases(), authority_cases()})
        all.insert(all.end(), part_of_them.begin(), part_of_them.end());
    return all;
}

class LintRule : public testing::TestWithParam<RuleCase> {};

TEST_P(LintRule, Speaks) { EXPECT_THAT(findings_of(GetParam()), Contains(GetParam().rule)); }

INSTANTIATE_TEST_SUITE_P(Spoilt, LintRule, testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.rule + "_" + test.param.what; });

TEST(LintRules, EachHasACaseAndANameOfItsOwn) {
    std::set<std::string, std::less<>> tested;
    for (const auto& test : all_cases()) tested.insert(test.rule);
    std::set<std::string, std::less<>> known;
    for (const auto name : lint_rule_names()) EXPECT_TRUE(known.emplace(name).second) << name << " is there twice";
    EXPECT_EQ(tested, known);
}

TEST(LintRules, FindingsNameTheSection) {
    auto draft = end_entity();
    draft.serial = test::hex("020100");
    const auto issuer = certificate(self_signed());
    const auto findings = lint_tbs(draft.encode(), &issuer);
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].message, "RFC 5280 4.1.2.2: the serial number is zero");
}

// What must not be found: the edges of the rules.
struct EdgeCase {
    std::string name;
    Draft (*base)() = end_entity;
    Spoil change = {};
    Spoil change_issuer = {};
};
class LintEdge : public testing::TestWithParam<EdgeCase> {};

TEST_P(LintEdge, IsFine) {
    const auto& test = GetParam();
    EXPECT_THAT(findings_of({"", "", test.base, test.change, test.change_issuer}), IsEmpty());
}

Spoil no_names(Spoil next) {
    return [next](Draft& draft) {
        draft.subject = test::hex("3000");
        draft.flip_critical(oid::subject_alt_name);
        next(draft);
    };
}

INSTANTIATE_TEST_SUITE_P(
    Rfc5280, LintEdge,
    testing::Values(
        EdgeCase{"serial_of_20_octets", end_entity, part(&Draft::serial, "02147fffffffffffffffffffffffffffffffffffffff")},
        EdgeCase{"empty_subject_with_critical_names", end_entity, no_names([](Draft&) {})},
        EdgeCase{"one_second", end_entity, span("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")},
        // bug class 21
        EdgeCase{"last_second_of_2049", end_entity, part(&Draft::not_after, "170d3439313233313233353935395a")},
        EdgeCase{"first_second_of_2050", end_entity, part(&Draft::not_after, "180f32303530303130313030303030305a")},
        EdgeCase{"no_known_end", self_signed, part(&Draft::not_after, "180f39393939313233313233353935395a")},
        EdgeCase{"name_of_64", end_entity, subject(oid::common_name, Tag::utf8_string, std::string(64, 'x'))},
        EdgeCase{"name_of_64_characters_in_128_octets", end_entity,
                 [](Draft& draft) {
                     std::string text;
                     for (int i = 0; i < 64; ++i) text += "\xC3\xA4";
                     subject(oid::common_name, Tag::utf8_string, text)(draft);
                 }},
        EdgeCase{
            "legacy_issuer_name", end_entity,
            [](Draft& draft) { draft.issuer = test::one_attribute(oid::common_name, Tag::teletex_string, as_bytes("ca")); },
            [](Draft& issuer) { issuer.subject = test::one_attribute(oid::common_name, Tag::teletex_string, as_bytes("ca")); }},
        EdgeCase{"self_issued_below_path_length_0", subordinate,
                 [](Draft& draft) {
                     draft.subject = draft.issuer;
                     draft.set(make_basic_constraints({.ca = true, .path_length = 0}));
                 },
                 [](Draft& issuer) { issuer.set(make_basic_constraints({.ca = true, .path_length = 0})); }},
        EdgeCase{"issuer_without_key_usage", end_entity, {}, without(oid::key_usage)},
        EdgeCase{"names_within_constraints",
                 end_entity,
                 {},
                 [](Draft& issuer) {
                     issuer.set(make_name_constraints({.permitted = {test::general_name("dns:example.com")}, .excluded = {}}));
                 }},
        EdgeCase{"unknown_extension_not_critical", end_entity, value(der::Oid{"1.3.6.1.4.1.99999.7"}, "0500")},
        EdgeCase{"any_purpose", end_entity, [](Draft& draft) { draft.set(make_ext_key_usage({oid::any_extended_key_usage})); }},
        EdgeCase{"self_signed_with_aki", self_signed,
                 [](Draft& draft) { draft.set(make_authority_key_identifier(issuer_key_id)); }},
        // bug class 33
        EdgeCase{"ec_agreement", end_entity, usage(digital_signature | key_agreement | encipher_only)},
        EdgeCase{"rsa_encipherment", end_entity, rsa_usage(digital_signature | key_encipherment | data_encipherment)},
        EdgeCase{"x25519", end_entity, key("1.3.101.110", 32, key_agreement | decipher_only)},
        EdgeCase{"x448", end_entity, key("1.3.101.111", 56, key_agreement)},
        EdgeCase{"ed25519", end_entity, key("1.3.101.112", 32, digital_signature | non_repudiation)},
        EdgeCase{"ed448", end_entity, key("1.3.101.113", 57, digital_signature)},
        EdgeCase{"ml_dsa_44", end_entity, key("2.16.840.1.101.3.4.3.17", 1312, digital_signature)},
        EdgeCase{"ml_dsa_65", subordinate, key("2.16.840.1.101.3.4.3.18", 1952, key_cert_sign | crl_sign)},
        EdgeCase{"ml_dsa_87", end_entity, key("2.16.840.1.101.3.4.3.19", 2592, digital_signature)},
        EdgeCase{"slh_dsa_sha2_192s", subordinate, key("2.16.840.1.101.3.4.3.22", 48, key_cert_sign)},
        EdgeCase{"slh_dsa_shake_256f", end_entity, key("2.16.840.1.101.3.4.3.31", 64, non_repudiation)},
        EdgeCase{"ml_kem_512", end_entity, key("2.16.840.1.101.3.4.4.1", 800, key_encipherment)},
        EdgeCase{"ml_kem_768", end_entity, key("2.16.840.1.101.3.4.4.2", 1184, key_encipherment)},
        EdgeCase{"ml_kem_1024", end_entity, key("2.16.840.1.101.3.4.4.3", 1568, key_encipherment)}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace estuary::x509
