#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/issued_by.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

constexpr std::string_view revocation_operation = "revoke";

/// The operator revokes anything; the holder of a certificate that one; a registration authority those of its own CA and
/// label; nobody else anything (bug class 7).
bool may_revoke(const Principal& principal, const store::CertificateRecord& record) {
    if (principal.operator_) return true;
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
    if (request.principal.anonymous()) return fail(Code::not_authenticated, "revocation needs to know who asks");
    ESTUARY_CHECK(check_invalidity_date(request, now));
    ESTUARY_TRY(auto record, store.certificate(request.ca, serial_number));
    // The same answer for what is not there and what is somebody else's.
    if (!record || !may_revoke(request.principal, *record)) {
        if (!request.principal.operator_) return fail(Code::not_authorised, "that certificate is not yours to revoke");
        return fail(Code::not_found, fmt::format("CA {} has no certificate {}", request.ca, to_hex(serial_number)));
    }
    ESTUARY_CHECK(check_change(record->revocation, request.reason));
    return std::move(*record);
}

Result<void> Authority::revoke(const RevokeRequest& request, store::UnitOfWork& work) {
    const auto now = impl_->clock.now();
    ESTUARY_TRY(const auto record, impl_->revocable(request, now));
    const auto& serial_number = record.serial_number;
    ESTUARY_CHECK(impl_->revoke_upstream(record.ca, record.serial_number, request.reason));
    work.writes.emplace_back(store::RevokeCertificate{record.id, {now, request.reason, request.invalidity_date}});
    const bool lifts = request.reason == store::RevocationReason::remove_from_crl;
    impl_->audit(work, lifts ? "certificate.hold_lifted" : "certificate.revoked", request.principal.describe(), fmt::format("{}/{}", record.ca, to_hex(serial_number)),
                 "ok", fmt::format("reason={} subject={}", store::to_string(request.reason), record.subject));
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.4
Result<std::optional<Pending>> Authority::revoke_when_approved(const RevokeRequest& request, const RevocationApproval& approval,
                                                               store::UnitOfWork& work) {
    const auto now = impl_->clock.now();
    ESTUARY_TRY(const auto record, impl_->revocable(request, now));
    const auto who = request.principal.describe();
    const auto key = request_key({revocation_operation, record.profile, approval.label, who, approval.request, approval.transaction_id});
    const auto* certified_by = profile(record.profile);
    const Profile usual;   // a profile that is gone has no times of its own
    const auto& times = certified_by != nullptr ? *certified_by : usual;
    ESTUARY_TRY(const auto pending, impl_->store.pending_request(key));
    if (!pending) {
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
        impl_->audit(work, "request.pending", who, waiting.subject, "ok",
                     fmt::format("{} serial={} label={} address={}", waiting.operation, to_hex(record.serial_number), waiting.label, request.principal.address));
        work.writes.emplace_back(store::InsertPendingRequest{std::move(waiting)});
        return Pending{0, times.poll_interval};
    }
    ESTUARY_TRY(const auto waits, Impl::still_waits(times, *pending, now));
    if (waits) return waits;
    ESTUARY_CHECK(revoke(request, work));
    return std::nullopt;
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
