#pragma once
// What a shared secret proves: identity, its link to the possession of keys, and that a challenge was decrypted
// (RFC 10002 6.2, 6.3.1, 6.7).
#include "estuary/cmc/controls.h"
#include "estuary/cms/identifier.h"

namespace estuary::cmc {

/// What a peer may use.
struct WitnessLimits {
    bool sha1 = false;                       ///< SHA-1 and HMAC-SHA1: those of RFC 2797, that old peers have only
    std::uint64_t iterations_max = 100'000;  ///< of PBKDF2: about 60 ms
    std::size_t salt_octets_min = 8;         ///< of PBKDF2 (RFC 8018 4.1)
};

constexpr std::size_t link_random_octets = 64;  ///< 512 bits (6.3.1.1)
constexpr std::size_t link_random_octets_max = 1024;
constexpr std::size_t proof_value_octets = 64;  ///< as much of a POP Proof Value as counts (6.7)

/// A secret that both sides have, and what it is known by.
struct SharedSecret {
    const crypto::Secret& secret;                         ///< its octets are UTF-8
    std::optional<std::string_view> identification = {};  ///< of the Identification control, if there is one
};

// Identity proof (6.2.1, 6.2.2): the MAC over reqSequence, keyed by the digest of the secret and of the identification behind it.

Result<IdentityProofV2> make_identity_proof(const SharedSecret& shared, Bytes requests);
/// bad_proof: another secret, or other requests; unsupported, bad_key, malformed: algorithms.
Result<void> verify(const IdentityProofV2& proof, const SharedSecret& shared, Bytes requests, const WitnessLimits& limits);
Result<void> verify(const IdentityProof& proof, const SharedSecret& shared, Bytes requests, const WitnessLimits& limits);

// POP link (6.3.1): the MAC over a random value, keyed by the digest of the secret alone, or by what PBKDF2 makes of it.

Result<PopLinkWitnessV2> make_pop_link_witness(const crypto::Secret& secret, Bytes random);
Result<void> verify(const PopLinkWitnessV2& witness, const crypto::Secret& secret, Bytes random, const WitnessLimits& limits);
Result<void> verify(const PopLinkWitness& witness, const crypto::Secret& secret, Bytes random, const WitnessLimits& limits);

// Encrypted POP (6.7): the digest of the challenge, and the MAC over the request keyed by the challenge.

/// How the challenge's recipient is named where the request has no subjectKeyIdentifier: the empty name, and the bodyPartID.
cms::Identifier pop_recipient(BodyPartId request);

struct PopAlgorithms {
    ByteVec pop, witness;  ///< whole AlgorithmIdentifiers
};
/// HMAC-SHA256 and SHA-256.
Result<PopAlgorithms> pop_algorithms();
/// bad_proof: it is not the value's digest.
Result<void> check_proof_value(const EncryptedPop& control, const crypto::Secret& proof_value, const WitnessLimits& limits);
Result<ByteVec> proof_value_witness(Bytes witness_algorithm, const crypto::Secret& proof_value, const WitnessLimits& limits);
/// The MAC over the whole TaggedRequest.
Result<ByteVec> make_pop(Bytes pop_algorithm, const crypto::Secret& proof_value, const TaggedRequest& request,
                         const WitnessLimits& limits);
/// bad_proof: another value, or another request.
Result<void> verify_pop(const DecryptedPop& control, const crypto::Secret& proof_value, const TaggedRequest& request,
                        const WitnessLimits& limits);

/// A digest by its AlgorithmIdentifier, SHA-1 only if `limits` allow it. unsupported, bad_key, malformed.
Result<ByteVec> digest_by(Bytes algorithm_identifier, Bytes data, const WitnessLimits& limits);

}  // namespace estuary::cmc
