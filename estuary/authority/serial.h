#pragma once
// Serial numbers: the one place that makes them.
#include "estuary/base/clock.h"
#include "estuary/crypto/digest.h"

namespace estuary::authority {

/// RFC 5280 4.1.2.2: positive, at most 20 octets.
inline constexpr std::size_t serial_octets_max = 20;

/// Four octets of time (seconds since 1970, halved: the first bit stays 0 until 2106; the indexes of a
/// store stay local) and sixteen random ones. Big-endian, without leading zero octets. (bug class 23)
ByteVec make_serial_number(Time now, crypto::Entropy& entropy);

/// Content octets of an INTEGER without the leading zero octets that its sign may need: how records hold serial numbers.
Bytes without_leading_zeros(Bytes serial_number) noexcept;

}  // namespace estuary::authority
