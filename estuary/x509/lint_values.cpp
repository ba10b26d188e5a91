// The lint's readers of extension values (RFC 5280 4.2.1, 4.2.2), each as the ASN.1 above it says.
#include "estuary/x509/general_name.h"
#include "estuary/x509/lint_view.h"

namespace estuary::x509::lint {
namespace {

using der::Reader;
using der::Tag;

Result<void> check_names(const std::vector<GeneralName>& names) {
    for (const auto& name : names) {
        ESTUARY_CHECK(name.check());
    }
    return {};
}

Result<void> check_names_in(Bytes content) {
    ESTUARY_TRY(const auto names, read_general_names(content));
    return check_names(names);
}

/// A SEQUENCE SIZE (1..MAX); `each` reads one element off the reader.
template <class Each>
Result<void> read_sequence_of(Bytes value, std::string_view what, Each&& each) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, what));
    if (reader.empty()) return fail(Code::malformed, std::string{what} + " is empty");
    while (!reader.empty()) {
        ESTUARY_CHECK(each(reader));
    }
    return {};
}

// PolicyInformation ::= SEQUENCE { policyIdentifier OID, policyQualifiers SEQUENCE SIZE (1..MAX) OPTIONAL }
Result<void> read_policies(TbsView& view, Bytes value) {
    view.policies.reserve(4);
    return read_sequence_of(value, "certificatePolicies", [&](Reader& reader) -> Result<void> {
        ESTUARY_TRY(auto information, reader.enter(Tag::sequence));
        ESTUARY_TRY(view.policies.emplace_back(), information.oid());
        ESTUARY_TRY(const auto qualifiers, information.enter_if(Tag::sequence));
        if (qualifiers && qualifiers->empty()) return fail(Code::malformed, "policyQualifiers is empty");
        return information.finish("PolicyInformation");
    });
}

// PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { issuerDomainPolicy OID, subjectDomainPolicy OID }
Result<void> check_policy_mappings(Bytes value) {
    return read_sequence_of(value, "policyMappings", [](Reader& reader) -> Result<void> {
        ESTUARY_TRY(auto mapping, reader.enter(Tag::sequence));
        ESTUARY_TRY(const auto from, mapping.oid());
        ESTUARY_TRY(const auto to, mapping.oid());
        //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.5
        //# Policies MUST NOT be mapped either to or from the special value anyPolicy (Section 4.2.1.4).
        if (from == oid::any_policy || to == oid::any_policy) return fail(Code::malformed, "anyPolicy is mapped");
        return mapping.finish("PolicyMappings");
    });
}

// PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] SkipCerts OPTIONAL, inhibitPolicyMapping [1] SkipCerts OPTIONAL }
Result<void> check_policy_constraints(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, "policyConstraints"));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.11
    //# Conforming CAs MUST NOT issue certificates where policy constraints is an empty sequence.
    if (reader.empty()) return fail(Code::malformed, "policyConstraints is empty");
    for (const unsigned number : {0u, 1u}) {
        ESTUARY_TRY(const auto skip, reader.element_if(der::context(number)));
        if (skip && (skip->content.empty() || (skip->content[0] & 0x80) != 0))
            return fail(Code::malformed, "SkipCerts is not a number");
    }
    return reader.finish("policyConstraints");
}

Result<void> check_inhibit_any_policy(Bytes value) {
    Reader reader{value};
    ESTUARY_TRY(const auto skip, reader.integer());
    if (skip < 0) return fail(Code::malformed, "SkipCerts is negative");
    return reader.finish("inhibitAnyPolicy");
}

// Attribute ::= SEQUENCE { type OID, values SET SIZE (1..MAX) }
Result<void> check_directory_attributes(Bytes value) {
    return read_sequence_of(value, "subjectDirectoryAttributes", [](Reader& reader) -> Result<void> {
        ESTUARY_TRY(auto attribute, reader.enter(Tag::sequence));
        ESTUARY_CHECK(attribute.oid());
        ESTUARY_TRY(const auto values, attribute.content(Tag::set));
        if (values.empty()) return fail(Code::malformed, "attribute without values");
        return attribute.finish("Attribute");
    });
}

// DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
Result<void> check_distribution_point_name(Bytes content) {
    Reader reader{content};
    if (reader.next_is(der::context_constructed(1))) {
        ESTUARY_CHECK(reader.skip());
    } else {
        ESTUARY_TRY(const auto full_name, reader.content(der::context_constructed(0)));
        ESTUARY_CHECK(check_names_in(full_name));
    }
    return reader.finish("DistributionPointName");
}

