#pragma once
// Secrets that both sides know: MACs need the secret itself, so the store keeps it encrypted under the server's password key.
#include "estuary/crypto/digest.h"
#include "estuary/crypto/secret.h"
#include "estuary/store/records.h"

namespace estuary::authority {

/// CredentialRecord::sealed_secret: AES-256-GCM, bound to the credential's name and protocol.
Result<ByteVec> seal_secret(const crypto::Secret& password_key, const store::CredentialRecord& of, const crypto::Secret& secret,
                            crypto::Entropy& entropy);
/// internal: it was sealed under another key, or for another credential.
Result<crypto::Secret> open_secret(const crypto::Secret& password_key, const store::CredentialRecord& of);
/// What stands for the secret of a name that is not known: always the same, and known to nobody.
crypto::Secret decoy_secret(const crypto::Secret& password_key, std::string_view name);

}  // namespace estuary::authority
