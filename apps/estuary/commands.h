#pragma once
// The commands: each adds itself to the program's command line and runs there; the exit status goes into `status`.
#include <CLI/CLI.hpp>

#include "estuary/base/clock.h"

namespace estuary::client {

void add_cacerts(CLI::App& program, const Clock& clock, int& status);
void add_csrattrs(CLI::App& program, const Clock& clock, int& status);
void add_enroll(CLI::App& program, const Clock& clock, int& status);
void add_renew(CLI::App& program, const Clock& clock, int& status);
void add_revoke(CLI::App& program, const Clock& clock, int& status);
void add_pal(CLI::App& program, const Clock& clock, int& status);
void add_packages(CLI::App& program, const Clock& clock, int& status);
void add_cmc(CLI::App& program, const Clock& clock, int& status);
void add_cmp(CLI::App& program, const Clock& clock, int& status);
void add_status(CLI::App& program, const Clock& clock, int& status);

}  // namespace estuary::client
