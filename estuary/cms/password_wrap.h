#pragma once
// The key wrap of RFC 3211 2.3 for password recipients: CBC twice over, with a length and a check value inside.
#include <string_view>

#include "estuary/base/result.h"
#include "estuary/crypto/secret.h"

namespace estuary::cms {

/// `cipher` is one in CBC mode; `iv` is one block. The key is of 3 to 255 octets.
Result<ByteVec> wrap_by_password(std::string_view cipher, Bytes key_encryption_key, Bytes iv, Bytes key);
/// bad_proof: wrong password, or a length that does not fit (CVE-2026-9076).
Result<crypto::Secret> unwrap_by_password(std::string_view cipher, Bytes key_encryption_key, Bytes iv, Bytes wrapped);

}  // namespace estuary::cms
