#include "estuary/store/records.h"

#include <array>
#include <cstdlib>

namespace estuary::store {
namespace {

constexpr std::array all_reasons{
    RevocationReason::unspecified,          RevocationReason::key_compromise,    RevocationReason::ca_compromise,
    RevocationReason::affiliation_changed,  RevocationReason::superseded,        RevocationReason::cessation_of_operation,
    RevocationReason::certificate_hold,     RevocationReason::remove_from_crl,   RevocationReason::privilege_withdrawn,
    RevocationReason::aa_compromise};

}  // namespace

std::string_view to_string(RevocationReason reason) noexcept {
    switch (reason) {
        case RevocationReason::unspecified: return "unspecified";
        case RevocationReason::key_compromise: return "keyCompromise";
        case RevocationReason::ca_compromise: return "cACompromise";
        case RevocationReason::affiliation_changed: return "affiliationChanged";
        case RevocationReason::superseded: return "superseded";
        case RevocationReason::cessation_of_operation: return "cessationOfOperation";
        case RevocationReason::certificate_hold: return "certificateHold";
        case RevocationReason::remove_from_crl: return "removeFromCRL";
        case RevocationReason::privilege_withdrawn: return "privilegeWithdrawn";
        case RevocationReason::aa_compromise: return "aACompromise";
    }
    std::abort();
}

Result<RevocationReason> revocation_reason(std::string_view name) {
    for (const auto reason : all_reasons)
        if (to_string(reason) == name) return reason;
    return fail(Code::malformed, "not a revocation reason of RFC 5280 (keyCompromise, superseded …): " + std::string{name});
}

std::string_view to_string(PendingRequest::State state) noexcept {
    switch (state) {
        case PendingRequest::State::pending: return "pending";
        case PendingRequest::State::approved: return "approved";
        case PendingRequest::State::denied: return "denied";
        case PendingRequest::State::issued: return "issued";
    }
    std::abort();
}

}  // namespace estuary::store
