#include "estuary/authority/shared_secrets.h"

#include "estuary/asn1/der.h"
#include "estuary/crypto/cipher.h"
#include "estuary/crypto/kdf.h"

namespace estuary::authority {
namespace {

constexpr std::string_view cipher = "AES-256-GCM";
constexpr std::size_t nonce_octets = 12;

Result<crypto::Secret> sealing_key(const crypto::Secret& password_key) {
    return crypto::hkdf("SHA256", password_key.reveal(), {}, as_bytes("estuary: secrets of credentials"), 32);
}

/// A sealed secret that somebody copies to another record does not open there.
ByteVec bound_to(const store::CredentialRecord& of) {
    der::Writer writer;
    writer.octet_string(as_bytes(of.name)).octet_string(as_bytes(of.protocol));
    return std::move(writer).take();
}

}  // namespace

Result<ByteVec> seal_secret(const crypto::Secret& password_key, const store::CredentialRecord& of, const crypto::Secret& secret,
                            crypto::Entropy& entropy) {
    ESTUARY_TRY(const auto key, sealing_key(password_key));
    ByteVec sealed(nonce_octets);
    entropy.fill(sealed);
    ESTUARY_TRY(const auto box, crypto::encrypt_gcm(cipher, key.reveal(), sealed, bound_to(of), secret.reveal()));
    sealed.insert(sealed.end(), box.encrypted.begin(), box.encrypted.end());
    sealed.insert(sealed.end(), box.tag.begin(), box.tag.end());
    return sealed;
}

Result<crypto::Secret> open_secret(const crypto::Secret& password_key, const store::CredentialRecord& of) {
    const Bytes sealed{of.sealed_secret};
    if (sealed.size() < nonce_octets + crypto::gcm_tag_octets)
        return fail(Code::internal, "the credential has no secret", "credential " + of.name);
    ESTUARY_TRY(const auto key, sealing_key(password_key));
    const auto encrypted = sealed.subspan(nonce_octets, sealed.size() - nonce_octets - crypto::gcm_tag_octets);
    auto secret = crypto::decrypt_gcm(cipher, key.reveal(), sealed.first(nonce_octets), bound_to(of), encrypted,
                                      sealed.last(crypto::gcm_tag_octets));
    if (!secret) return fail(Code::internal, "the secret of the credential was sealed under another key", "credential " + of.name);
    return secret;
}

crypto::Secret decoy_secret(const crypto::Secret& password_key, std::string_view name) {
    return crypto::Secret{Bytes{crypto::hmac_sha256(password_key.reveal(), as_bytes(name))}};
}

}  // namespace estuary::authority
