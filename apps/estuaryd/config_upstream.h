#pragma once
// [ca.NAME.upstream] from TOML.
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// Names of files are made absolute against `directory`.
UpstreamSection read_upstream(Table table, const std::filesystem::path& directory);
/// What a CA that is another's cannot do here.
void check_upstream_references(Configuration& configuration, Faults& faults);

}  // namespace estuary::daemon
