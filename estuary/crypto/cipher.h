#pragma once
// Symmetric encryption: CBC and GCM by cipher name, and the AES key wrap.
#include <string_view>

#include "estuary/base/result.h"
#include "estuary/crypto/secret.h"

namespace estuary::crypto {

/// Ciphers by OpenSSL name ("AES-256-CBC", "DES-EDE3-CBC"). Key and IV of other lengths than the cipher's, and ciphers that the
/// library lacks, are `unsupported`.
enum class Padding { none, pkcs7 };
Result<ByteVec> encrypt_cbc(std::string_view cipher, Bytes key, Bytes iv, Bytes plain, Padding padding = Padding::pkcs7);
/// bad_proof: not whole blocks, or wrong padding. Whoever can tell that from other errors has a padding oracle.
Result<Secret> decrypt_cbc(std::string_view cipher, Bytes key, Bytes iv, Bytes encrypted, Padding padding = Padding::pkcs7);

constexpr std::size_t gcm_tag_octets = 16;  ///< what encrypt_gcm makes; shorter ones can be read
struct Sealed {
    ByteVec encrypted, tag;
};
Result<Sealed> encrypt_gcm(std::string_view cipher, Bytes key, Bytes nonce, Bytes additional, Bytes plain);
/// bad_proof: the tag is wrong.
Result<Secret> decrypt_gcm(std::string_view cipher, Bytes key, Bytes nonce, Bytes additional, Bytes encrypted, Bytes tag);

/// AES key wrap (RFC 3394) with a key-encryption key of 16, 24 or 32 octets; `key` is of 16 octets or more, a multiple of 8.
Result<ByteVec> wrap_key(Bytes key_encryption_key, Bytes key);
/// bad_proof: wrong key, or not what wrap_key makes.
Result<Secret> unwrap_key(Bytes key_encryption_key, Bytes wrapped);

}  // namespace estuary::crypto
