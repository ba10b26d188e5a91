#include "estuary/authority/policy.h"

#include <fmt/format.h>

#include "estuary/authority/policy_rules.h"
#include "estuary/authority/serial.h"

namespace estuary::authority {
namespace {

using Names = std::vector<x509::GeneralName>;

/// Less than this would leave devices without the time to notice that their CA ends.
constexpr Seconds last_hour{3600};

/// Default deny: nobody, somebody of another CA, or a credential for another profile gets nothing (bug classes 2, 7, 9).
Result<void> check_principal(const Rules& rules, const EnrollRequest& request) {
    const auto& principal = request.principal;
    const auto& profile = rules.profile;
    if (principal.anonymous()) return fail(Code::not_authenticated, "this needs a name and password or a client certificate");
    if (principal.credential && !principal.credential->profile.empty() && principal.credential->profile != profile.name)
        return fail(Code::not_authorised, "this credential is for another profile");
    if (!principal.certificate) return {};
    const auto& proof = *principal.certificate;
    if (proof.issued_by_ca.empty() == proof.manufacturer.empty())
        return fail(Code::not_authorised, "the client certificate is of no CA that counts here");
    if (!proof.issued_by_ca.empty() && proof.issued_by_ca != profile.ca)
        return fail(Code::not_authorised, "the client certificate is of another CA than this profile's");
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc7030#section-3.5
//# If tls-unique information is included by the client, the server MUST verify it.
/// A registration authority passes on what others signed (RFC 7030 3.7): id-kp-cmcRA exempts it.
Result<void> check_linking(const EnrollRequest& request) {
    if (request.principal.is_registration_authority()) return {};
    switch (request.linking) {
        case Linking::matched: return {};
        case Linking::mismatched:
            return fail(Code::bad_proof, "the request is linked to another TLS session than this one (RFC 7030 3.5)");
        case Linking::absent: break;
    }
    if (request.linking_required)
        return fail(Code::bad_proof, "the request must be linked to this TLS session by its challengePassword (RFC 7030 3.5)");
    return {};
}

/// What the key's possession rests on. That a key made here is really made here is the authority's own affair: see
/// key_generation.cpp and Impl::enroll.
Result<void> check_possession(const EnrollRequest& request) {
    switch (request.request.possession()) {
        case x509::Possession::signature:
        case x509::Possession::generated_here: return {};
        case x509::Possession::registration_authority:
            if (request.principal.is_registration_authority()) return {};
            return fail(Code::bad_proof, "only a registration authority may vouch for the possession of a key (RFC 4211 4)");
        case x509::Possession::decryption:
        case x509::Possession::key_agreement: break;
    }
    const bool by_agreement = request.request.possession() == x509::Possession::key_agreement;
    switch (request.request.public_key().kind()) {
        case crypto::KeyKind::ec:
        case crypto::KeyKind::other: return {};
        case crypto::KeyKind::rsa:
        case crypto::KeyKind::ml_kem:
            if (!by_agreement) return {};
            return fail(Code::bad_proof, "this kind of key agrees with no other");
        case crypto::KeyKind::ed25519:
        case crypto::KeyKind::ed448:
        case crypto::KeyKind::ml_dsa:
        case crypto::KeyKind::slh_dsa: break;
    }
    return fail(Code::bad_proof, "a key that only signs proves its possession by a signature");
}

Names sorted(Names names) {
    std::ranges::sort(names);
    const auto rest = std::ranges::unique(names);
    names.erase(rest.begin(), rest.end());
    return names;
}

//= https://www.rfc-editor.org/rfc/rfc7030#section-4.2.2
//# The request Subject field and SubjectAltName extension MUST be identical to the corresponding fields in the certificate
//# being renewed/rekeyed.
Result<Names> same_names_as(const x509::Certificate& current, const x509::CertificationRequest& request) {
    ESTUARY_TRY(auto names, current.subject_alt_names());
    if (!(request.subject() == current.subject()))
        return fail(Code::policy, "the subject must be the current certificate's, octet for octet");
    if (sorted(names) != sorted(request.subject_alt_names()))
        return fail(Code::policy, "the subject alternative names must be the current certificate's");
    return names;
}

/// Only a certificate of this very label and profile is renewed, in its time (bug classes 5, 7).
Result<void> check_renewal(const Rules& rules, const EnrollRequest& request, Time now) {
    const auto& profile = rules.profile;
    if (!request.principal.certificate || request.principal.certificate->issued_by_ca != profile.ca)
        return fail(Code::not_authorised, "renewal needs the client certificate that is to be renewed");
    const auto& proof = *request.principal.certificate;
    if (proof.profile != profile.name || proof.label != request.label)
        return fail(Code::not_authorised, "the client certificate is of another label or profile");
    const auto end = proof.certificate.not_after();
    if (now > end + profile.renew_after_expiry || now < proof.certificate.not_before())
        return fail(Code::not_authorised, "the client certificate is not valid now, or expired too long ago to be renewed");
    if (profile.renew_before_expiry && now < end - *profile.renew_before_expiry)
        return fail(Code::policy, fmt::format("too early: renewal is allowed from {} on", to_iso8601(end - *profile.renew_before_expiry)));
    return {};
}

/// The names of a renewal: the current ones, octet for octet, or those of ChangeSubjectName where the profile allows that. In
/// both cases they pass the rules of today, not of the day when they were first given.
Result<Identity> renewal_names(const Rules& rules, const EnrollRequest& request) {
    const auto& current = request.principal.certificate->certificate;
    ESTUARY_TRY(const auto names, same_names_as(current, request.request));
    ESTUARY_TRY(const auto change, x509::change_subject_name(request.request));
    if (change && !rules.profile.may_change_names)
        return fail(Code::policy, "this profile does not change names on renewal (ChangeSubjectName)");
    // RFC 6402 2.8: a field that is absent in ChangeSubjectName is removed from the certificate.
    const auto source = change ? NameSource::request : NameSource::certificate;
    ESTUARY_TRY(auto subject, apply_subject_rules(rules, change ? change->subject.value_or(x509::Name{}) : current.subject(), source));
    ESTUARY_TRY(auto kept, apply_san_rules(rules, change ? change->subject_alt : names, source));
    return Identity{std::move(subject), std::move(kept)};
}

/// IEEE 802.1AR: a device that names a serial number in its request names its own.
Result<void> check_device_serial(const x509::Certificate& device, const x509::Name& subject) {
    const auto own = device.subject().values(x509::oid::serial_number);
    const auto asked = subject.values(x509::oid::serial_number);
    if (!own.empty() && !asked.empty() && own != asked)
        return fail(Code::not_authorised, "the subject's serialNumber is not the client certificate's");
    return {};
}

/// Whom a certificate alone may enroll: a device of a manufacturer itself, a registration authority anybody, and everybody else
/// only the holder under the same names (bug class 8). With a credential beside it the credential decides.
Result<Identity> enrollment_names(const Rules& rules, const EnrollRequest& request) {
    const auto& principal = request.principal;
    const auto& wanted = request.request;
    if (principal.certificate && !principal.certificate->manufacturer.empty())
        ESTUARY_CHECK(check_device_serial(principal.certificate->certificate, wanted.subject()));
    if (principal.certificate && principal.certificate->manufacturer.empty() && !principal.credential &&
        !principal.is_registration_authority()) {
        if (auto names = same_names_as(principal.certificate->certificate, wanted); !names)
            return fail(Code::not_authorised, "a client certificate enrolls its own names only: " + names.error().detail);
    }
    ESTUARY_TRY(auto subject, apply_subject_rules(rules, wanted.subject(), NameSource::request));
    ESTUARY_TRY(auto names, apply_san_rules(rules, wanted.subject_alt_names(), NameSource::request));
    return Identity{std::move(subject), std::move(names)};
}

/// notAfter is the last second (RFC 5280 4.1.2.5), so the period ends one second before its sum (bug class 21); it is cut to
/// the CA's own. A request may wish for a later beginning and an earlier end than the profile gives, never for more.
Result<Validity> validity_of(const Rules& rules, const x509::CertificationRequest& request, Time now) {
    const auto& ca = rules.issuer->config->certificate;
    if (now < ca.not_before() || now + last_hour > ca.not_after())
        return fail(Code::unavailable, "the CA's own certificate is not valid long enough", "CA " + rules.profile.ca);
    Validity validity{now - rules.profile.backdate, {}};
    validity.not_after = std::min(validity.not_before + rules.profile.validity - Seconds{1}, ca.not_after());
    validity.not_before = std::max(validity.not_before, ca.not_before());
    if (const auto wish = request.not_before()) validity.not_before = std::max(validity.not_before, *wish);
    if (const auto wish = request.not_after()) validity.not_after = std::min(validity.not_after, *wish);
    if (validity.not_after < std::max(validity.not_before, now))
        return fail(Code::policy, "the validity that is asked for has ended, or begins after its end or the profile's");
    return validity;
}

}  // namespace

struct Policy::Decision {
    Identity names;
    RequestedExtensions extensions;
    Validity validity;
};

Result<Policy::Decision> Policy::decide(const Rules& rules, const EnrollRequest& request, Time now) const {
    ESTUARY_CHECK(check_principal(rules, request));
    ESTUARY_CHECK(check_for_ca(rules, request));
    if (request.verb == Verb::renew) ESTUARY_CHECK(check_renewal(rules, request, now));
    ESTUARY_CHECK(check_linking(request));
    ESTUARY_CHECK(check_possession(request));
    ESTUARY_CHECK(check_key(rules, request.request, blocked_));
    const bool for_ca = request.verb == Verb::cross_certify;
    ESTUARY_TRY(auto names, for_ca                        ? ca_names(rules, request)
                            : request.verb == Verb::renew ? renewal_names(rules, request)
                                                          : enrollment_names(rules, request));
    if (request.principal.credential)
        ESTUARY_CHECK(check_credential_patterns(*request.principal.credential, names.subject, names.names));
    ESTUARY_TRY(auto extensions, for_ca ? apply_ca_extension_rules(rules, request.request) : apply_extension_rules(rules, request.request));
    ESTUARY_CHECK(check_names_together(names.subject, names.names, extensions.server_auth));
    ESTUARY_TRY(const auto validity, validity_of(rules, request.request, now));
    return Decision{std::move(names), std::move(extensions), validity};
}

Result<void> Policy::check(const Rules& rules, const EnrollRequest& request, Time now) const {
    ESTUARY_CHECK(decide(rules, request, now));
    return {};
}

Result<Policy::Approved> Policy::approve(const Rules& rules, const EnrollRequest& request, Time now) const {
    if (!rules.issuer->signer)
        return fail(Code::policy, fmt::format("CA {} is another's: it issues nothing for this server itself", rules.profile.ca));
    ESTUARY_TRY(auto decision, decide(rules, request, now));
    return build(rules, request, std::move(decision), now);
}

namespace {

/// What is left of the validity that is wished for: no more than was decided.
void shorten(x509::CertificationRequest::Parts& parts, const Validity& decided) {
    if (parts.not_before) parts.not_before = std::max(*parts.not_before, decided.not_before);
    if (parts.not_after) parts.not_after = std::min(*parts.not_after, decided.not_after);
}

bool is_within(const x509::CertificationRequest& request, const Validity& decided) {
    return (!request.not_before() || *request.not_before() >= decided.not_before) && (!request.not_after() || *request.not_after() <= decided.not_after);
}

/// Whether a request says nothing but what was decided: then it can go on as it came, with its own proof of possession.
bool says_only(const x509::CertificationRequest& request, const Identity& names, const std::vector<x509::Extension>& decided) {
    if (request.possession() != x509::Possession::signature || !(request.subject() == names.subject)) return false;
    if (sorted(request.subject_alt_names()) != sorted(names.names)) return false;
    const auto is_decided = [&](const x509::Extension& extension) {
        const auto* found = x509::find(decided, extension.id);
        return extension.id == x509::oid::subject_alt_name || (found != nullptr && found->value == extension.value);
    };
    // A challengePassword is for whoever it was given to, and a new name is in the names already.
    const auto is_harmless = [](const x509::Attribute& attribute) { return attribute.type == x509::oid::extension_request; };
    return std::ranges::all_of(request.extensions(), is_decided) && std::ranges::all_of(request.attributes(), is_harmless);
}

}  // namespace

Result<x509::CertificationRequest> Policy::approve_upstream(const Rules& rules, const EnrollRequest& request, Time now) const {
    ESTUARY_TRY(auto decision, decide(rules, request, now));
    auto& asked = decision.extensions;
    std::vector<x509::Extension> extensions;
    if (!decision.names.names.empty())
        extensions.push_back(x509::make_subject_alt_name(decision.names.names, decision.names.subject.empty()));
    if (asked.key_usage != 0) extensions.push_back(x509::make_key_usage(asked.key_usage));
    if (asked.ext_key_usage) extensions.push_back(std::move(*asked.ext_key_usage));
    for (auto& passed : asked.passed) extensions.push_back(std::move(passed));
    if (is_within(request.request, decision.validity) && says_only(request.request, decision.names, extensions)) return request.request;
    auto parts = request.request.parts();
    shorten(parts, decision.validity);
    parts.subject = std::move(decision.names.subject);
    parts.extensions = std::move(extensions);
    parts.attributes.clear();
    parts.possession = x509::Possession::registration_authority;
    return x509::CertificationRequest::make(std::move(parts));
}

Result<Policy::Approved> Policy::build(const Rules& rules, const EnrollRequest& request, Decision decision, Time now) const {
    const auto& issuer = *rules.issuer;
    const auto spki = request.request.spki();
    ESTUARY_TRY(const auto key_identifier, x509::key_identifier(spki));
    x509::TbsCertificate tbs;
    tbs.serial_number = make_serial_number(now, entropy_);
    tbs.signature_algorithm = issuer.signer->algorithm();
    tbs.issuer = issuer.config->certificate.subject();
    tbs.not_before = decision.validity.not_before;
    tbs.not_after = decision.validity.not_after;
    tbs.subject = decision.names.subject;
    tbs.spki = to_vec(spki);
    auto& extensions = tbs.extensions;
    extensions.reserve(9 + rules.trailing.size() + decision.extensions.passed.size());
    extensions.push_back(issuer.authority_key_identifier);
    extensions.push_back(x509::make_subject_key_identifier(decision.extensions.subject_key_identifier.value_or(key_identifier)));
    if (decision.extensions.key_usage != 0) extensions.push_back(x509::make_key_usage(decision.extensions.key_usage));
    if (decision.extensions.basic_constraints) extensions.push_back(x509::make_basic_constraints(*decision.extensions.basic_constraints));
    if (decision.extensions.name_constraints) extensions.push_back(x509::make_name_constraints(*decision.extensions.name_constraints));
    if (!decision.names.names.empty())
        extensions.push_back(x509::make_subject_alt_name(decision.names.names, tbs.subject.empty()));
    if (decision.extensions.ext_key_usage) extensions.push_back(std::move(*decision.extensions.ext_key_usage));
    extensions.insert(extensions.end(), rules.trailing.begin(), rules.trailing.end());
    unsigned shard = 0;
    if (!rules.shard_points.empty()) {
        shard = tbs.serial_number.back() % static_cast<unsigned>(rules.shard_points.size());
        extensions.push_back(rules.shard_points[shard]);
    }
    for (auto& passed : decision.extensions.passed) extensions.push_back(std::move(passed));
    auto serial_number = tbs.serial_number;
    return Approved{Authorised<x509::TbsCertificate>{std::move(tbs)}, std::move(decision.names.subject),
                    std::move(decision.names.names), std::move(serial_number), decision.validity.not_before,
                    decision.validity.not_after, shard};
}

}  // namespace estuary::authority
