#pragma once
// Decrypting without telling what was wrong (bug class 17).
#include "estuary/crypto/digest.h"
#include "estuary/crypto/secret.h"

namespace estuary::cms {

/// What follows from the message alone, and so may be said.
inline bool may_be_said(Code code) { return code == Code::malformed || code == Code::unsupported || code == Code::too_large; }

/// decrypt(key) with the key that was unwrapped. In place of one that was not, or is of another length, another is used, and every
/// such failure ends as the same bad_proof about `what` after the same work; its cause is only for the log.
template <class Decrypt>
Result<crypto::Secret> open_uniformly(Result<crypto::Secret> unwrapped, std::size_t key_octets, const std::string& what,
                                      Decrypt&& decrypt) {
    if (!unwrapped && may_be_said(unwrapped.error().code)) return fail(std::move(unwrapped).error());
    ByteVec substitute(key_octets);
    crypto::random(substitute);
    const bool right_length = unwrapped && unwrapped->reveal().size() == key_octets;
    Result<crypto::Secret> plain = decrypt(right_length ? unwrapped->reveal() : Bytes{substitute});
    if (right_length && plain) return plain;
    std::string cause = !unwrapped ? unwrapped.error().detail : plain ? "a key of another length" : plain.error().detail;
    return fail(Code::bad_proof, what + ": it does not decrypt", std::move(cause));
}

}  // namespace estuary::cms
