#pragma once
// [status], [ca.NAME.crl] and [ca.NAME.ocsp] from TOML.
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// The base of URIs in certificates, without "/" at its end. Plain HTTP: who fetches a CRL to check a TLS certificate cannot use TLS
/// for it (RFC 5280 section 8). malformed.
Result<std::string> status_url(std::string_view text);

/// All but the directory.
void read_status(Table& table, StatusSection& status);
CrlSection read_crl(Table table);
OcspSection read_ocsp(Table table);

/// What of it does not fit together, or cannot be served.
void check_status_references(const Configuration& configuration, Faults& faults);

}  // namespace estuary::daemon
