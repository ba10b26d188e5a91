// Certificates that count only once their requester has confirmed them (RFC 9810 5.3.18, RFC 5272 6.11; bug class 27).
#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"
#include "estuary/base/log.h"
#include "estuary/base/text.h"

namespace estuary::authority {
namespace {

store::RevokeCertificate withdrawal(std::int64_t id, Time now) {
    return {id, {now, store::RevocationReason::cessation_of_operation, {}}};
}

/// Who signs with the new certificate itself has its key, and so asked for it (RFC 5272 6.11).
bool is_held_by(const Principal& principal, const store::UnconfirmedCertificate& waiting) {
    return principal.certificate && principal.certificate->issued_by_ca == waiting.ca &&
           same(without_leading_zeros(principal.certificate->certificate.serial_number()), waiting.serial_number);
}

}  // namespace

Result<void> Authority::confirm(const ConfirmRequest& request, store::UnitOfWork& work) {
    const auto who = request.principal.describe();
    ESTUARY_TRY(const auto waiting, impl_->store.unconfirmed(request.ca, without_leading_zeros(request.serial_number)));
    if (!waiting) return fail(Code::not_found, "no certificate of this serial number waits for a confirmation");
    if (waiting->requester != who && !is_held_by(request.principal, *waiting))
        return fail(Code::not_authorised, "somebody else requested this certificate");
    const auto now = impl_->clock.now();
    if (now > waiting->until) return fail(Code::not_found, "the time to confirm this certificate is over");
    const auto object = fmt::format("{}/{}", waiting->ca, to_hex(waiting->serial_number));
    if (!request.accepted)
        ESTUARY_CHECK(impl_->revoke_upstream(waiting->ca, waiting->serial_number, store::RevocationReason::cessation_of_operation));
    work.writes.emplace_back(store::SettleConfirmation{waiting->id});
    if (!request.accepted) work.writes.emplace_back(withdrawal(waiting->id, now));
    impl_->audit(work, request.accepted ? "certificate.confirmed" : "certificate.rejected", who, object, "ok",
                 text::printable(request.reason));
    return {};
}

Result<std::size_t> Authority::revoke_unconfirmed(std::size_t count_max, store::UnitOfWork& work) {
    const auto now = impl_->clock.now();
    ESTUARY_TRY(const auto late, impl_->store.unconfirmed(now, count_max));
    std::size_t settled = 0;
    for (const auto& certificate : late) {
        // Where the CA above does not answer, it waits for the next time.
        if (auto told = impl_->revoke_upstream(certificate.ca, certificate.serial_number, store::RevocationReason::cessation_of_operation); !told) {
            log::error("an unconfirmed certificate is not revoked yet", {{"ca", certificate.ca}, {"detail", told.error().detail}});
            continue;
        }
        ++settled;
        work.writes.emplace_back(store::SettleConfirmation{certificate.id});
        ESTUARY_TRY(const auto status, impl_->store.certificate_status(certificate.ca, certificate.serial_number));
        if (status && !status->revocation) work.writes.emplace_back(withdrawal(certificate.id, now));
        impl_->audit(work, "certificate.unconfirmed", "server", fmt::format("{}/{}", certificate.ca, to_hex(certificate.serial_number)),
                     "ok", "revoked: its requester did not confirm it in time");
    }
    return settled;
}

}  // namespace estuary::authority
