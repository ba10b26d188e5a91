#include "estuary/cmc/witness.h"

#include "estuary/cms/digest_algorithm.h"
#include "estuary/cms/oids.h"
#include "estuary/crypto/mac.h"
#include "estuary/crypto/pbkdf2.h"

namespace estuary::cmc {
namespace {

constexpr std::size_t derived_octets = 32;  // PBKDF2 without a stated length

tl::unexpected<Error> weak() { return fail(Code::bad_key, "SHA-1 is not accepted here"); }

ByteVec algorithm_of(const der::Oid& oid) { return cms::make_algorithm(oid); }

Result<crypto::MacAlgorithm> read_mac(Bytes algorithm_identifier, const WitnessLimits& limits) {
    ESTUARY_TRY(auto algorithm, crypto::read_mac_algorithm(algorithm_identifier));
    if (algorithm.is_hmac_sha1() && !limits.sha1) return weak();
    return algorithm;
}

/// The secret, and the identification behind it (6.2.3).
crypto::Secret joined(const SharedSecret& shared) {
    auto octets = to_vec(shared.secret.reveal());
    if (shared.identification) append(octets, as_bytes(*shared.identification));
    return crypto::Secret{std::move(octets)};
}

/// A digest of the secret or, where `derivation` is one, what PBKDF2 makes of it.
Result<crypto::Secret> key_by(Bytes derivation, const crypto::Secret& secret, const WitnessLimits& limits) {
    ESTUARY_TRY(const auto algorithm, cms::parse_algorithm(derivation));
    if (algorithm.oid != cms::oid::pbkdf2) {
        ESTUARY_TRY(auto digest, digest_by(derivation, secret.reveal(), limits));
        return crypto::Secret{std::move(digest)};
    }
    ESTUARY_TRY(const auto parameters, crypto::read_pbkdf2(derivation, limits.iterations_max));
    if (parameters.digest == "SHA1" && !limits.sha1) return weak();
    if (parameters.salt.size() < limits.salt_octets_min) return fail(Code::bad_key, "PBKDF2: the salt is too short");
    return crypto::derive(parameters, secret.reveal(), derived_octets);
}

Result<void> verify_mac_by(Bytes mac_algorithm, const crypto::Secret& key, Bytes data, Bytes witness,
                           const WitnessLimits& limits) {
    ESTUARY_TRY(const auto algorithm, read_mac(mac_algorithm, limits));
    return crypto::verify_mac(algorithm, key.reveal(), data, witness);
}

Result<ByteVec> mac_sha256(const crypto::Secret& key, Bytes data) {
    ESTUARY_TRY(const auto identifier, crypto::encode_mac_algorithm("HMAC-SHA256"));
    ESTUARY_TRY(const auto algorithm, crypto::read_mac_algorithm(identifier));
    return crypto::compute_mac(algorithm, key.reveal(), data);
}

/// The witnesses of RFC 2797: SHA-1 and HMAC-SHA1.
Result<void> verify_sha1(const crypto::Secret& secret, Bytes data, Bytes witness, const WitnessLimits& limits) {
    if (!limits.sha1) return weak();
    ESTUARY_TRY(const auto key, key_by(algorithm_of(cms::oid::sha1), secret, limits));
    ESTUARY_TRY(const auto mac, crypto::encode_mac_algorithm("HMAC-SHA1"));
    return verify_mac_by(mac, key, data, witness, limits);
}

Result<void> check_random(Bytes random) {
    if (random.empty() || random.size() > link_random_octets_max)
        return fail(Code::malformed, "popLinkRandom: of no octets, or of more than 1024");
    return {};
}

crypto::Secret first_64(const crypto::Secret& value) {
    const auto octets = value.reveal();
    return crypto::Secret{octets.first(std::min(octets.size(), proof_value_octets))};
}

}  // namespace

Result<ByteVec> digest_by(Bytes algorithm_identifier, Bytes data, const WitnessLimits& limits) {
    ESTUARY_TRY(const auto algorithm, cms::parse_algorithm(algorithm_identifier));
    if (algorithm.oid == cms::oid::sha1) {
        if (!limits.sha1) return weak();
        if (!algorithm.parameters_absent_or_null()) return fail(Code::malformed, "SHA-1 with parameters that it does not have");
        return crypto::digest("SHA1", data);
    }
    ESTUARY_TRY(const auto* known, cms::read_digest_algorithm(algorithm));
    return cms::digest(*known, data);
}

Result<IdentityProofV2> make_identity_proof(const SharedSecret& shared, Bytes requests) {
    IdentityProofV2 proof{algorithm_of(cms::oid::sha256), {}, {}};
    ESTUARY_TRY(proof.mac_algorithm, crypto::encode_mac_algorithm("HMAC-SHA256"));
    ESTUARY_TRY(const auto key, key_by(proof.key_algorithm, joined(shared), {}));
    ESTUARY_TRY(proof.witness, mac_sha256(key, requests));
    return proof;
}

Result<void> verify(const IdentityProofV2& proof, const SharedSecret& shared, Bytes requests, const WitnessLimits& limits) {
    // A digest only: PBKDF2 is for POP links (RFC 10004 5.1).
    ESTUARY_TRY(auto digest, digest_by(proof.key_algorithm, joined(shared).reveal(), limits));
    const crypto::Secret key{std::move(digest)};
    return verify_mac_by(proof.mac_algorithm, key, requests, proof.witness, limits);
}

Result<void> verify(const IdentityProof& proof, const SharedSecret& shared, Bytes requests, const WitnessLimits& limits) {
    return verify_sha1(joined(shared), requests, proof.octets, limits);
}

Result<PopLinkWitnessV2> make_pop_link_witness(const crypto::Secret& secret, Bytes random) {
    PopLinkWitnessV2 witness{algorithm_of(cms::oid::sha256), {}, {}};
    ESTUARY_CHECK(check_random(random));
    ESTUARY_TRY(witness.mac_algorithm, crypto::encode_mac_algorithm("HMAC-SHA256"));
    ESTUARY_TRY(const auto key, key_by(witness.key_algorithm, secret, {}));
    ESTUARY_TRY(witness.witness, mac_sha256(key, random));
    return witness;
}

Result<void> verify(const PopLinkWitnessV2& witness, const crypto::Secret& secret, Bytes random, const WitnessLimits& limits) {
    ESTUARY_CHECK(check_random(random));
    ESTUARY_TRY(const auto key, key_by(witness.key_algorithm, secret, limits));
    return verify_mac_by(witness.mac_algorithm, key, random, witness.witness, limits);
}

Result<void> verify(const PopLinkWitness& witness, const crypto::Secret& secret, Bytes random, const WitnessLimits& limits) {
    ESTUARY_CHECK(check_random(random));
    return verify_sha1(secret, random, witness.octets, limits);
}

cms::Identifier pop_recipient(BodyPartId request) {
    der::Writer writer;
    writer.integer(request);
    cms::Identifier identifier;
    identifier.serial_number = to_vec(writer.bytes().subspan(2));
    return identifier;
}

Result<PopAlgorithms> pop_algorithms() {
    PopAlgorithms algorithms;
    ESTUARY_TRY(algorithms.pop, crypto::encode_mac_algorithm("HMAC-SHA256"));
    algorithms.witness = algorithm_of(cms::oid::sha256);
    return algorithms;
}

Result<ByteVec> proof_value_witness(Bytes witness_algorithm, const crypto::Secret& proof_value, const WitnessLimits& limits) {
    return digest_by(witness_algorithm, proof_value.reveal(), limits);
}

Result<void> check_proof_value(const EncryptedPop& control, const crypto::Secret& proof_value, const WitnessLimits& limits) {
    ESTUARY_TRY(const auto witness, proof_value_witness(control.witness_algorithm, proof_value, limits));
    if (!crypto::equal_in_constant_time(witness, control.witness))
        return fail(Code::bad_proof, "encryptedPOP: the witness is not that of the decrypted value");
    return {};
}

Result<ByteVec> make_pop(Bytes pop_algorithm, const crypto::Secret& proof_value, const TaggedRequest& request,
                         const WitnessLimits& limits) {
    ESTUARY_TRY(const auto algorithm, read_mac(pop_algorithm, limits));
    return crypto::compute_mac(algorithm, first_64(proof_value).reveal(), request.encode());
}

Result<void> verify_pop(const DecryptedPop& control, const crypto::Secret& proof_value, const TaggedRequest& request,
                        const WitnessLimits& limits) {
    return verify_mac_by(control.pop_algorithm, first_64(proof_value), request.encode(), control.pop, limits);
}

}  // namespace estuary::cmc
