#pragma once
// [status], [ca.NAME.crl] and [ca.NAME.ocsp] from TOML.
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// All but the directory.
void read_status(Table& table, StatusSection& status);
CrlSection read_crl(Table table);
OcspSection read_ocsp(Table table);

/// What of it does not fit together, or cannot be served.
void check_status_references(const Configuration& configuration, Faults& faults);

}  // namespace estuary::daemon
