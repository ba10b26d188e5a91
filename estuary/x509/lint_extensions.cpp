// Lint rules on each extension by itself: its syntax, whether it is critical, how often it is there (RFC 5280 4.2).
#include <fmt/format.h>

#include "estuary/x509/lint_view.h"

namespace estuary::x509::lint {
namespace {

template <Known known>
Complaint well_formed(const Subject& subject) {
    for (const auto& [kind, error] : subject.tbs.extension_errors)
        if (kind == known) return fmt::format("{}: {}", name_of(known), error);
    return {};
}

template <Known known>
Complaint critical(const Subject& subject) {
    const auto* extension = subject.tbs.find(known);
    if (extension == nullptr || extension->critical) return {};
    return fmt::format("{} is not critical", name_of(known));
}

template <Known known>
Complaint not_critical(const Subject& subject) {
    const auto* extension = subject.tbs.find(known);
    if (extension == nullptr || !extension->critical) return {};
    return fmt::format("{} is critical", name_of(known));
}

template <Known known>
Complaint absent(const Subject& subject) {
    if (subject.tbs.find(known) == nullptr) return {};
    return fmt::format("{} does not belong into a certificate", name_of(known));
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.2
//# A certificate MUST NOT include more than one instance of a particular extension.
Complaint each_once(const Subject& subject) {
    const auto& extensions = subject.tbs.extensions;
    for (std::size_t i = 0; i < extensions.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (extensions[i].known == extensions[j].known && extensions[i].id == extensions[j].id)
                return fmt::format("{} ({}) is there more than once", name_of(extensions[i].known), extensions[i].id.dotted());
    return {};
}

/// Nobody could rely on a certificate with a critical extension that is none of the standard's.
Complaint no_unknown_critical(const Subject& subject) {
    for (const auto& extension : subject.tbs.extensions)
        if (extension.known == Known::other && extension.critical)
            return fmt::format("extension {} is critical and of no known kind", extension.id.dotted());
    return {};
}

Complaint any_purpose_not_critical(const Subject& subject) {
    const auto* extension = subject.tbs.find(Known::ext_key_usage);
    const auto& purposes = subject.tbs.ext_key_usage;
    if (extension == nullptr || !extension->critical ||
        std::ranges::find(purposes, oid::any_extended_key_usage) == purposes.end())
        return {};
    return "extKeyUsage with anyExtendedKeyUsage is critical";
}

template <class T>
const T* first_twice(const std::vector<T>& values) {
    for (auto value = values.begin(); value != values.end(); ++value)
        if (std::find(values.begin(), value, *value) != value) return &*value;
    return nullptr;
}

Complaint purposes_once(const Subject& subject) {
    const auto* twice = first_twice(subject.tbs.ext_key_usage);
    if (twice == nullptr) return {};
    return fmt::format("extKeyUsage names {} twice", ext_key_usage_name(*twice));
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.4
//# A certificate policy OID MUST NOT appear more than once in a certificate policies extension.
Complaint policies_once(const Subject& subject) {
    const auto* twice = first_twice(subject.tbs.policies);
    if (twice == nullptr) return {};
    return fmt::format("certificatePolicies names {} twice", twice->dotted());
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.6
//# If subject naming information is present only in the subjectAltName extension (e.g., a key bound only to an email
//# address or URI), then the subject name MUST be an empty sequence and the subjectAltName extension MUST be critical.
Complaint empty_subject_has_names(const Subject& subject) {
    if (!subject.tbs.subject_empty() || subject.tbs.basic_constraints.ca) return {};
    const auto* names = subject.tbs.find(Known::subject_alt_name);
    if (names == nullptr) return "the subject is empty and there is no subjectAltName";
    if (!names->critical) return "the subject is empty and subjectAltName is not critical";
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6
//# When including the subjectAltName extension in a certificate that
//# has a non-empty subject distinguished name, conforming CAs SHOULD
//# mark the subjectAltName extension as non-critical.
Complaint names_beside_subject(const Subject& subject) {
    if (subject.tbs.subject_empty()) return {};
    return not_critical<Known::subject_alt_name>(subject);
}

using enum Known;
}  // namespace

std::span<const Rule> extension_rules() {
    static constexpr std::array rules{
        Rule{"rfc5280_4_2_extension_once", "RFC 5280 4.2", each_once},
        Rule{"rfc5280_4_2_no_unknown_critical", "RFC 5280 4.2", no_unknown_critical},
        Rule{"rfc5280_4_2_1_1_aki_syntax", "RFC 5280 4.2.1.1", well_formed<authority_key_identifier>},
        Rule{"rfc5280_4_2_1_1_aki_not_critical", "RFC 5280 4.2.1.1", not_critical<authority_key_identifier>},
        Rule{"rfc5280_4_2_1_2_ski_syntax", "RFC 5280 4.2.1.2", well_formed<subject_key_identifier>},
        Rule{"rfc5280_4_2_1_2_ski_not_critical", "RFC 5280 4.2.1.2", not_critical<subject_key_identifier>},
        Rule{"rfc5280_4_2_1_3_key_usage_syntax", "RFC 5280 4.2.1.3", well_formed<key_usage>},
        Rule{"rfc5280_4_2_1_3_key_usage_critical", "RFC 5280 4.2.1.3", critical<key_usage>},
        Rule{"rfc5280_4_2_1_4_policies_syntax", "RFC 5280 4.2.1.4", well_formed<certificate_policies>},
        Rule{"rfc5280_4_2_1_4_policies_once", "RFC 5280 4.2.1.4", policies_once},
        Rule{"rfc5280_4_2_1_5_policy_mappings_syntax", "RFC 5280 4.2.1.5", well_formed<policy_mappings>},
        Rule{"rfc5280_4_2_1_5_policy_mappings_critical", "RFC 5280 4.2.1.5", critical<policy_mappings>},
        Rule{"rfc5280_4_2_1_6_san_syntax", "RFC 5280 4.2.1.6", well_formed<subject_alt_name>},
        Rule{"rfc5280_4_1_2_6_empty_subject_san_critical", "RFC 5280 4.1.2.6", empty_subject_has_names},
        Rule{"rfc5280_4_2_1_6_san_not_critical", "RFC 5280 4.2.1.6", names_beside_subject},
        Rule{"rfc5280_4_2_1_7_ian_syntax", "RFC 5280 4.2.1.7", well_formed<issuer_alt_name>},
        Rule{"rfc5280_4_2_1_7_ian_not_critical", "RFC 5280 4.2.1.7", not_critical<issuer_alt_name>},
        Rule{"rfc5280_4_2_1_8_directory_attributes_syntax", "RFC 5280 4.2.1.8", well_formed<subject_directory_attributes>},
        Rule{"rfc5280_4_2_1_8_directory_attributes_not_critical", "RFC 5280 4.2.1.8", not_critical<subject_directory_attributes>},
        Rule{"rfc5280_4_2_1_9_basic_constraints_syntax", "RFC 5280 4.2.1.9", well_formed<basic_constraints>},
        Rule{"rfc5280_4_2_1_10_name_constraints_syntax", "RFC 5280 4.2.1.10", well_formed<name_constraints>},
        Rule{"rfc5280_4_2_1_10_name_constraints_critical", "RFC 5280 4.2.1.10", critical<name_constraints>},
        Rule{"rfc5280_4_2_1_11_policy_constraints_syntax", "RFC 5280 4.2.1.11", well_formed<policy_constraints>},
        Rule{"rfc5280_4_2_1_11_policy_constraints_critical", "RFC 5280 4.2.1.11", critical<policy_constraints>},
        Rule{"rfc5280_4_2_1_12_ext_key_usage_syntax", "RFC 5280 4.2.1.12", well_formed<ext_key_usage>},
        Rule{"rfc5280_4_2_1_12_any_purpose_not_critical", "RFC 5280 4.2.1.12", any_purpose_not_critical},
        Rule{"rfc5280_4_2_1_12_purposes_once", "RFC 5280 4.2.1.12", purposes_once},
        Rule{"rfc5280_4_2_1_13_crl_points_syntax", "RFC 5280 4.2.1.13", well_formed<crl_distribution_points>},
        Rule{"rfc5280_4_2_1_13_crl_points_not_critical", "RFC 5280 4.2.1.13", not_critical<crl_distribution_points>},
        Rule{"rfc5280_4_2_1_14_inhibit_any_policy_syntax", "RFC 5280 4.2.1.14", well_formed<inhibit_any_policy>},
        Rule{"rfc5280_4_2_1_14_inhibit_any_policy_critical", "RFC 5280 4.2.1.14", critical<inhibit_any_policy>},
        Rule{"rfc5280_4_2_1_15_freshest_crl_syntax", "RFC 5280 4.2.1.15", well_formed<freshest_crl>},
        Rule{"rfc5280_4_2_1_15_freshest_crl_not_critical", "RFC 5280 4.2.1.15", not_critical<freshest_crl>},
        Rule{"rfc5280_4_2_2_1_aia_syntax", "RFC 5280 4.2.2.1", well_formed<authority_info_access>},
        Rule{"rfc5280_4_2_2_1_aia_not_critical", "RFC 5280 4.2.2.1", not_critical<authority_info_access>},
        Rule{"rfc5280_4_2_2_2_sia_syntax", "RFC 5280 4.2.2.2", well_formed<subject_info_access>},
        Rule{"rfc5280_4_2_2_2_sia_not_critical", "RFC 5280 4.2.2.2", not_critical<subject_info_access>},
        Rule{"rfc7633_4_tls_feature_syntax", "RFC 7633 4", well_formed<tls_feature>},
        Rule{"rfc7633_4_tls_feature_not_critical", "RFC 7633 4", not_critical<tls_feature>},
        Rule{"rfc6962_3_1_no_poison", "RFC 6962 3.1", absent<ct_poison>},
        Rule{"rfc6962_3_3_no_timestamps", "RFC 6962 3.3", absent<ct_timestamps>},
    };
    return rules;
}

}  // namespace estuary::x509::lint
