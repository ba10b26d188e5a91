#pragma once
// What no single table can tell: whether the parts of a configuration fit together.
#include "apps/estuaryd/config_table.h"
#include "estuary/x509/name.h"

namespace estuary::daemon {

void check_references(Configuration& configuration, Faults& faults);

/// A host of a TLS certificate: a DNS name or an address.
Result<x509::GeneralName> host_name(std::string_view text);

}  // namespace estuary::daemon
