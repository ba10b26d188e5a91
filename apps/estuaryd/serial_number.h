#pragma once
// Certificates by the serial number that a person gives.
#include "apps/estuaryd/session.h"

namespace estuary::daemon {

/// Hexadecimal, with "0x" or colons or neither, as records keep it.
Result<ByteVec> read_serial(std::string_view text);
/// The one certificate of that serial number; `ca` may be empty. not_found; conflict: several CAs have it.
Result<store::CertificateRecord> find_certificate(store::Store& store, std::string_view serial, const std::string& ca);

}  // namespace estuary::daemon
