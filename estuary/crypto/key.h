#pragma once
// Public and private keys: read, made, compared, used. OpenSSL stays behind these types.
#include <memory>
#include <optional>
#include <string>

#include "estuary/crypto/algorithms.h"
#include "estuary/crypto/digest.h"
#include "estuary/crypto/secret.h"

struct evp_pkey_st;  // EVP_PKEY

namespace estuary::crypto {

/// A public key, ready to verify. Cheap to copy (shared).
class PublicKey {
public:
    /// From a SubjectPublicKeyInfo in DER. P-256, P-384, P-521, RSA, Ed25519 and Ed448 take a fast path (own DER walk and a
    /// key template; the point-on-curve check is kept), everything else the library's decoder.
    /// malformed: not a SubjectPublicKeyInfo; unsupported: an algorithm that the library lacks; bad_key: e.g. a point off
    /// the curve, EC explicit parameters, RSA exponent even.
    static Result<PublicKey> from_spki(Bytes spki);

    Bytes spki() const noexcept;                          ///< SubjectPublicKeyInfo, DER
    KeyKind kind() const noexcept;
    unsigned bits() const noexcept;                       ///< RSA: modulus; EC: field; others: security bits
    /// "p256", "rsa2048" (any size: "rsa" and the bits), "ed25519", "ml-dsa-65"
    const std::string& type_name() const noexcept;

    /// Verifies `signature` over `message`. `algorithm` is a whole AlgorithmIdentifier in DER. Errors: unsupported or weak
    /// algorithm (bad_key/unsupported), algorithm not of this key's kind or signature wrong (bad_proof).
    Result<void> verify(Bytes algorithm_identifier, Bytes message, Bytes signature) const;

    evp_pkey_st* handle() const noexcept;                 ///< for cms/, x509/ and net/ only

private:
    struct Impl;
    std::shared_ptr<const Impl> impl_;
};

/// A private key, ready to sign from several threads at once. Cheap to copy (shared).
class PrivateKey {
public:
    static Result<PrivateKey> generate(std::string_view type_name);
    /// PKCS#8 (encrypted or not), SEC1 or PKCS#1 in PEM or DER.
    static Result<PrivateKey> from_bytes(Bytes encoded, const Secret* passphrase = nullptr);
    /// A file path, or an OSSL_STORE URI such as "pkcs11:token=…;object=…" (the provider must be configured in OpenSSL).
    static Result<PrivateKey> load(const std::string& path_or_uri, const Secret* passphrase = nullptr);
    /// Takes over one reference of an EVP_PKEY*.
    static Result<PrivateKey> adopt(evp_pkey_st* key);

    /// PEM "PRIVATE KEY", or "ENCRYPTED PRIVATE KEY" (PBES2: scrypt where possible, else PBKDF2; AES-256-CBC) with a passphrase.
    Result<Secret> to_pem(const Secret* passphrase = nullptr) const;

    const PublicKey& public_key() const noexcept;
    KeyKind kind() const noexcept { return public_key().kind(); }

    /// The signature algorithm that this key makes: ECDSA with SHA-256/384/512 by curve, RSA PKCS#1 v1.5 with SHA-256 (SHA-384
    /// from 4096 bits), EdDSA, ML-DSA, SLH-DSA. bad_key for keys that do not sign.
    Result<const SignatureAlgorithm*> signature_algorithm() const;
    /// Signs `message` by signature_algorithm(); pre-initialised contexts are copied, so P-256 costs about one primitive.
    Result<ByteVec> sign(Bytes message) const;

    evp_pkey_st* handle() const noexcept;

private:
    struct Impl;
    std::shared_ptr<const Impl> impl_;
};

/// Reasons not to certify a key, apart from a profile's choice of types: RSA below 2048 bits or above 16384, modulus bits not
/// a multiple of 8, even or small exponent (e must be odd and 65537 or larger, below 2^256), small factors, ROCA fingerprint
/// (CVE-2017-15361), close primes (Fermat factorisation within 100 rounds), and keys on `blocked` lists. (bug class 32)
Result<void> check_key_strength(const PublicKey& key);

/// A list of known-compromised keys: SHA-256 of the SubjectPublicKeyInfo, one in hexadecimal a line, '#' starts a comment.
class BlockedKeys {
public:
    static Result<BlockedKeys> parse(std::string_view text);
    bool contains(Bytes spki) const;
    std::size_t size() const noexcept { return digests_.size(); }
    void add(Bytes spki);

private:
    std::vector<Sha256> digests_;  // sorted
};

}  // namespace estuary::crypto
