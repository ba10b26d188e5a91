#include "estuary/cmp/failure.h"

#include <cstdlib>

namespace estuary::cmp {

PkiFailure failure_of(Code code) noexcept {
    switch (code) {
        case Code::malformed: return PkiFailure::bad_data_format;
        case Code::too_large: return PkiFailure::bad_request;
        case Code::unsupported: return PkiFailure::bad_alg;
        case Code::not_authenticated: return PkiFailure::bad_message_check;
        case Code::not_authorised: return PkiFailure::not_authorized;
        case Code::bad_proof: return PkiFailure::bad_pop;
        case Code::policy: return PkiFailure::bad_cert_template;
        case Code::bad_key: return PkiFailure::bad_cert_template;
        case Code::not_found: return PkiFailure::bad_cert_id;
        case Code::conflict: return PkiFailure::duplicate_cert_req;
        case Code::too_busy: return PkiFailure::system_unavail;
        case Code::unavailable: return PkiFailure::system_unavail;
        case Code::internal: return PkiFailure::system_failure;
    }
    std::abort();  // every code is above; -Wswitch sees to it
}

Failure as_failure(PkiFailure bit, Error error) {
    const auto usual = failure_of(error.code);
    const bool ours = usual == PkiFailure::system_unavail || usual == PkiFailure::system_failure;
    return {ours ? usual : bit, std::move(error)};
}

std::string Failure::text() const {
    if (error.code == Code::internal) return "the server failed; its log says why";
    if (error.code == Code::unavailable) return "not now; try again later";
    return error.detail;
}

}  // namespace estuary::cmp
