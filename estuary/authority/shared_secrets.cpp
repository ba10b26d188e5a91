#include "estuary/authority/shared_secrets.h"

#include "estuary/asn1/der.h"
#include "estuary/crypto/cipher.h"
#include "estuary/crypto/kdf.h"

namespace estuary::authority {
namespace {

constexpr std::string_view cipher = "AES-256-GCM";
constexpr std::size_t nonce_octets = 12;

constexpr std::string_view credential_purpose = "estuary: secrets of credentials";

Result<crypto::Secret> sealing_key(const crypto::Secret& password_key, std::string_view purpose) {
    if (password_key.empty()) return fail(Code::bad_key, "there is no password key to seal secrets with");
    return crypto::hkdf("SHA256", password_key.reveal(), {}, as_bytes(purpose), 32);
}

/// A sealed secret that somebody copies to another record does not open there.
ByteVec bound_to(const store::CredentialRecord& of) {
    der::Writer writer;
    writer.octet_string(as_bytes(of.name)).octet_string(as_bytes(of.protocol));
    return std::move(writer).take();
}

}  // namespace

Result<ByteVec> seal(const crypto::Secret& password_key, const SealedFor& what, const crypto::Secret& secret, crypto::Entropy& entropy) {
    ESTUARY_TRY(const auto key, sealing_key(password_key, what.purpose));
    ByteVec sealed(nonce_octets);
    entropy.fill(sealed);
    ESTUARY_TRY(const auto box, crypto::encrypt_gcm(cipher, key.reveal(), sealed, what.context, secret.reveal()));
    sealed.insert(sealed.end(), box.encrypted.begin(), box.encrypted.end());
    sealed.insert(sealed.end(), box.tag.begin(), box.tag.end());
    return sealed;
}

Result<crypto::Secret> open_sealed(const crypto::Secret& password_key, const SealedFor& what, Bytes sealed) {
    if (sealed.size() < nonce_octets + crypto::gcm_tag_octets) return fail(Code::bad_proof, "a sealed secret is too short");
    ESTUARY_TRY(const auto key, sealing_key(password_key, what.purpose));
    const auto encrypted = sealed.subspan(nonce_octets, sealed.size() - nonce_octets - crypto::gcm_tag_octets);
    return crypto::decrypt_gcm(cipher, key.reveal(), sealed.first(nonce_octets), what.context, encrypted, sealed.last(crypto::gcm_tag_octets));
}

Result<ByteVec> seal_secret(const crypto::Secret& password_key, const store::CredentialRecord& of, const crypto::Secret& secret,
                            crypto::Entropy& entropy) {
    return seal(password_key, {credential_purpose, bound_to(of)}, secret, entropy);
}

Result<crypto::Secret> open_secret(const crypto::Secret& password_key, const store::CredentialRecord& of) {
    if (of.sealed_secret.empty()) return fail(Code::internal, "the credential has no secret", "credential " + of.name);
    auto secret = open_sealed(password_key, {credential_purpose, bound_to(of)}, of.sealed_secret);
    if (!secret) return fail(Code::internal, "the secret of the credential was sealed under another key", "credential " + of.name);
    return secret;
}

crypto::Secret decoy_secret(const crypto::Secret& password_key, std::string_view name) {
    return crypto::Secret{Bytes{crypto::hmac_sha256(password_key.reveal(), as_bytes(name))}};
}

}  // namespace estuary::authority