// DistributionPoint ::= SEQUENCE { distributionPoint [0] OPTIONAL, reasons [1] OPTIONAL, cRLIssuer [2] OPTIONAL }
Result<void> check_distribution_points(Bytes value, std::string_view what) {
    return read_sequence_of(value, what, [](Reader& reader) -> Result<void> {
        ESTUARY_TRY(auto point, reader.enter(Tag::sequence));
        ESTUARY_TRY(const auto name, point.element_if(der::context_constructed(0)));
        ESTUARY_CHECK(point.element_if(der::context(1)));
        ESTUARY_TRY(const auto issuer, point.element_if(der::context_constructed(2)));
        if (name) {
            ESTUARY_CHECK(check_distribution_point_name(name->content));
        }
        if (issuer) {
            ESTUARY_CHECK(check_names_in(issuer->content));
        }
        //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.13
        //# While each of these fields is optional, a DistributionPoint MUST NOT
        //# consist of only the reasons field; either distributionPoint or cRLIssuer MUST be present.
        if (!name && !issuer) return fail(Code::malformed, "a distribution point without a name");
        return point.finish("DistributionPoint");
    });
}

// AccessDescription ::= SEQUENCE { accessMethod OID, accessLocation GeneralName }
Result<void> check_access(Bytes value, std::string_view what, bool for_authority) {
    return read_sequence_of(value, what, [for_authority](Reader& reader) -> Result<void> {
        ESTUARY_TRY(auto description, reader.enter(Tag::sequence));
        ESTUARY_TRY(const auto method, description.oid());
        ESTUARY_TRY(const auto location, GeneralName::read(description));
        if (for_authority && method != oid::ad_ocsp && method != oid::ad_ca_issuers)
            return fail(Code::malformed, "access method " + method.dotted() + " is neither ocsp nor caIssuers");
        ESTUARY_CHECK(location.check());
        return description.finish("AccessDescription");
    });
}

/// TLS features (RFC 7633 4): SEQUENCE OF INTEGER, each a TLS extension number.
Result<void> check_tls_feature(Bytes value) {
    return read_sequence_of(value, "TLS feature", [](Reader& reader) -> Result<void> {
        ESTUARY_TRY(const auto feature, reader.integer());
        if (feature < 0 || feature > 0xFFFF) return fail(Code::malformed, "no TLS extension has this number");
        return {};
    });
}

Result<void> read_subject_alt_name(TbsView& view, Bytes value) {
    ESTUARY_TRY(view.subject_alt_names, parse_general_names(value));
    return check_names(view.subject_alt_names);
}

Result<void> check_name_constraints(Bytes value) {
    ESTUARY_TRY(const auto constraints, parse_name_constraints(value));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10
    //# Conforming CAs MUST NOT issue certificates where name constraints is an empty sequence.
    if (constraints.permitted.empty() && constraints.excluded.empty()) return fail(Code::malformed, "nameConstraints is empty");
    return {};
}

}  // namespace

Result<void> read_extension_value(TbsView& view, const ExtensionView& extension) {
    const Bytes value = extension.value;
    switch (extension.known) {
        case Known::authority_key_identifier: {
            ESTUARY_TRY(view.authority_key_id, parse_authority_key_identifier(value));
            return {};
        }
        case Known::subject_key_identifier: {
            ESTUARY_TRY(view.subject_key_id, parse_subject_key_identifier(value));
            return {};
        }
        case Known::key_usage: {
            ESTUARY_TRY(view.key_usage, parse_key_usage(value));
            return {};
        }
        case Known::basic_constraints: {
            ESTUARY_TRY(view.basic_constraints, parse_basic_constraints(value));
            return {};
        }
        case Known::ext_key_usage: {
            ESTUARY_TRY(view.ext_key_usage, parse_ext_key_usage(value));
            return {};
        }
        case Known::subject_alt_name: return read_subject_alt_name(view, value);
        case Known::certificate_policies: return read_policies(view, value);
        case Known::policy_mappings: return check_policy_mappings(value);
        case Known::issuer_alt_name: {
            ESTUARY_TRY(const auto names, parse_general_names(value));
            return check_names(names);
        }
        case Known::subject_directory_attributes: return check_directory_attributes(value);
        case Known::name_constraints: return check_name_constraints(value);
        case Known::policy_constraints: return check_policy_constraints(value);
        case Known::crl_distribution_points: return check_distribution_points(value, "cRLDistributionPoints");
        case Known::freshest_crl: return check_distribution_points(value, "freshestCRL");
        case Known::inhibit_any_policy: return check_inhibit_any_policy(value);
        case Known::authority_info_access: return check_access(value, "authorityInfoAccess", true);
        case Known::subject_info_access: return check_access(value, "subjectInfoAccess", false);
        case Known::tls_feature: return check_tls_feature(value);
        case Known::ct_poison:
        case Known::ct_timestamps:
        case Known::other: return {};
    }
    return {};
}

}  // namespace estuary::x509::lint
