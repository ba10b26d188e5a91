// Identity proofs, POP links and the answers to challenges (RFC 10002 6.2, 6.3.1, 6.7), against sums made in another way.
#include "estuary/cmc/witness.h"
#include "estuary/crypto/mac.h"
#include "estuary/crypto/pbkdf2.h"
#include "support.h"

namespace estuary::test {
namespace {

using namespace cmc;

const crypto::Secret& secret() {
    static const crypto::Secret value{std::string_view{"a shared secret"}};
    return value;
}
WitnessLimits old() { return {.sha1 = true}; }

ByteVec hmac_sha256(Bytes key, Bytes data) {
    const auto mac = crypto::hmac_sha256(key, data);
    return {mac.begin(), mac.end()};
}

// 6.2.1, 6.2.3: HMAC(SHA-256(secret || identification), reqSequence).
TEST(CmcWitness, IdentityProofV2) {
    const auto requests = hex("30050403010203");
    const auto proof = make_identity_proof({secret(), "alice"}, requests).value();
    EXPECT_EQ(proof.witness, hmac_sha256(crypto::sha256(as_bytes("a shared secretalice")), requests));
    const auto unnamed = make_identity_proof({secret()}, requests).value();
    EXPECT_EQ(unnamed.witness, hmac_sha256(crypto::sha256(as_bytes("a shared secret")), requests));
    EXPECT_TRUE(verify(proof, {secret(), "alice"}, requests, {}));
    EXPECT_EQ(code_of(verify(proof, {secret(), "bob"}, requests, {})), Code::bad_proof);
    EXPECT_EQ(code_of(verify(proof, {secret()}, requests, {})), Code::bad_proof);
    EXPECT_EQ(code_of(verify(proof, {secret(), "alice"}, hex("3000"), {})), Code::bad_proof);
    auto cut = proof;
    cut.witness.pop_back();
    EXPECT_EQ(code_of(verify(cut, {secret(), "alice"}, requests, {})), Code::bad_proof);
    cut.witness.clear();
    EXPECT_EQ(code_of(verify(cut, {secret(), "alice"}, requests, {})), Code::bad_proof);
}

TEST(CmcWitness, Sha1OnlyWhereItIsAllowed) {
    const auto mac = crypto::encode_mac_algorithm("HMAC-SHA1").value();
    const auto sha1 = algorithm("1.3.14.3.2.26");
    const auto compute = [&](Bytes key, Bytes data) {
        return crypto::compute_mac(crypto::read_mac_algorithm(mac).value(), key, data).value();
    };
    const auto key = crypto::digest("SHA1", as_bytes("a shared secret")).value();
    const IdentityProof proof{compute(key, hex("3000"))};
    EXPECT_TRUE(verify(proof, {secret()}, hex("3000"), old()));
    EXPECT_EQ(code_of(verify(proof, {secret()}, hex("3000"), {})), Code::bad_key);
    const PopLinkWitness link{compute(key, hex("01"))};
    EXPECT_TRUE(verify(link, secret(), hex("01"), old()));
    EXPECT_EQ(code_of(verify(link, secret(), hex("01"), {})), Code::bad_key);
    EXPECT_EQ(code_of(verify(link, secret(), hex("02"), old())), Code::bad_proof);
    const IdentityProofV2 modern{sha1, mac, compute(key, hex("3000"))};
    EXPECT_TRUE(verify(modern, {secret()}, hex("3000"), old()));
    EXPECT_EQ(code_of(verify(modern, {secret()}, hex("3000"), {})), Code::bad_key);
    EXPECT_EQ(code_of(verify(IdentityProofV2{sha256_algorithm(), mac, hex("00")}, {secret()}, hex("3000"), {})), Code::bad_key);
}

TEST(CmcWitness, UnknownAlgorithmsAreRefused) {
    EXPECT_EQ(code_of(verify(IdentityProofV2{algorithm("1.2.3"), hmac_sha256_algorithm(), hex("00")}, {secret()}, {}, {})),
              Code::unsupported);
    EXPECT_EQ(code_of(verify(IdentityProofV2{sha256_algorithm(), algorithm("1.2.3"), hex("00")}, {secret()}, {}, {})),
              Code::unsupported);
    EXPECT_EQ(
        code_of(verify(IdentityProofV2{algorithm("1.2.840.113549.2.5"), hmac_sha256_algorithm(), hex("00")}, {secret()}, {}, {})),
        Code::bad_key);  // MD5
}

// 6.3.1.1: the key is made of the secret alone.
TEST(CmcWitness, PopLinkWitnessV2) {
    const ByteVec random(64, 0x11);
    const auto witness = make_pop_link_witness(secret(), random).value();
    EXPECT_EQ(witness.witness, hmac_sha256(crypto::sha256(as_bytes("a shared secret")), random));
    EXPECT_TRUE(verify(witness, secret(), random, {}));
    EXPECT_EQ(code_of(verify(witness, secret(), ByteVec(64, 0x12), {})), Code::bad_proof);
    EXPECT_EQ(code_of(verify(witness, secret(), {}, {})), Code::malformed);
    EXPECT_EQ(code_of(verify(witness, secret(), ByteVec(1025), {})), Code::malformed);
}

// RFC 10004 5.1: PBKDF2 may be the key generation algorithm.
TEST(CmcWitness, PopLinkKeysByPbkdf2) {
    const ByteVec random(64, 0x11);
    const auto with = [&](const crypto::Pbkdf2Parameters& parameters) {
        const auto key = crypto::derive(parameters, secret().reveal(), 32).value();
        return PopLinkWitnessV2{crypto::encode_pbkdf2(parameters).value(), hmac_sha256_algorithm(),
                                hmac_sha256(key.reveal(), random)};
    };
    EXPECT_TRUE(verify(with({ByteVec(16, 1), 1000, {}, "SHA256"}), secret(), random, {}));
    EXPECT_TRUE(verify(with({ByteVec(16, 1), 1000, {}, "SHA1"}), secret(), random, old()));
    EXPECT_EQ(code_of(verify(with({ByteVec(16, 1), 1000, {}, "SHA1"}), secret(), random, {})), Code::bad_key);
    EXPECT_EQ(code_of(verify(with({ByteVec(4, 1), 1000, {}, "SHA256"}), secret(), random, {})), Code::bad_key);
    // Bug class 30: the peer says how much work it is.
    EXPECT_EQ(code_of(verify(with({ByteVec(16, 1), 2000, {}, "SHA256"}), secret(), random, {.iterations_max = 1999})),
              Code::too_large);
}

// 6.7: "If the POP Proof Value is greater than 64 bytes, only the first 64 bytes … is used as the secret."
TEST(CmcWitness, PopOverTheRequest) {
    const auto request = TaggedRequest::pkcs10(201, hex("3000"));
    const crypto::Secret value{Bytes{ByteVec(64, 0x21)}}, longer{Bytes{[] {
        ByteVec octets(64, 0x21);
        octets.resize(80, 0x22);
        return octets;
    }()}};
    const auto pop = make_pop(hmac_sha256_algorithm(), value, request, {}).value();
    EXPECT_EQ(pop, hmac_sha256(value.reveal(), request.encode()));
    EXPECT_EQ(make_pop(hmac_sha256_algorithm(), longer, request, {}).value(), pop);
    EXPECT_TRUE(verify_pop({201, hmac_sha256_algorithm(), pop}, value, request, {}));
    EXPECT_EQ(code_of(verify_pop({201, hmac_sha256_algorithm(), pop}, value, TaggedRequest::pkcs10(202, hex("3000")), {})),
              Code::bad_proof);
    EncryptedPop control;
    control.witness_algorithm = sha256_algorithm();
    control.witness = proof_value_witness(sha256_algorithm(), value, {}).value();
    EXPECT_TRUE(check_proof_value(control, value, {}));
    EXPECT_EQ(code_of(check_proof_value(control, longer, {})), Code::bad_proof);
}

}  // namespace
}  // namespace estuary::test
