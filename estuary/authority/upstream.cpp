// CAs that are somebody else's: policy, approval, records and audit are here, only the signature is not.
#include "estuary/authority/upstream.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/serial.h"
#include "estuary/base/log.h"

namespace estuary::authority {
namespace {

/// Whatever else the CA above makes of a request is its right; these are what the requester and this server rely on. Names that
/// nobody asked for are not among what a CA may add (bug class 3).
Result<void> check_issued(const x509::Certificate& certificate, const x509::CertificationRequest& approved, const CaConfig& ca, Time now) {
    const auto wrong = [](std::string what) { return fail(Code::unavailable, "the CA above issued something else than was asked for", std::move(what)); };
    if (!same(certificate.spki(), approved.spki())) return wrong("another key");
    if (!certificate.issuer().matches(ca.certificate.subject())) return wrong("issuer " + certificate.issuer().to_text());
    ESTUARY_TRY(const auto key, ca.certificate.public_key());
    if (const auto verified = certificate.verify_signed_by(key); !verified) return wrong("signature: " + verified.error().detail);
    if (certificate.is_ca()) return wrong("a CA certificate");
    if (certificate.not_after() < now) return wrong("it has expired");
    ESTUARY_TRY(const auto names, certificate.subject_alt_names());
    for (const auto& name : names)
        if (std::ranges::find(approved.subject_alt_names(), name) == approved.subject_alt_names().end()) return wrong("name " + name.to_text());
    return {};
}

/// Names are compared by themselves; of the others policy has seen that they say nothing that counts.
constexpr std::array looked_at_elsewhere{x509::oid::subject_alt_name, x509::oid::basic_constraints, x509::oid::subject_key_identifier};

/// What the profile would give otherwise than it was asked for; empty: nothing.
std::string difference(const x509::CertificationRequest& asked, const x509::CertificationRequest& approved) {
    auto wanted = approved.subject_alt_names(), given = asked.subject_alt_names();
    std::ranges::sort(wanted);
    std::ranges::sort(given);
    if (!(approved.subject() == asked.subject()) || wanted != given) return "the names";
    if (approved.not_before() != asked.not_before() || approved.not_after() != asked.not_after()) return "the validity";
    for (const auto& extension : asked.extensions()) {
        if (std::ranges::find(looked_at_elsewhere, extension.id) != looked_at_elsewhere.end()) continue;
        const auto* given_back = x509::find(approved.extensions(), extension.id);
        if (given_back == nullptr || given_back->value != extension.value) return fmt::format("extension {}", extension.id.dotted());
    }
    return {};
}

}  // namespace

Result<Outcome> Authority::Impl::ask_upstream(const Asking& asking, store::UnitOfWork opening, Time now) {
    const auto& rules = asking.rules;
    ESTUARY_TRY(const auto approved, policy.approve_upstream(rules, asking.request, now));
    const auto record = [&](const x509::Certificate& certificate) { return record_upstream(asking, approved, certificate, now); };
    ESTUARY_TRY(auto outcome, rules.issuer->config->upstream->enroll({asking.key, approved}, std::move(opening), record));
    if (const auto* waiting = std::get_if<UpstreamWaiting>(&outcome)) return Pending{0, std::max(waiting->retry_after, Seconds{1})};
    return Issued{std::move(std::get<x509::Certificate>(outcome)), rules.profile.ca, false};
}

/// Committed at once, for the CA above is told next that the certificate has arrived (bug class 24).
Result<void> Authority::Impl::record_upstream(const Asking& asking, const x509::CertificationRequest& approved,
                                              const x509::Certificate& certificate, Time now) {
    const auto& rules = asking.rules;
    ESTUARY_CHECK(check_issued(certificate, approved, *rules.issuer->config, now));
    store::CertificateRecord record;
    record.ca = rules.profile.ca;
    record.serial_number = to_vec(without_leading_zeros(certificate.serial_number()));
    ESTUARY_TRY(const auto before, store.certificate(record.ca, record.serial_number));
    if (before && same(before->der, certificate.der())) return {};   // after a failure, the second time
    record.subject = certificate.subject().to_text();
    ESTUARY_TRY(const auto names, certificate.subject_alt_names());
    record.subject_alt_names = names_text(names);
    record.not_before = certificate.not_before();
    record.not_after = certificate.not_after();
    record.profile = rules.profile.name;
    store::UnitOfWork work;
    note_issued(asking.request, asking.who, std::move(record), certificate, asking.recorded_by_key ? std::optional{asking.key} : std::nullopt, work,
                now);
    if (asking.approved) work.writes.emplace_back(store::CompleteRequest{*asking.approved});
    ESTUARY_CHECK(store.commit(std::move(work)));
    log::info("certificate.issued", {{"who", asking.who}, {"ca", rules.profile.ca}, {"subject", certificate.subject().to_text()}, {"by", "the CA above"}});
    return {};
}

Result<void> Authority::Impl::revoke_upstream(std::string_view ca, Bytes serial_number, store::RevocationReason reason) const {
    const auto issuer = issuers.find(ca);
    if (issuer == issuers.end() || !issuer->second.config->upstream) return {};
    return issuer->second.config->upstream->revoke(serial_number, reason);
}

Result<std::optional<ChangedRequest>> Authority::approve(const EnrollRequest& request) {
    ESTUARY_TRY(const auto* const rules, impl_->rules(request.profile));
    if (rules->profile.manual_approval)
        return fail(Code::policy, "a person has to approve requests by this profile, and messages that are sent on do not wait for that");
    const auto now = impl_->clock.now();
    if (request.verb == Verb::renew) ESTUARY_CHECK(impl_->still_good(request.principal));
    ESTUARY_TRY(auto approved, impl_->policy.approve_upstream(*rules, request, now));
    auto what = difference(request.request, approved);
    if (what.empty()) return std::optional<ChangedRequest>{};
    return std::optional{ChangedRequest{std::move(approved), std::move(what)}};
}

}  // namespace estuary::authority
