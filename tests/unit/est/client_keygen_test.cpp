// /serverkeygen from the client's side.
#include "estuary/cms/key_package.h"
#include "keygen_world.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;

class EstKeygenClient : public KeygenWorld {
protected:
    Result<Answer<ServerKey>> get_key(const std::string& label, const KeyOpener& opener, const char* type = "p256") {
        Client client{world.exchange(peer()), "ca.example", "/.well-known/est/" + label, world.clock};
        client.set_credentials({"alice", crypto::Secret{std::string_view{alice_password}}});
        return client.server_key(request_for(opener, "CN=device 1", type).der, opener, bag());
    }
    /// An answer as a server could give it.
    KeyAnswer answer(const x509::Certificate& certificate, crypto::Secret der, bool encrypted) {
        return {{encrypted, std::move(der)}, {certificate}};
    }
    /// A key package signed by `signer`, for a shared key.
    crypto::Secret enveloped(const crypto::PrivateKey& of, const cms::Signer& signer, const std::vector<Bytes>& certificates, const KeyOpener& opener) {
        const auto package = cms::sign_key_package(of, signer, certificates).value();
        return crypto::Secret{cms::EnvelopedDataBuilder{cms::oid::signed_data, package.reveal()}.recipient(*opener.shared).build().value()};
    }
    x509::Certificate certificate_of(const crypto::PrivateKey& of) {
        return certificate_under(*world.ca, of.public_key(), "CN=device 1", {}, world.clock.now());
    }
    Result<ServerKey> judged(const KeyAnswer& given, const KeyOpener& opener) { return open_key_answer(given, opener, bag(), world.clock.now()); }

    crypto::PrivateKey key = crypto::PrivateKey::generate("p256").value();
};

TEST_F(EstKeygenClient, GetsAKeyInEveryWay) {
    std::vector<KeyOpener> openers;
    openers.emplace_back();
    openers.push_back(shared());
    openers.push_back(holder("rsa2048", x509::key_encipherment));
    openers.push_back(holder("p384", x509::key_agreement));
    for (const auto& opener : openers) {
        const auto answered = get_key("keys", opener);
        ASSERT_TRUE(answered) << failure(answered);
        const auto& made = std::get<ServerKey>(*answered);
        EXPECT_TRUE(same(made.certificate.spki(), made.key.public_key().spki()));
        EXPECT_EQ(made.certificate.subject().to_text(), "CN=device 1");
    }
}

TEST_F(EstKeygenClient, KindOfKeyIsTheRequests) {
    for (const auto* type : {"p384", "ed25519", "rsa2048"}) {
        const auto answered = get_key("keys", {}, type);
        ASSERT_TRUE(answered) << failure(answered);
        EXPECT_EQ(std::get<ServerKey>(*answered).key.public_key().type_name(), type);
    }
}

TEST_F(EstKeygenClient, WaitsAndErrorsAreTold) {
    const auto waits = get_key("keys-manual", {});
    ASSERT_TRUE(waits) << failure(waits);
    EXPECT_EQ(std::get<Wait>(*waits).retry_after, Seconds{77});
    const auto refused = get_key("keys-encrypted", {});
    EXPECT_EQ(refused.error().code, Code::malformed);
    EXPECT_THAT(refused.error().detail, HasSubstr("DecryptKeyIdentifier"));
    EXPECT_EQ(get_key("closed", {}).error().code, Code::not_found);
}

TEST_F(EstKeygenClient, EncryptionIsWhatWasAskedFor) {
    const auto opener = shared();
    const auto certificate = certificate_of(key);
    EXPECT_EQ(judged(answer(certificate, cms::encode_private_key(key).value(), false), opener).error().code, Code::policy);
    const cms::Signer signer{generator, cms::Identifier::by_issuer(generator_certificate)};
    const auto message = enveloped(key, signer, {generator_certificate.der()}, opener);
    EXPECT_TRUE(judged(answer(certificate, message.clone(), true), opener));
    EXPECT_EQ(judged(answer(certificate, message.clone(), true), {}).error().code, Code::policy);
}

TEST_F(EstKeygenClient, CertificateMustBeTheKeys) {
    const auto other = crypto::PrivateKey::generate("p256").value();
    EXPECT_EQ(judged(answer(certificate_of(other), cms::encode_private_key(key).value(), false), {}).error().code, Code::bad_key);
    auto several = answer(certificate_of(key), cms::encode_private_key(key).value(), false);
    several.certificates.push_back(world.ca->issuing);
    EXPECT_TRUE(judged(several, {}));  // servers that add their chain
    several.certificates.push_back(certificate_of(key));
    EXPECT_EQ(judged(several, {}).error().code, Code::malformed);
}

