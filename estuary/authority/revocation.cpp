#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

/// The operator revokes anything; the holder of a certificate that one; nobody else anything (bug class 7).
bool may_revoke(const Principal& principal, const store::CertificateRecord& record) {
    if (principal.operator_) return true;
    return principal.certificate && principal.certificate->issued_by_ca == record.ca &&
           same(principal.certificate->certificate.der(), record.der);
}

}  // namespace

Result<void> Authority::revoke(const RevokeRequest& request, store::UnitOfWork& work) {
    const auto serial_number = without_leading_zeros(request.serial_number);
    if (request.principal.anonymous()) return fail(Code::not_authenticated, "revocation needs to know who asks");
    if (request.reason == store::RevocationReason::remove_from_crl)
        return fail(Code::unsupported, "a hold is not lifted: removeFromCRL is not done here");
    ESTUARY_TRY(const auto record, impl_->store.certificate(request.ca, serial_number));
    // The same answer for what is not there and what is somebody else's.
    if (!record || !may_revoke(request.principal, *record)) {
        if (!request.principal.operator_) return fail(Code::not_authorised, "that certificate is not yours to revoke");
        return fail(Code::not_found, fmt::format("CA {} has no certificate {}", request.ca, to_hex(serial_number)));
    }
    const auto& revocation = record->revocation;
    const bool held = revocation && revocation->reason == store::RevocationReason::certificate_hold &&
                      request.reason != store::RevocationReason::certificate_hold;
    if (revocation && !held)
        return fail(Code::conflict, fmt::format("it is revoked already, since {} ({})", to_iso8601(revocation->at),
                                                store::to_string(revocation->reason)));
    work.writes.emplace_back(store::RevokeCertificate{record->id, {impl_->clock.now(), request.reason}});
    impl_->audit(work, "certificate.revoked", request.principal.describe(), fmt::format("{}/{}", record->ca, to_hex(serial_number)),
                 "ok", fmt::format("reason={} subject={}", store::to_string(request.reason), record->subject));
    return {};
}

}  // namespace estuary::authority
