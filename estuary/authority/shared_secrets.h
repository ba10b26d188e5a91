#pragma once
// Secrets that both sides know: MACs need the secret itself, so the store keeps it encrypted under the server's password key.
#include "estuary/crypto/digest.h"
#include "estuary/crypto/secret.h"
#include "estuary/store/records.h"

namespace estuary::authority {

/// What a secret in the store is for, and which record it belongs to: sealed for something else it does not open.
struct SealedFor {
    std::string_view purpose;
    Bytes context;
};
/// AES-256-GCM under a key that follows from the password key and the purpose. bad_key: there is no password key.
Result<ByteVec> seal(const crypto::Secret& password_key, const SealedFor& what, const crypto::Secret& secret, crypto::Entropy& entropy);
/// bad_proof: it was sealed under another key, or for something else.
Result<crypto::Secret> open_sealed(const crypto::Secret& password_key, const SealedFor& what, Bytes sealed);

/// CredentialRecord::sealed_secret: AES-256-GCM, bound to the credential's name and protocol.
Result<ByteVec> seal_secret(const crypto::Secret& password_key, const store::CredentialRecord& of, const crypto::Secret& secret,
                            crypto::Entropy& entropy);
/// internal: it was sealed under another key, or for another credential.
Result<crypto::Secret> open_secret(const crypto::Secret& password_key, const store::CredentialRecord& of);
/// What stands for the secret of a name that is not known: always the same, and known to nobody.
crypto::Secret decoy_secret(const crypto::Secret& password_key, std::string_view name);

}  // namespace estuary::authority