/// Only who may make keys vouches for one, and the client knows it by its own anchors.
TEST_F(EstKeygenClient, SignerIsJudged) {
    const auto opener = shared();
    const auto certificate = certificate_of(key);
    const auto signed_by = [&](const authority::NewCa& ca, std::vector<x509::Extension> extensions) {
        const auto own = crypto::PrivateKey::generate("p256").value();
        const auto its = certificate_under(ca, own.public_key(), "CN=somebody", std::move(extensions), world.clock.now());
        const std::vector<Bytes> certificates{its.der(), ca.issuing.der()};
        return judged(answer(certificate, enveloped(key, {own, cms::Identifier::by_issuer(its)}, certificates, opener), true), opener);
    };
    EXPECT_TRUE(signed_by(*world.ca, {x509::make_ext_key_usage({authority::kp_cm_kga})}));
    EXPECT_TRUE(signed_by(*world.ca, {x509::make_ext_key_usage({x509::oid::kp_server_auth, x509::oid::kp_cmc_ra})}));
    EXPECT_EQ(signed_by(*world.ca, {x509::make_ext_key_usage({x509::oid::kp_client_auth})}).error().code, Code::not_authorised);
    EXPECT_EQ(signed_by(*world.ca, {}).error().code, Code::not_authorised);
    EXPECT_EQ(signed_by(*world.other_ca, {x509::make_ext_key_usage({authority::kp_cm_kga})}).error().code, Code::not_authorised);
    const cms::Signer by_the_ca{world.ca->issuing_key, cms::Identifier::by_issuer(world.ca->issuing)};
    EXPECT_TRUE(judged(answer(certificate, enveloped(key, by_the_ca, {world.ca->issuing.der()}, opener), true), opener));
}

// bug class 17: whatever is wrong with the encryption or inside of it is told in the same words
TEST_F(EstKeygenClient, FailuresToOpenAreAlike) {
    const auto opener = shared();
    const auto certificate = certificate_of(key);
    const cms::Signer signer{generator, cms::Identifier::by_issuer(generator_certificate)};
    const auto good = enveloped(key, signer, {generator_certificate.der()}, opener);
    std::set<std::string> told;
    const auto tell = [&](crypto::Secret message, const KeyOpener& with) {
        const auto opened = judged(answer(certificate, std::move(message), true), with);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Code::bad_proof) << failure(opened);
        told.insert(opened.error().detail);
    };
    KeyOpener wrong;
    wrong.shared = cms::SharedKey{opener.shared->identifier, crypto::Secret{ByteVec(32, 0x43)}};
    tell(good.clone(), wrong);
    // Content that was changed: the last block of its padding, and one inside of the signed key.
    for (const std::size_t from_end : {1u, 17u, 100u, 200u}) {
        auto changed = to_vec(good.reveal());
        changed[changed.size() - from_end] ^= 1;
        tell(crypto::Secret{std::move(changed)}, opener);
    }
    // What is inside is no SignedData, not signed, or by a key that is not the certificate's.
    const auto seal = [&](Bytes content) {
        return crypto::Secret{cms::EnvelopedDataBuilder{cms::oid::signed_data, content}.recipient(*opener.shared).build().value()};
    };
    tell(seal(hex("3000")), opener);
    tell(seal(hex("FF")), opener);
    tell(enveloped(key, {crypto::PrivateKey::generate("p256").value(), cms::Identifier::by_issuer(generator_certificate)},
                   {generator_certificate.der()}, opener), opener);
    tell(enveloped(key, signer, {}, opener), opener);
    EXPECT_EQ(told.size(), 1u);
}

TEST_F(EstKeygenClient, RequestsNameWhatTheClientHas) {
    EXPECT_FALSE(delivery_to({}).value().encrypted());
    const auto rsa = holder("rsa2048", x509::key_encipherment);
    const auto delivery = delivery_to(rsa).value();
    EXPECT_EQ(delivery.certified_key, rsa.holder->certificate->subject_key_id());
    EXPECT_FALSE(delivery.capabilities.empty());
    EXPECT_EQ(delivery_to(holder("rsa3072", x509::digital_signature)).error().code, Code::bad_key);
}

}  // namespace
}  // namespace estuary::est
