#pragma once
// What every command gets: where it writes, what time it is, where randomness comes from; and how it ends.
#include <filesystem>
#include <iosfwd>
#include <string>

#include "estuary/base/clock.h"
#include "estuary/base/result.h"
#include "estuary/crypto/digest.h"

namespace estuary::daemon {

/// Exit statuses, as estuaryd(8) documents them.
enum class Exit : int {
    ok = 0,
    failed = 1,   ///< it was tried and did not work; the message says why
    usage = 2,    ///< the command line is wrong
    refused = 3,  ///< not found, already there, or not allowed: nothing was changed
};

struct Program {
    std::ostream& out;  ///< results
    std::ostream& err;  ///< everything said to a person
    const Clock& clock;
    crypto::Entropy& entropy;
};

/// The whole program: reads the command line and does what it says.
int run(int argc, const char* const* argv, const Program& program);

/// "estuaryd: DETAIL (CAUSE)", and the exit status that belongs to the error's code.
Exit report(const Program& program, const Error& error);

/// "operator:USER", for records and the audit trail.
std::string operator_name();

}  // namespace estuary::daemon
