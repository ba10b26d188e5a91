#include "estuary/base/result.h"

namespace estuary {

std::string_view to_string(Code code) noexcept {
    switch (code) {
        case Code::malformed: return "malformed";
        case Code::too_large: return "too_large";
        case Code::unsupported: return "unsupported";
        case Code::not_authenticated: return "not_authenticated";
        case Code::not_authorised: return "not_authorised";
        case Code::bad_proof: return "bad_proof";
        case Code::policy: return "policy";
        case Code::bad_key: return "bad_key";
        case Code::not_found: return "not_found";
        case Code::conflict: return "conflict";
        case Code::too_busy: return "too_busy";
        case Code::unavailable: return "unavailable";
        case Code::internal: return "internal";
    }
    return "internal";
}

Error in_context(std::string_view where, Error error) {
    error.detail.insert(0, std::string{where} + ": ");
    return error;
}

}  // namespace estuary
