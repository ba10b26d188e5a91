#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/issued_by.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

constexpr std::string_view revocation_operation = "revoke";

/// Neither key nor password is shown: what a passphrase reaches was fixed when it was conveyed. RFC 9810 B.
Result<bool> reaches(const PassphraseProof& proof, const store::CertificateRecord& record, store::Store& store) {
    if (record.ca != proof.ca || record.label != proof.label) return false;
    ESTUARY_TRY(const auto certificate, x509::Certificate::parse(record.der));
    const bool same_subject = !proof.subject.empty() && same(certificate.subject().der(), proof.subject);
    const bool itself = !proof.serial_number.empty() && record.serial_number == proof.serial_number;
    if (record.requester != proof.holder && !same_subject && !itself) return false;
    // Whoever has a key that was withdrawn may have conveyed it: it is no threat to what its rightful holder got afterwards.
    if (!proof.serial_number.empty()) {
        ESTUARY_TRY(const auto conveyed_by, store.certificate(proof.ca, proof.serial_number));
        if (!conveyed_by) return false;
        const auto& end = conveyed_by->revocation;
        if (end && end->reason != store::RevocationReason::superseded && record.issued_at > end->at) return false;
    }
    // A name that was given to somebody else since is somebody else's.
    if (!proof.credential_name.empty()) {
        ESTUARY_TRY(const auto credential, store.credential(proof.credential_name));
        if (credential && credential->id != proof.credential) return false;
    }
    return true;
}

bool is_nobody(const Principal& principal) { return principal.anonymous() && !principal.passphrase; }

/// The operator revokes anything; the holder of a certificate that one; a registration authority those of its own CA and
/// label; whoever has a passphrase what it reaches; nobody else anything (bug class 7).
Result<bool> may_revoke(const RevokeRequest& request, const store::CertificateRecord& record, store::Store& store) {
    const auto& principal = request.principal;
    if (principal.operator_) return true;
    if (principal.anonymous())   // it lifts no hold: that was never its holder's to do
        return request.reason != store::RevocationReason::remove_from_crl ? reaches(*principal.passphrase, record, store) : Result<bool>{false};
    // Who lost the key shows the secret that the certificate was got with (RFC 5272 6.11).
    if (principal.credential && principal.credential->scheme == "cmc" && !principal.certificate)
        return record.requester == principal.describe();
    if (!principal.certificate || principal.certificate->issued_by_ca != record.ca) return false;
    const auto& proof = *principal.certificate;
    return same(proof.certificate.der(), record.der) || (proof.registration_authority && proof.label == record.label);
}

bool is_held(const std::optional<store::Revocation>& revocation) {
    return revocation && revocation->reason == store::RevocationReason::certificate_hold;
}

/// What `wanted` would change of a certificate with this state: from good to anything, from hold to anything else.
Result<void> check_change(const std::optional<store::Revocation>& now, store::RevocationReason wanted) {
    if (wanted == store::RevocationReason::remove_from_crl)
        return is_held(now) ? Result<void>{} : fail(Code::conflict, "it is not on hold: only a hold can be lifted");
    if (!now || (is_held(now) && wanted != store::RevocationReason::certificate_hold)) return {};
    return fail(Code::conflict,
                fmt::format("it is revoked already, since {} ({})", to_iso8601(now->at), store::to_string(now->reason)));
}

Result<void> check_invalidity_date(const RevokeRequest& request, Time now) {
    if (!request.invalidity_date) return {};
    if (request.reason == store::RevocationReason::remove_from_crl)
        return fail(Code::malformed, "lifting a hold has no invalidity date");
    if (*request.invalidity_date > now) return fail(Code::malformed, "the invalidity date is in the future");
    return {};
}

}  // namespace

Result<store::CertificateRecord> Authority::Impl::revocable(const RevokeRequest& request, Time now) {
    const auto serial_number = without_leading_zeros(request.serial_number);
    if (is_nobody(request.principal)) return fail(Code::not_authenticated, "revocation needs to know who asks");
    ESTUARY_CHECK(check_invalidity_date(request, now));
    ESTUARY_TRY(auto record, store.certificate(request.ca, serial_number));
    // The same answer for what is not there and what is somebody else's.
    ESTUARY_TRY(const bool allowed, record ? may_revoke(request, *record, store) : Result<bool>{false});
    if (!allowed) {
        if (!request.principal.operator_) return fail(Code::not_authorised, "that certificate is not yours to revoke");
        return fail(Code::not_found, fmt::format("CA {} has no certificate {}", request.ca, to_hex(serial_number)));
    }
    ESTUARY_CHECK(check_change(record->revocation, request.reason));
    return std::move(*record);
}

