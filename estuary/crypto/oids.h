#pragma once
// Object identifiers of keys that more than one source of cryptography names.
#include "estuary/asn1/oid.h"

namespace estuary::crypto::oid {

inline constexpr der::Oid ec_public_key{"1.2.840.10045.2.1"};      // RFC 5480 2.1.1
inline constexpr der::Oid rsa_encryption{"1.2.840.113549.1.1.1"};  // RFC 3279 2.3.1
inline constexpr der::Oid rsassa_pss{"1.2.840.113549.1.1.10"};     // RFC 4055 3.1

}  // namespace estuary::crypto::oid
