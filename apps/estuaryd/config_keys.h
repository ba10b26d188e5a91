#pragma once
// [keys]: private keys that are made here for others (RFC 7030 4.4), and who gets archived ones back.
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// Names of files are made absolute against `directory`.
KeysSection read_keys(Table table, const std::filesystem::path& directory);
/// What profiles and labels say of keys fits [keys]; puts in how many are kept ready where that was not said.
void join_keys(Configuration& configuration, Faults& faults);

/// Whether some label makes keys of this CA's.
bool makes_keys(const Configuration& configuration, std::string_view ca);

}  // namespace estuary::daemon
