#pragma once
// [cmc] and [cmc.label.NAME] from TOML.
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// `profiles` are those that the file has; labels name them.
CmcSection read_cmc(Table table, const std::map<std::string, Place>& profiles);

/// What of it does not fit together with the rest of the file; labels of EST learn that they offer /fullcmc.
void join_cmc(Configuration& configuration, Faults& faults);

}  // namespace estuary::daemon
