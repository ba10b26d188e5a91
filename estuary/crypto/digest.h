#pragma once
// Digests, MACs, random octets, and comparison of secrets.
#include <array>

#include "estuary/base/bytes.h"
#include "estuary/base/result.h"

namespace estuary::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
using Sha1 = std::array<std::uint8_t, 20>;

Sha256 sha256(Bytes data);
/// Only for key identifiers (RFC 5280 4.2.1.2) and other names, never for signatures.
Sha1 sha1_for_identifiers(Bytes data);
/// A digest by OpenSSL name ("SHA384"); unsupported where the library lacks it.
Result<ByteVec> digest(std::string_view name, Bytes data);
Sha256 hmac_sha256(Bytes key, Bytes data);

/// Fills with octets of the library's DRBG; a failure is a fault of our own (exception).
void random(std::span<std::uint8_t> out);

/// Time depends on the lengths only.
bool equal_in_constant_time(Bytes a, Bytes b) noexcept;

/// Injected where tests need to know the octets.
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
};
class SystemEntropy final : public Entropy {
public:
    void fill(std::span<std::uint8_t> out) override { random(out); }
};

}  // namespace estuary::crypto
