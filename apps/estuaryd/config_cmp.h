#pragma once
// [cmp] and [cmp.label.NAME] from TOML.
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// `profiles` are those that the file has; labels name them.
CmpSection read_cmp(Table table, const std::map<std::string, Place>& profiles);

/// What of it does not fit together with the rest of the file.
void check_cmp_references(const Configuration& configuration, Faults& faults);

}  // namespace estuary::daemon
