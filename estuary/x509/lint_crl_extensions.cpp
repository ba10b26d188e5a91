// CRL lint rules on extensions (RFC 5280 5.2).
#include <array>

#include <fmt/format.h>

#include "estuary/x509/lint_crl_view.h"

namespace estuary::x509::lint {
namespace {

template <const der::Oid& id>
Complaint is_not_critical(const CrlSubject& subject) {
    const auto* extension = subject.list.find(id);
    if (extension == nullptr || !extension->critical) return {};
    return "the extension is critical";
}

template <const der::Oid& id>
Complaint is_critical(const CrlSubject& subject) {
    const auto* extension = subject.list.find(id);
    if (extension == nullptr || extension->critical) return {};
    return "the extension is not critical";
}

template <class T>
Complaint complaint_of(Result<T> parsed) {
    if (parsed) return {};
    return std::move(parsed).error().detail;
}

/// "caution should be exercised in adopting any critical extensions" (5.2): nobody could use such a list.
Complaint critical_ones_are_known(const CrlSubject& subject) {
    for (const auto& extension : subject.list.extensions)
        if (extension.critical && extension.id != oid::delta_crl_indicator && extension.id != oid::issuing_distribution_point)
            return "critical extension " + extension.id.dotted();
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.1
//# Conforming CRL issuers MUST use the key identifier method, and MUST
//# include this extension in all CRLs issued.
Complaint issuer_key_is_named(const CrlSubject& subject) {
    const auto* extension = subject.list.find(oid::authority_key_identifier);
    if (extension == nullptr) return "no authorityKeyIdentifier";
    const auto key_id = parse_authority_key_identifier(extension->value);
    if (!key_id) return key_id.error().detail;
    if (!*key_id) return "authorityKeyIdentifier without a keyIdentifier";
    return {};
}

Complaint issuer_key_is_the_issuers(const CrlSubject& subject) {
    const auto* extension = subject.list.find(oid::authority_key_identifier);
    const auto issuers = subject.issuer.subject_key_id();
    if (extension == nullptr || !issuers) return {};
    const auto key_id = parse_authority_key_identifier(extension->value);
    if (!key_id || !*key_id || same(**key_id, *issuers)) return {};
    return "authorityKeyIdentifier is not the issuer's subjectKeyIdentifier";
}

Complaint issuer_alt_name_is_well_formed(const CrlSubject& subject) {
    const auto* extension = subject.list.find(oid::issuer_alt_name);
    if (extension == nullptr) return {};
    return complaint_of(parse_general_names(extension->value));
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.3
//# CRL issuers conforming to this profile MUST include this extension in all
//# CRLs and MUST mark this extension as non-critical.
Complaint number_is_there(const CrlSubject& subject) {
    if (subject.list.find(oid::crl_number) != nullptr) return {};
    return "no cRLNumber";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.3
//# Conforming CRL issuers MUST NOT use CRLNumber values longer than 20 octets.
Complaint numbers_are_in_range(const CrlSubject& subject) {
    for (const auto& id : {oid::crl_number, oid::delta_crl_indicator})
        if (const auto* extension = subject.list.find(id))
            if (auto wrong = complaint_of(CrlNumber::parse(extension->value))) return wrong;
    return {};
}

/// The base was there before the delta, and one sequence numbers both (5.2.3, 5.2.4).
Complaint base_is_below_number(const CrlSubject& subject) {
    const auto& list = subject.list;
    if (!list.delta_base || !list.number || *list.delta_base < *list.number) return {};
    return "BaseCRLNumber is not below cRLNumber";
}

Complaint scope_is_well_formed(const CrlSubject& subject) {
    const auto* extension = subject.list.find(oid::issuing_distribution_point);
    if (extension == nullptr) return {};
    return complaint_of(parse_issuing_distribution_point(extension->value));
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.5
//# Conforming CRLs issuers MUST NOT issue CRLs where the DER encoding of
//# the issuing distribution point extension is an empty sequence.
Complaint scope_is_not_empty(const CrlSubject& subject) {
    if (!subject.list.scope || *subject.list.scope != IssuingDistributionPoint{}) return {};
    return "issuingDistributionPoint is an empty SEQUENCE";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.5
//# Conforming CRLs issuers MUST set the
//# onlyContainsAttributeCerts boolean to FALSE.
Complaint scope_is_of_public_key_certificates(const CrlSubject& subject) {
    if (!subject.list.scope || !subject.list.scope->only_attribute_certificates) return {};
    return "onlyContainsAttributeCerts is TRUE";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.6
//# The reasons and cRLIssuer fields MUST be
//# omitted from this CRL extension.
Complaint freshest_has_names_only(const CrlSubject& subject) {
    const auto points = distribution_points(subject.list.extensions, oid::freshest_crl);
    if (!points) return points.error().detail;
    for (const auto& point : *points)
        if (point.reasons || !point.crl_issuer.empty()) return "freshestCRL with reasons or cRLIssuer";
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.6
//# This extension MUST NOT appear in delta CRLs.
Complaint freshest_is_not_in_deltas(const CrlSubject& subject) {
    if (!subject.list.is_delta() || subject.list.find(oid::freshest_crl) == nullptr) return {};
    return "freshestCRL in a delta CRL";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.7
//# When present in a CRL, this extension MUST include at least one
//# AccessDescription specifying id-ad-caIssuers as the accessMethod.
Complaint access_is_to_ca_issuers(const CrlSubject& subject) {
    if (subject.list.find(oid::authority_info_access) == nullptr) return {};
    const auto access = authority_info_access(subject.list.extensions);
    if (!access) return access.error().detail;
    if (access->has_other_methods || !access->ocsp_uris.empty())
        return "authorityInfoAccess of a CRL with another method than caIssuers";
    if (access->ca_issuer_uris.empty()) return "authorityInfoAccess of a CRL without a caIssuers URI";
    return {};
}

}  // namespace

std::span<const CrlRule> crl_extension_rules() {
    static constexpr std::array rules{
        CrlRule{"rfc5280_5_2_no_other_critical", "RFC 5280 5.2", critical_ones_are_known},
        CrlRule{"rfc5280_5_2_1_aki_present", "RFC 5280 5.2.1", issuer_key_is_named},
        CrlRule{"rfc5280_5_2_1_aki_is_issuers_ski", "RFC 5280 5.2.1, 4.2.1.2", issuer_key_is_the_issuers},
        CrlRule{"rfc5280_4_2_1_1_aki_not_critical", "RFC 5280 4.2.1.1", is_not_critical<oid::authority_key_identifier>},
        CrlRule{"rfc5280_5_2_2_issuer_alt_name_syntax", "RFC 5280 5.2.2", issuer_alt_name_is_well_formed},
        CrlRule{"rfc5280_5_2_2_issuer_alt_name_not_critical", "RFC 5280 5.2.2", is_not_critical<oid::issuer_alt_name>},
        CrlRule{"rfc5280_5_2_3_number_present", "RFC 5280 5.2.3", number_is_there},
        CrlRule{"rfc5280_5_2_3_number_not_critical", "RFC 5280 5.2.3", is_not_critical<oid::crl_number>},
        CrlRule{"rfc5280_5_2_3_number_range", "RFC 5280 5.2.3", numbers_are_in_range},
        CrlRule{"rfc5280_5_2_4_delta_critical", "RFC 5280 5.2.4", is_critical<oid::delta_crl_indicator>},
        CrlRule{"rfc5280_5_2_4_base_below_number", "RFC 5280 5.2.4", base_is_below_number},
        CrlRule{"rfc5280_5_2_5_scope_syntax", "RFC 5280 5.2.5", scope_is_well_formed},
        CrlRule{"rfc5280_5_2_5_scope_critical", "RFC 5280 5.2.5", is_critical<oid::issuing_distribution_point>},
        CrlRule{"rfc5280_5_2_5_scope_not_empty", "RFC 5280 5.2.5", scope_is_not_empty},
        CrlRule{"rfc5280_5_2_5_no_attribute_certificates", "RFC 5280 5.2.5", scope_is_of_public_key_certificates},
        CrlRule{"rfc5280_5_2_6_freshest_names_only", "RFC 5280 5.2.6", freshest_has_names_only},
        CrlRule{"rfc5280_5_2_6_freshest_not_critical", "RFC 5280 5.2.6", is_not_critical<oid::freshest_crl>},
        CrlRule{"rfc5280_5_2_6_freshest_not_in_delta", "RFC 5280 5.2.6", freshest_is_not_in_deltas},
        CrlRule{"rfc5280_5_2_7_access_ca_issuers_only", "RFC 5280 5.2.7", access_is_to_ca_issuers},
        CrlRule{"rfc5280_5_2_7_access_not_critical", "RFC 5280 5.2.7", is_not_critical<oid::authority_info_access>},
    };
    return rules;
}

}  // namespace estuary::x509::lint
