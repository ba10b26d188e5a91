#pragma once
// What the recipients' algorithms are made of: AES key wraps, agreement schemes, derivation functions (RFC 3565, 5753, 8418,
// 9629).
#include <optional>

#include "estuary/cms/content_info.h"
#include "estuary/crypto/secret.h"

namespace estuary::cms {

/// id-aesNNN-wrap: octets of its key-encryption key. Parameters are absent (RFC 3565 2.3.2), or NULL as some write. unsupported.
Result<std::size_t> wrap_octets(const Algorithm& wrap);
/// The AlgorithmIdentifier of the AES key wrap for a key-encryption key of 16, 24 or 32 octets.
ByteVec wrap_algorithm(std::size_t kek_octets);

/// RSAES-OAEP with SHA-256 throughout (RFC 4055 4.1).
ByteVec rsa_oaep_algorithm();

/// A digest for HKDF or the ANSI X9.63 KDF, and its OID.
struct Derivation {
    der::Oid oid;
    std::string_view digest;
    bool hkdf = false;
};
/// dhSinglePass-stdDH-*: X9.63 for curves (RFC 5753 7.1.4), HKDF for X25519 and X448 (RFC 8418 2.1). unsupported.
Result<const Derivation*> agreement_scheme(const der::Oid& oid);
const Derivation& agreement_scheme_for(const std::string& key_type);
/// id-alg-hkdf-with-sha* (RFC 8619). unsupported; malformed: parameters.
Result<const Derivation*> hkdf_algorithm(const Algorithm& algorithm);
const Derivation& hkdf_algorithm_usual();  ///< SHA-256

/// ECC-CMS-SharedInfo ::= SEQUENCE { keyInfo AlgorithmIdentifier, entityUInfo [0] EXPLICIT OCTET STRING OPTIONAL,
///     suppPubInfo [2] EXPLICIT OCTET STRING }, the last the bits of the key in four octets (RFC 5753 7.2), and the key from it.
Result<crypto::Secret> derive_agreed(const Derivation& scheme, Bytes agreed, Bytes wrap, std::optional<Bytes> ukm,
                                     std::size_t kek_octets);
/// CMSORIforKEMOtherInfo ::= SEQUENCE { wrap, kekLength, ukm [0] EXPLICIT OPTIONAL } (RFC 9629 5), and the key from it.
Result<crypto::Secret> derive_encapsulated(const Derivation& kdf, Bytes shared, Bytes wrap, std::optional<Bytes> ukm,
                                           std::size_t kek_octets);

}  // namespace estuary::cms
