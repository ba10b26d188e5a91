#pragma once
// Object identifiers of protection algorithms (RFC 9810 5.1.3) that are no plain signatures or MACs.
#include "estuary/crypto/agreement_mac.h"

namespace estuary::cmp::oid {

using crypto::oid::dh_based_mac;
inline constexpr der::Oid kem_based_mac{"1.2.840.113533.7.66.16"};
inline constexpr der::Oid rsassa_pss{"1.2.840.113549.1.1.10"};

}  // namespace estuary::cmp::oid
