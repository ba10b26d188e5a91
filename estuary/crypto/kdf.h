#pragma once
// Key derivation: from secrets that were agreed on, and from passwords.
#include <string_view>

#include "estuary/base/result.h"
#include "estuary/crypto/secret.h"

namespace estuary::crypto {

/// ANSI X9.63 (SEC 1 3.6.1). Digests by OpenSSL name ("SHA256"); unsupported where the library lacks one.
Result<Secret> x963_kdf(std::string_view digest, Bytes shared_secret, Bytes shared_info, std::size_t octets);
/// HKDF, extract and expand (RFC 5869); an empty salt is one of zeros.
Result<Secret> hkdf(std::string_view digest, Bytes key_material, Bytes salt, Bytes info, std::size_t octets);
/// PBKDF2 with HMAC (RFC 8018 5.2). The caller limits `iterations`.
Result<Secret> pbkdf2(std::string_view digest, Bytes password, Bytes salt, std::uint64_t iterations, std::size_t octets);

}  // namespace estuary::crypto
