// Certificates for CAs that are not ours: cross-certificates, and those of subordinate CAs (RFC 9810 5.3.11, 6.6, D.6).
#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/policy_rules.h"
#include "estuary/crypto/algorithms.h"
#include "estuary/x509/name_constraints.h"

namespace estuary::authority {
namespace {

constexpr std::uint32_t ca_key_usage = x509::key_cert_sign | x509::crl_sign;
/// More than any hash gives; such an identifier would only be carried around.
constexpr std::size_t key_identifier_octets_max = 64;

std::vector<const x509::Certificate*> certificates_of(const CaConfig& ca) {
    std::vector<const x509::Certificate*> all{&ca.certificate};
    for (const auto* list : {&ca.chain, &ca.rollover})
        for (const auto& certificate : *list) all.push_back(&certificate);
    return all;
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.9
//# […] the pathLenConstraint field gives the maximum number of non-self-issued intermediate certificates that may follow this
//# certificate in a valid certification path.
/// The most that a CA certificate below `ca` may say; nothing: no more than the profile says.
Result<std::uint32_t> path_length_below(const CaConfig& ca, std::uint32_t wanted) {
    auto left = wanted;
    std::uint32_t between = 0;   // intermediate certificates from this one down to the new one, that one included
    std::vector<const x509::Certificate*> path{&ca.certificate};
    for (const auto& above : ca.chain) path.push_back(&above);
    for (const auto* certificate : path) {
        ++between;
        const auto length = certificate->path_length();
        if (length && *length < between)
            return fail(Code::policy, fmt::format("ca_certificate: pathLenConstraint {} of {} allows no CA below CA {}", *length,
                                                  certificate->subject().to_text(), ca.name));
        if (length) left = std::min(left, *length - between);
        if (certificate->is_self_issued()) --between;   // not counted (RFC 5280 6.1.4 (l))
    }
    return left;
}

/// What a CA's certificate would leave out without a word.
Result<void> check_ca_profile(const Profile& profile) {
    const auto wrong = [](std::string what) { return fail(Code::policy, "ca_certificate: " + std::move(what)); };
    if (!profile.manual_approval) return wrong("a CA is certified by a person's decision only: manual_approval must be true");
    if (profile.subject.may_be_empty) return wrong("a CA has a name: subject.may_be_empty must be false");
    if (!profile.subject.fixed.empty()) return wrong("a CA's name is certified as it is: nothing can be put into it (subject.fixed)");
    if (profile.may_change_names) return wrong("a CA's name does not change (may_change_names)");
    if (!profile.ext_key_usage.empty()) return wrong("ext_key_usage is for end entities");
    if (!profile.pass_extensions.empty()) return wrong("pass_extensions is for end entities");
    if (profile.archive_keys || !profile.generated_key_types.empty()) return wrong("a CA's key is made by the CA itself: none is made or archived here");
    if (profile.ocsp_no_check) return wrong("whether a CA is revoked has to be looked at (ocsp_no_check)");
    for (const auto& name : profile.key_types)
        if (const auto type = crypto::key_type(name); type && !(*type)->signs) return wrong(fmt::format("{} keys do not sign", name));
    return {};
}

Result<void> check_constraints(const x509::NameConstraints& constraints) {
    if (constraints.permitted.empty() && constraints.excluded.empty()) return fail(Code::policy, "name_constraints: nothing is permitted or excluded");
    for (const auto* list : {&constraints.permitted, &constraints.excluded})
        for (const auto& subtree : *list)
            if (auto good = x509::check_name_subtree(subtree); !good) return fail(in_context("name_constraints", good.error()));
    return {};
}

class CaExtensions {
public:
    CaExtensions(const Rules& rules, const x509::CertificationRequest& request)
        : rules_{rules}, profile_{rules.profile}, request_{request} {
        out_.key_usage = ca_key_usage;
        out_.name_constraints = profile_.ca_certificate->name_constraints;
    }

    Result<RequestedExtensions> apply() {
        for (const auto& extension : request_.extensions()) ESTUARY_CHECK(one(extension));
        //= https://www.rfc-editor.org/rfc/rfc9810#section-6.6.1
        //# […] all fields except the serial number (including, e.g., a BasicConstraints extension) must be specified by the requester CA.
        if (!out_.basic_constraints) return fail(Code::policy, "the request of a CA says so itself: basicConstraints is missing (RFC 9810 6.6.1)");
        return std::move(out_);
    }

private:
    Result<void> one(const x509::Extension& extension) {
        if (extension.id == x509::oid::subject_alt_name) return {};   // policy_names.cpp
        if (extension.id == x509::oid::basic_constraints) return basic_constraints(extension);
        if (extension.id == x509::oid::key_usage) return key_usage(extension);
        if (extension.id == x509::oid::name_constraints) return name_constraints(extension);
        if (extension.id == x509::oid::subject_key_identifier) return key_identifier(extension);
        return unwanted(fmt::format("extension {}", extension.id.dotted()));
    }

    Result<void> unwanted(std::string_view what) const {
        if (profile_.other_extensions == Unwanted::drop) return {};
        return fail(Code::policy, fmt::format("the request asks for {}, which this profile does not give", what));
    }

    Result<void> basic_constraints(const x509::Extension& extension) {
        ESTUARY_TRY(const auto asked, x509::parse_basic_constraints(extension.value));
        if (!asked.ca) return fail(Code::policy, "the request is not for a CA: basicConstraints says so");
        out_.basic_constraints = {true, std::min(asked.path_length.value_or(rules_.path_length_max), rules_.path_length_max)};
        return {};
    }

    /// What a CA signs with its key is certificates and CRLs, and nothing else.
    Result<void> key_usage(const x509::Extension& extension) const {
        ESTUARY_TRY(const auto asked, x509::parse_key_usage(extension.value));
        if ((asked & x509::key_cert_sign) == 0) return fail(Code::policy, "the key usage of a CA has keyCertSign");
        if ((asked & ~ca_key_usage) != 0) return unwanted("key usages beside keyCertSign and cRLSign");
        return {};
    }

    Result<void> name_constraints(const x509::Extension& extension) {
        ESTUARY_TRY(const auto asked, x509::parse_name_constraints(extension.value));
        auto narrower = x509::narrowed(profile_.ca_certificate->name_constraints.value_or(x509::NameConstraints{}), asked);
        if (!narrower) return fail(in_context("nameConstraints", narrower.error()));
        out_.name_constraints = std::move(*narrower);
        return {};
    }

    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.2
    //# […] the value of the subject key identifier MUST be the value placed in the key identifier field of the authority key
    //# identifier extension (Section 4.2.1.1) of certificates issued by the subject of this certificate.
    Result<void> key_identifier(const x509::Extension& extension) {
        ESTUARY_TRY(const auto identifier, x509::parse_subject_key_identifier(extension.value));
        if (identifier.size() > key_identifier_octets_max)
            return fail(Code::policy, fmt::format("subjectKeyIdentifier has more than {} octets", key_identifier_octets_max));
        out_.subject_key_identifier = to_vec(identifier);
        return {};
    }

    const Rules& rules_;
    const Profile& profile_;
    const x509::CertificationRequest& request_;
    RequestedExtensions out_;
};

}  // namespace

Result<void> prepare_ca_rules(Rules& rules) {
    const auto& profile = rules.profile;
    if (!profile.ca_certificate) return {};
    ESTUARY_CHECK(check_ca_profile(profile));
    if (profile.ca_certificate->name_constraints) ESTUARY_CHECK(check_constraints(*profile.ca_certificate->name_constraints));
    const auto& ca = *rules.issuer->config;
    if (ca.upstream)
        return fail(Code::policy, fmt::format("ca_certificate: CA {} is another's: ask that one for cross-certificates", ca.name));
    ESTUARY_TRY(rules.path_length_max, path_length_below(ca, profile.ca_certificate->path_length));
    return {};
}

/// Beside the operator, whose own decision it is, two may ask: who was given a secret for this and nothing else (RFC 9810 6.6.1), and who
/// holds a certificate of this CA's that names the other CA (D.6: the sender is the requesting CA).
Result<void> check_for_ca(const Rules& rules, const EnrollRequest& request) {
    const bool for_ca = rules.profile.ca_certificate.has_value();
    if (for_ca != (request.verb == Verb::cross_certify))
        return fail(Code::not_authorised, for_ca ? "certificates of CAs are given by cross-certification only (RFC 9810 5.3.11)"
                                                 : "this profile is for end entities: no CA is certified by it");
    if (!for_ca) return {};
    const auto& principal = request.principal;
    if (principal.credential && principal.credential->profile != rules.profile.name)
        return fail(Code::not_authorised, "a CA certificate is asked for with a credential that is for this profile alone");
    if (principal.certificate && (principal.certificate->issued_by_ca.empty() || principal.is_registration_authority()))
        return fail(Code::not_authorised, "a CA asks for its certificate itself, not by its maker or a registration authority");
    if (request.request.possession() != x509::Possession::signature)
        return fail(Code::bad_proof, "the key of a CA proves its possession by a signature");
    if (!request.request.not_before() || !request.request.not_after())
        return fail(Code::policy, "the validity of a CA certificate is asked for with both its ends (RFC 9810 D.6)");
    return {};
}

Result<Identity> ca_names(const Rules& rules, const EnrollRequest& request) {
    const auto& wanted = request.request;
    const auto& principal = request.principal;
    if (principal.certificate && !principal.credential && !(principal.certificate->certificate.subject() == wanted.subject()))
        return fail(Code::not_authorised, "a client certificate asks for a CA certificate of its own subject only");
    for (const auto& ca : *rules.cas) {
        for (const auto* own : certificates_of(ca)) {
            if (own->subject().matches(wanted.subject()))
                return fail(Code::policy, fmt::format("subject: '{}' is the name of a CA here", wanted.subject().to_text()));
            if (same(own->spki(), wanted.spki())) return fail(Code::bad_key, "this is the key of a CA here");
        }
    }
    // What the other CA's certificates name as their issuer is certified, or it would be of no use.
    ESTUARY_TRY(auto subject, apply_subject_rules(rules, wanted.subject(), NameSource::certificate));
    ESTUARY_TRY(auto names, apply_san_rules(rules, wanted.subject_alt_names(), NameSource::certificate));
    return Identity{std::move(subject), std::move(names)};
}

Result<RequestedExtensions> apply_ca_extension_rules(const Rules& rules, const x509::CertificationRequest& request) {
    return CaExtensions{rules, request}.apply();
}

}  // namespace estuary::authority
