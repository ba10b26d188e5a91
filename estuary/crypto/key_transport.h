#pragma once
// Getting a key across: RSA encryption, Diffie-Hellman on curves, key encapsulation.
#include "estuary/crypto/key.h"

namespace estuary::crypto {

/// RSAES-PKCS1-v1_5 (RFC 8017 7.2.1). bad_key: not an RSA key, or too small for this much.
Result<ByteVec> encrypt_rsa_pkcs1(const PublicKey& key, Bytes plain);
/// Decrypts a key of a length that is known beforehand. Never says whether it could: anything but exactly that many well-padded
/// octets gives, in the same time, others that follow from the private key and `encrypted` (implicit rejection, bug class 17).
/// bad_key: not an RSA key, or one whose private operation is out of reach.
Result<Secret> decrypt_rsa_pkcs1(const PrivateKey& key, Bytes encrypted, std::size_t octets);

/// RSAES-OAEP with MGF1 of the same digest ("SHA256") and an empty label (RFC 8017 7.1).
Result<ByteVec> encrypt_rsa_oaep(const PublicKey& key, std::string_view digest, Bytes plain);
/// bad_proof: does not decrypt.
Result<Secret> decrypt_rsa_oaep(const PrivateKey& key, std::string_view digest, Bytes encrypted);

/// ECDH (the x coordinate, in the octets of the field) and X25519, X448. bad_key: keys of different kind or curve, points of
/// small order.
Result<Secret> agree(const PrivateKey& own, const PublicKey& other);

/// ML-KEM, where the library has it. bad_key, unsupported.
struct Encapsulated {
    ByteVec ciphertext;
    Secret shared;
};
Result<Encapsulated> encapsulate(const PublicKey& key);
Result<Secret> decapsulate(const PrivateKey& key, Bytes ciphertext);

}  // namespace estuary::crypto
