#pragma once
// Which of the certificates that came along a signature was made with (RFC 9483 3.1, 3.3).
#include "estuary/cmp/header.h"
#include "estuary/x509/certificate.h"

namespace estuary::cmp {

/// The first one, unless senderKID names another of them. Null: there is none, or none that senderKID names. A certificate without
/// a subject key identifier cannot be named by one, so it is not held against the first.
const x509::Certificate* protection_certificate(const PkiHeader& header, const std::vector<x509::Certificate>& certificates);

}  // namespace estuary::cmp
