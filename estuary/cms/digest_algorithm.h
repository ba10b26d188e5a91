#pragma once
// Digest algorithms of SignerInfo, and how they go with signature algorithms (RFC 5754, 8419, 8702, 8933, 9882).
#include "estuary/cms/content_info.h"
#include "estuary/crypto/key.h"

namespace estuary::cms {

struct DigestAlgorithm {
    der::Oid oid;
    std::string_view name;  ///< as OpenSSL spells it
    std::size_t octets = 0;
    bool extendable = false;      ///< SHAKE: `octets` is chosen by RFC 8702 3.1, not by the function
    bool length_stated = false;   ///< id-shake256-len: its parameter is the length in bits
    bool weak = false;            ///< only to be refused by name
};

/// By AlgorithmIdentifier; parameters absent or NULL, or INTEGER 512 with id-shake256-len (RFC 8419 2.3).
/// unsupported, malformed; bad_key: MD5 and SHA-1.
Result<const DigestAlgorithm*> read_digest_algorithm(const Algorithm& algorithm);
/// What a key signs with here: its signature algorithm's own digest; SHA-512 for Ed25519, ML-DSA and the stronger SLH-DSA,
/// SHAKE256 for Ed448, SHA-256 for SLH-DSA of 128 bits.
Result<const DigestAlgorithm*> digest_algorithm_for(const crypto::PrivateKey& key);
/// Its AlgorithmIdentifier; parameters absent (RFC 5754 2) except where the length is stated.
ByteVec encode(const DigestAlgorithm& algorithm);
Result<ByteVec> digest(const DigestAlgorithm& algorithm, Bytes data);

/// The AlgorithmIdentifier to verify with: `signature` itself or, where it is only rsaEncryption, that of PKCS#1 v1.5 with the
/// digest. bad_proof: signature and digest algorithms disagree (RFC 5652 5.3, RFC 8419 3.1, RFC 8933).
Result<ByteVec> signature_identifier(const Algorithm& signature, const DigestAlgorithm& digest);
/// Whether this algorithm signs the message itself, so that without signed attributes no digest is made.
bool is_pure(const Algorithm& signature);

}  // namespace estuary::cms
