#pragma once
// CAs above this server (estuary/authority/upstream.h), as the configuration names them.
#include "apps/estuaryd/config_table.h"
#include "apps/estuaryd/program.h"
#include "estuary/authority/authority.h"

namespace estuary::daemon {

using AboveCas = std::map<std::string, std::shared_ptr<const cmp::Above>, std::less<>>;

/// Gives each CA of `config` that is another's its way there, and tells of all of them. Nothing is sent. Faults are certificates and
/// keys that do not fit.
AboveCas wire_upstream_cas(const Configuration& configuration, const crypto::Secret* passphrase, store::Store& store,
                           const Program& program, authority::Config& config, Faults& faults);

}  // namespace estuary::daemon
