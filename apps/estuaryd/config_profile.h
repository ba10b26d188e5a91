#pragma once
// [profile.NAME] as an authority::Profile.
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// `ca` is what a profile signs with that names none: the only CA, or empty.
authority::Profile read_profile(const std::string& name, Table& table, const std::string& ca);

}  // namespace estuary::daemon
