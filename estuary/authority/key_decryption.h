#pragma once
// Keys that requesters may name to have theirs encrypted with (RFC 7030 4.4.1.1, 4.4.1.2), as the store keeps them.
#include "estuary/authority/key_generation.h"

namespace estuary::authority {

/// A shared key for DecryptionKey::sealed_key: encrypted under the server's password key, and bound to its identifier.
Result<ByteVec> seal_decryption_key(const crypto::Secret& password_key, Bytes identifier, const crypto::Secret& key,
                                    crypto::Entropy& entropy);
/// internal: it was sealed under another key, or for another identifier.
Result<crypto::Secret> open_decryption_key(const crypto::Secret& password_key, const store::DecryptionKey& of);

/// The identifier that a certificate's key is named by: its subjectKeyIdentifier, or what that would be.
Result<ByteVec> decryption_key_identifier(const x509::Certificate& certificate);

}  // namespace estuary::authority
