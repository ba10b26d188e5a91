#pragma once
// A status told: to a person, to a program, and as an exit status.
#include "estuary/ocsp/status_check.h"

namespace estuary::client {

/// Exit statuses of `estuary status`; 1 and 2 as everywhere.
enum StatusExit : int {
    status_good = 0,
    status_not_trusted = 3,   ///< not signed by the issuer that was found, or no path to --trust
    status_revoked = 4,       ///< also on hold
    status_unknown = 5,       ///< the responder does not know it, or nothing could be learnt that can be believed
    status_unreachable = 6,   ///< nobody could be reached; try again later
};
StatusExit exit_status_of(const ocsp::StatusReport& report);

struct StatusAbout {
    const ocsp::Subject& subject;
    bool path_verified;   ///< up to a trust anchor, and not only the issuer's signature
};
std::string status_text(const ocsp::StatusReport& report, const StatusAbout& about);
std::string status_json(const ocsp::StatusReport& report, const StatusAbout& about);

}  // namespace estuary::client
