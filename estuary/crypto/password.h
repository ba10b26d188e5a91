#pragma once
// Passwords: generated ones and chosen ones, stored as text that names its algorithm (PHC string format).
#include <string>

#include "estuary/crypto/secret.h"
#include "estuary/base/result.h"

namespace estuary::crypto {

/// 128 random bits as 26 characters of Crockford base32 in groups, easy to read aloud and to paste.
Secret generate_password();

/// "$scrypt$ln=15,r=8,p=1$salt$hash" (base64 without padding); for passwords that a person chose.
std::string hash_chosen_password(const Secret& password);
/// "$hmac-sha256$salt$hash" keyed by a server secret; only for passwords of 128 random bits.
std::string hash_generated_password(const Secret& password, const Secret& server_key);

/// Whether verifying against `stored` is slow (scrypt).
bool is_slow_hash(std::string_view stored);
/// Constant-time comparison. malformed if `stored` is none of ours or its cost is past sane limits.
Result<bool> verify_password(const Secret& password, std::string_view stored, const Secret& server_key);

/// Digest authentication (RFC 7616): the stored value is SHA-256("user:realm:password"), as hexadecimal.
std::string digest_ha1(std::string_view user, std::string_view realm, const Secret& password);

}  // namespace estuary::crypto