Result<void> Authority::Impl::carry_out(const store::CertificateRecord& record, const store::WantedRevocation& wanted, const std::string& who,
                                        std::string_view detail, store::UnitOfWork& work, Time now) const {
    ESTUARY_CHECK(revoke_upstream(record.ca, record.serial_number, wanted.reason));
    work.writes.emplace_back(store::RevokeCertificate{record.id, {now, wanted.reason, wanted.invalidity_date}});
    const bool lifts = wanted.reason == store::RevocationReason::remove_from_crl;
    audit(work, lifts ? "certificate.hold_lifted" : "certificate.revoked", who, fmt::format("{}/{}", record.ca, to_hex(record.serial_number)), "ok",
          fmt::format("reason={} subject={}{}", store::to_string(wanted.reason), record.subject, detail));
    return {};
}

Result<void> Authority::revoke(const RevokeRequest& request, store::UnitOfWork& work) {
    const auto now = impl_->clock.now();
    ESTUARY_TRY(const auto record, impl_->revocable(request, now));
    return impl_->carry_out(record, {request.reason, request.invalidity_date}, request.principal.describe(), {}, work, now);
}

Result<void> Authority::Impl::revoke_approved(const store::PendingRequest& pending, const std::string& who, store::UnitOfWork& work, Time now) const {
    ESTUARY_TRY(const auto record, store.certificate(pending.certificate_id.value_or(0)));
    if (!record) return fail(Code::internal, "the certificate that is to be revoked is not on record");
    ESTUARY_CHECK(check_change(record->revocation, pending.revocation->reason));
    return carry_out(*record, *pending.revocation, who, fmt::format(" request={} requester={}", pending.id, pending.requester), work, now);
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.4
Result<std::optional<Pending>> Authority::revoke_when_approved(const RevokeRequest& request, const RevocationApproval& approval,
                                                               store::UnitOfWork& work) {
    const auto now = impl_->clock.now();
    if (is_nobody(request.principal)) return fail(Code::not_authenticated, "revocation needs to know who asks");
    const auto who = request.principal.describe();
    const auto key = request_key({revocation_operation, request.ca, approval.label, who, approval.request, approval.transaction_id});
    ESTUARY_TRY(const auto pending, impl_->store.pending_request(key));
    // Its key holds who asked, for what. What was agreed to has been carried out with that, and who asked may be its last holder.
    if (pending && pending->state == store::PendingRequest::State::approved) return std::nullopt;
    if (pending && pending->state == store::PendingRequest::State::denied) return Impl::still_waits({}, *pending, now);
    ESTUARY_TRY(const auto record, impl_->revocable(request, now));
    const auto* certified_by = profile(record.profile);
    const Profile usual;   // a profile that is gone has no times of its own
    const auto& times = certified_by != nullptr ? *certified_by : usual;
    if (pending) return Impl::still_waits(times, *pending, now);
    store::PendingRequest waiting;
    waiting.key = key;
    waiting.request = record.der;
    waiting.operation = fmt::format("{}: {}", revocation_operation, store::to_string(request.reason));
    waiting.profile = record.profile;
    waiting.label = approval.label;
    waiting.requester = who;
    waiting.subject = record.subject;
    waiting.created_at = now;
    waiting.expires_at = now + times.approval_expires;
    waiting.certificate_id = record.id;
    waiting.revocation = store::WantedRevocation{request.reason, request.invalidity_date};
    impl_->audit(work, "request.pending", who, waiting.subject, "ok",
                 fmt::format("{} serial={} label={} address={}", waiting.operation, to_hex(record.serial_number), waiting.label, request.principal.address));
    work.writes.emplace_back(store::InsertPendingRequest{std::move(waiting)});
    return Pending{0, times.poll_interval};
}

Result<std::optional<store::CertificateStatus>> Authority::status(std::string_view ca, Bytes serial_number) {
    const auto issuer = impl_->issuers.find(ca);
    if (issuer == impl_->issuers.end()) return fail(Code::not_found, "there is no such CA");
    ESTUARY_TRY(const auto record, impl_->store.certificate(ca, without_leading_zeros(serial_number)));
    if (!record) return std::nullopt;
    // Another generation of this CA may have issued it: what is good of that one is nothing of this one's.
    const auto certificate = x509::Certificate::parse(record->der);
    if (!certificate) return fail(Code::internal, "a certificate on record cannot be read", certificate.error().detail);
    if (!is_issued_by(*certificate, issuer->second.config->certificate)) return std::nullopt;
    return store::CertificateStatus{record->id, record->not_after, record->revocation};
}

}  // namespace estuary::authority
