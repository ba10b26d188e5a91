#pragma once
// What a CA asks for, for the person who decides about it.
#include "apps/estuaryd/table.h"
#include "estuary/base/bytes.h"

namespace estuary::daemon {

/// The fields of a CertReqMsg (RFC 4211) of a ccr; nothing where it cannot be read.
void add_ca_request(Bytes request, FieldList& fields);

}  // namespace estuary::daemon
