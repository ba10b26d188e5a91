#pragma once
// The commands below `estuary cmp`.
#include <CLI/CLI.hpp>

#include "cmp_session.h"

namespace estuary::client {

void add_cmp_enroll(CLI::App& cmp, const Clock& clock, int& status);   ///< ir, cr, kur, p10cr
void add_cmp_revoke(CLI::App& cmp, const Clock& clock, int& status);   ///< rr
void add_cmp_ask(CLI::App& cmp, const Clock& clock, int& status);      ///< genm

}  // namespace estuary::client
