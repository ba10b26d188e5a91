#include "estuary/cms/encrypted_value.h"

#include "estuary/cms/uniform_open.h"
#include "estuary/crypto/cipher.h"
#include "estuary/crypto/key_transport.h"

namespace estuary::cms {

Result<crypto::Secret> open_encrypted_value(const x509::crmf::EncryptedValue& value, const crypto::PrivateKey& key,
                                            const OpenOptions& options) {
    if (!value.symm_alg || !value.enc_symm_key || !value.key_alg)  // CVE-2026-42767
        return fail(Code::malformed, "EncryptedValue without symmAlg, encSymmKey or keyAlg");
    ESTUARY_TRY(const auto content_algorithm, parse_algorithm(*value.symm_alg));
    ESTUARY_TRY(const auto use, read_content_cipher(content_algorithm));
    if (use.cipher->authenticated) return fail(Code::unsupported, "EncryptedValue with another cipher than one in CBC mode");
    if (use.cipher->legacy && !options.triple_des) return fail(Code::unsupported, "DES-EDE3-CBC is not allowed here");
    KeyTransport transport;
    ESTUARY_TRY(transport.encryption, parse_algorithm(*value.key_alg));
    transport.encrypted_key = *value.enc_symm_key;
    return open_uniformly(unwrap(transport, key, use.cipher->key_octets), use.cipher->key_octets, "EncryptedValue",
                          [&](Bytes content_key) {
                              return crypto::decrypt_cbc(use.cipher->name, content_key, use.iv, value.enc_value);
                          });
}

Result<x509::crmf::EncryptedValue> make_encrypted_value(Bytes content, const crypto::PublicKey& key) {
    const auto use = fresh(*content_cipher("AES-256-CBC"));
    ByteVec octets(use.cipher->key_octets);
    crypto::random(octets);
    const crypto::Secret content_key{std::move(octets)};
    x509::crmf::EncryptedValue value;
    value.symm_alg = encode(use);
    ESTUARY_TRY(value.enc_symm_key, crypto::encrypt_rsa_pkcs1(key, content_key.reveal()));
    value.key_alg = make_algorithm(oid::rsa_encryption, Algorithm::der_null);
    ESTUARY_TRY(value.enc_value, crypto::encrypt_cbc(use.cipher->name, content_key.reveal(), use.iv, content));
    return value;
}

}  // namespace estuary::cms
