#pragma once
// PBKDF2-params as they stand in AlgorithmIdentifiers (RFC 8018 A.2).
#include <optional>
#include <string_view>

#include "estuary/base/result.h"
#include "estuary/crypto/secret.h"

namespace estuary::crypto {

struct Pbkdf2Parameters {
    ByteVec salt;
    std::uint64_t iterations = 0;
    std::optional<std::size_t> key_octets;
    std::string_view digest = "SHA1";  ///< of the PRF, by OpenSSL name; SHA-1 is the default
};

/// Reads an AlgorithmIdentifier of id-PBKDF2. unsupported: another function, a salt that is not stated, a PRF that is no HMAC;
/// too_large: more iterations than `iterations_max`; malformed.
Result<Pbkdf2Parameters> read_pbkdf2(Bytes algorithm_identifier, std::uint64_t iterations_max);
/// A whole AlgorithmIdentifier in DER. unsupported: no such digest.
Result<ByteVec> encode_pbkdf2(const Pbkdf2Parameters& parameters);
/// The key, of key_octets if they are stated, otherwise of `octets`.
Result<Secret> derive(const Pbkdf2Parameters& parameters, Bytes password, std::size_t octets);

}  // namespace estuary::crypto
