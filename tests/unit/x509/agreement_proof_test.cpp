// Possession by key agreement (RFC 4211 4.3, RFC 9810 5.2.8, RFC 6955 6): known answers made elsewhere, there and back, and every way
// in which a proof is wrong.
#include "estuary/x509/agreement_proof.h"

#include <random>

#include "crmf_support.h"
#include "estuary/crypto/agreement_mac.h"
#include "estuary/crypto/key_transport.h"
#include "estuary/crypto/one_way_function.h"

namespace estuary::x509 {
namespace {

using test::data_file;
using test::failure;
using test::name;
using test::wanted_device;
using testing::HasSubstr;

// -- RFC 6955: draft-ietf-cose-c509-test-vectors, see tests/data/static_ecdh

AgreementKey known_verifier(const std::string& hash) {
    return {test::load(hash + "-verifier", "static_ecdh"), crypto::PrivateKey::from_bytes(data_file("static_ecdh/" + hash + "-verifier.key.der")).value()};
}
ByteVec known_request(const std::string& hash) { return data_file("static_ecdh/" + hash + "-request.der"); }

class StaticEcdhKnownAnswer : public testing::TestWithParam<std::string> {};

TEST_P(StaticEcdhKnownAnswer, Verifies) {
    const auto request = parse_agreement_request(known_request(GetParam()), known_verifier(GetParam()));
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->possession(), Possession::key_agreement);
    EXPECT_EQ(request->subject().to_text(), "CN=dhsig-" + GetParam());
}

TEST_P(StaticEcdhKnownAnswer, IsNoSignature) { EXPECT_FALSE(SignedRequest::parse(known_request(GetParam()))); }

/// The MAC that we make for the same octets is theirs.
TEST_P(StaticEcdhKnownAnswer, IsMadeAlike) {
    const auto theirs = parse_unproven(known_request(GetParam())).value();
    const auto key = crypto::PrivateKey::from_bytes(data_file("static_ecdh/" + GetParam() + "-key.der"));
    ASSERT_TRUE(key) << failure(key);
    const auto ours = make_agreement_proof(AgreementAlgorithm::static_ecdh, theirs.signed_octets, *key, known_verifier(GetParam()).certificate).value();
    EXPECT_EQ(to_hex(ours.algorithm), to_hex(theirs.signature_algorithm));
    if (GetParam() == "sha384") {   // the one with issuerAndSerial
        EXPECT_EQ(to_hex(ours.value), to_hex(theirs.signature));
    }
    EXPECT_EQ(to_hex(Bytes{ours.value}.last(32)), to_hex(Bytes{theirs.signature}.last(32)));   // the end of the MAC
}

INSTANTIATE_TEST_SUITE_P(Rfc6955, StaticEcdhKnownAnswer, testing::Values("sha256", "sha384", "sha512"), [](const auto& test) { return test.param; });

// -- there and back

/// A certificate for `key`, issued by nobody: its names and number are what counts.
Certificate certificate_for(const crypto::PrivateKey& key, std::string_view subject = "CN=agreement", std::string_view issuer = "CN=CA") {
    TbsCertificate tbs;
    tbs.serial_number = {0x12, 0x34};
    const auto signer = crypto::PrivateKey::generate("p256").value();
    tbs.signature_algorithm = signer.signature_algorithm().value()->identifier;
    if (!issuer.empty()) tbs.issuer = name(issuer);
    if (!subject.empty()) tbs.subject = name(subject);
    tbs.not_before = Time{Seconds{1'795'000'000}};
    tbs.not_after = Time{Seconds{1'796'000'000}};
    tbs.spki = to_vec(key.public_key().spki());
    const auto encoded = encode_tbs(tbs);
    return Certificate::parse(encode_certificate(encoded, tbs.signature_algorithm, signer.sign(encoded).value())).value();
}

AgreementKey own_agreement_key(std::string_view type, std::string_view subject = "CN=agreement", std::string_view issuer = "CN=CA") {
    auto key = crypto::PrivateKey::generate(type).value();
    auto certificate = certificate_for(key, subject, issuer);
    return {std::move(certificate), std::move(key)};
}

struct Proving {
    AgreementKey own;
    crypto::PrivateKey key;
    ByteVec text = test::octets("what is proved");
    AgreementProof proof;

    Proving(std::string_view type, AgreementAlgorithm algorithm)
        : own{own_agreement_key(type)}, key{crypto::PrivateKey::generate(type).value()},
          proof{make_agreement_proof(algorithm, text, key, own.certificate).value()} {}
    std::string verdict() const { return failure(verify_agreement_proof(proof.algorithm, text, proof.value, own, key.public_key())); }
};

class AgreementProofOf : public testing::TestWithParam<std::string> {};

TEST_P(AgreementProofOf, IsTakenAndNothingElseIs) {
    Proving proving{GetParam(), AgreementAlgorithm::dh_based_mac};
    EXPECT_EQ(proving.verdict(), "no error");
    proving.text.back() ^= 1;
    EXPECT_THAT(proving.verdict(), HasSubstr("bad_proof: proof of possession: the MAC is wrong"));
    proving.text.back() ^= 1;
    proving.proof.value.pop_back();
    EXPECT_THAT(proving.verdict(), HasSubstr("bad_proof"));
    proving.proof.value.clear();
    EXPECT_THAT(proving.verdict(), HasSubstr("bad_proof"));
}

TEST_P(AgreementProofOf, NeedsTheKey) {
    Proving proving{GetParam(), AgreementAlgorithm::dh_based_mac};
    const auto other = crypto::PrivateKey::generate(GetParam()).value();
    EXPECT_THAT(failure(verify_agreement_proof(proving.proof.algorithm, proving.text, proving.proof.value, proving.own, other.public_key())),
                HasSubstr("bad_proof"));
    proving.own.key = other;   // another agreement key, as after a renewal
    EXPECT_THAT(proving.verdict(), HasSubstr("bad_proof"));
}

INSTANTIATE_TEST_SUITE_P(All, AgreementProofOf, testing::Values("p256", "p384", "p521", "x25519", "x448"), [](const auto& test) { return test.param; });

/// OWF(ZZ) keys the MAC, and nothing else does (RFC 9810 5.1.3.2).
TEST(AgreementProof, DhBasedMacIsThatOfMessageProtection) {
    const Proving proving{"x25519", AgreementAlgorithm::dh_based_mac};
    const auto base = crypto::digest("SHA256", crypto::agree(proving.key, proving.own.key.public_key()).value().reveal()).value();
    const auto hmac = crypto::read_mac_algorithm(crypto::encode_mac_algorithm("HMAC-SHA256").value()).value();
    EXPECT_EQ(to_hex(proving.proof.value), to_hex(crypto::compute_mac(hmac, base, proving.text).value()));
    EXPECT_EQ(to_hex(proving.proof.algorithm), to_hex(crypto::encode_dh_based_mac("SHA256", "HMAC-SHA256").value()));
}

TEST(AgreementProof, KeysOfAnotherCurveAgreeOnNothing) {
    const auto own = own_agreement_key("p256");
    for (const auto* type : {"p384", "x25519", "rsa2048", "ed25519"}) {
        const auto other = crypto::PrivateKey::generate(type).value();
        const auto algorithm = crypto::encode_dh_based_mac("SHA256", "HMAC-SHA256").value();
        EXPECT_THAT(failure(verify_agreement_proof(algorithm, {}, ByteVec(32), own, other.public_key())),
                    HasSubstr(std::string{"bad_proof: proof of possession: the key is of type "} + type)) << type;
        EXPECT_THAT(failure(make_agreement_proof(AgreementAlgorithm::dh_based_mac, {}, other, own.certificate)), HasSubstr("bad_key")) << type;
    }
    const auto signing = own_agreement_key("ed25519");
    EXPECT_THAT(failure(make_agreement_proof(AgreementAlgorithm::dh_based_mac, {}, crypto::PrivateKey::generate("ed25519").value(), signing.certificate)),
                HasSubstr("bad_key"));
}

// Bug class 32: what a key of small order agrees on, everybody knows.
TEST(AgreementProof, PointsOfSmallOrderAndOffTheCurveAreRefused) {
    const auto own = own_agreement_key("x25519");
    der::Writer spki;
    spki.sequence([&] {
        spki.sequence([&] { spki.oid(der::Oid{"1.3.101.110"}); });
        spki.bit_string(ByteVec(32));
    });
    const auto zero = crypto::PublicKey::from_spki(spki.bytes()).value();
    const auto algorithm = crypto::encode_dh_based_mac("SHA256", "HMAC-SHA256").value();
    const auto base = crypto::digest("SHA256", ByteVec(32)).value();
    const auto hmac = crypto::read_mac_algorithm(crypto::encode_mac_algorithm("HMAC-SHA256").value()).value();
    const auto forged = crypto::compute_mac(hmac, base, test::octets("text")).value();
    EXPECT_THAT(failure(verify_agreement_proof(algorithm, test::octets("text"), forged, own, zero)), HasSubstr("bad_key"));
    auto off = to_vec(own_agreement_key("p256").key.public_key().spki());
    off.back() ^= 1;
    EXPECT_THAT(failure(crypto::PublicKey::from_spki(off)), HasSubstr("bad_key"));
}

TEST(AgreementProof, WeakAndForeignAlgorithmsAreRefused) {
    const Proving proving{"p256", AgreementAlgorithm::dh_based_mac};
    const auto verdict = [&](Result<ByteVec> algorithm) {
        return failure(verify_agreement_proof(algorithm.value(), proving.text, proving.proof.value, proving.own, proving.key.public_key()));
    };
    EXPECT_THAT(verdict(crypto::encode_dh_based_mac("SHA1", "HMAC-SHA256")), HasSubstr("bad_key"));
    EXPECT_THAT(verdict(crypto::encode_dh_based_mac("SHA256", "HMAC-SHA1")), HasSubstr("bad_key"));
    EXPECT_THAT(verdict(crypto::encode_dh_based_mac("SHA256", "AES-128-GMAC")), HasSubstr("unsupported"));
    EXPECT_THAT(verdict(crypto::encode_mac_algorithm("HMAC-SHA256")), HasSubstr("unsupported"));
    EXPECT_THAT(verdict(test::hex("300a06082b06010505070603")), HasSubstr("unsupported"));   // id-dhPop-static-sha1-hmac-sha1
}

TEST(AgreementProof, DhSigStaticNamesTheCertificateOrNone) {
    Proving proving{"p256", AgreementAlgorithm::static_ecdh};
    EXPECT_EQ(proving.verdict(), "no error");
    const auto renewed = certificate_for(proving.own.key, "CN=agreement", "CN=another CA");
    auto own = proving.own;
    own.certificate = renewed;
    EXPECT_THAT(failure(verify_agreement_proof(proving.proof.algorithm, proving.text, proving.proof.value, own, proving.key.public_key())),
                HasSubstr("bad_proof: proof of possession: it is made for another certificate"));
    // The names go into the key: also without issuerAndSerial it is another proof.
    der::Reader reader{proving.proof.value};
    auto fields = reader.enter(der::Tag::sequence).value();
    EXPECT_TRUE(fields.skip());
    const auto hash = fields.octet_string().value();
    der::Writer bare;
    bare.sequence([&] { bare.octet_string(hash); });
    const auto value = to_vec(bare.bytes());
    EXPECT_TRUE(verify_agreement_proof(proving.proof.algorithm, proving.text, value, proving.own, proving.key.public_key()));
    EXPECT_THAT(failure(verify_agreement_proof(proving.proof.algorithm, proving.text, value, own, proving.key.public_key())), HasSubstr("bad_proof"));
    EXPECT_THAT(failure(verify_agreement_proof(proving.proof.algorithm, proving.text, hash, proving.own, proving.key.public_key())),
                HasSubstr("malformed"));   // the MAC alone
}

TEST(AgreementProof, StaticEcdhIsForEcKeysAndNamedCertificates) {
    const auto montgomery = own_agreement_key("x25519");
    EXPECT_THAT(failure(make_agreement_proof(AgreementAlgorithm::static_ecdh, {}, crypto::PrivateKey::generate("x25519").value(), montgomery.certificate)),
                HasSubstr("unsupported"));
    const auto nameless = own_agreement_key("p256", "");
    EXPECT_THAT(failure(make_agreement_proof(AgreementAlgorithm::static_ecdh, {}, crypto::PrivateKey::generate("p256").value(), nameless.certificate)),
                HasSubstr("unsupported"));
}

// Bug class 3: every octet of the request counts.
TEST(AgreementRequest, AnyChangeIsFound) {
    const auto own = own_agreement_key("p256");
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto der = make_agreement_request({name("CN=device"), {make_subject_alt_name({test::general_name("dns:a.example")}, false)}, {}}, key,
                                            own.certificate).value();
    const auto request = parse_agreement_request(der, own);
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->subject_alt_names().size(), 1u);
    EXPECT_TRUE(is_agreement_request(der));
    EXPECT_TRUE(same(request->der(), der));
    for (std::size_t i = 0; i < der.size(); ++i) {
        auto changed = der;
        changed[i] ^= 1;
        EXPECT_FALSE(parse_agreement_request(changed, own)) << i;
    }
}

TEST(AgreementRequest, OthersAreNotTaken) {
    const auto own = own_agreement_key("p256");
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto signed_request = make_request({name("CN=device"), {}, {}}, key).value();
    EXPECT_FALSE(is_agreement_request(signed_request));
    EXPECT_THAT(failure(parse_agreement_request(signed_request, own)), HasSubstr("unsupported"));
    EXPECT_FALSE(is_agreement_request({}));
    // DHBasedMac in the place of a signature.
    const auto theirs = parse_unproven(signed_request).value();
    const auto proof = make_agreement_proof(AgreementAlgorithm::dh_based_mac, theirs.signed_octets, key, own.certificate).value();
    der::Writer writer;
    writer.sequence([&] { writer.raw(theirs.signed_octets).raw(proof.algorithm).bit_string(proof.value); });
    EXPECT_THAT(failure(parse_agreement_request(writer.bytes(), own)), HasSubstr("unsupported: DHBasedMac is no signature of a PKCS #10"));
}

// -- CRMF

crmf::CertReqMsg agree_mac_message(const crypto::PrivateKey& key, const AgreementKey& own) {
    auto wanted = wanted_device();
    wanted.agreement_recipient = own.certificate;
    return test::message(wanted, key);
}

crmf::CertReqMsg with_proof(const crmf::CertReqMsg& message, crmf::ProofOfPossession popo) {
    return crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(message.cert_req_der(), popo)).value();
}

TEST(CrmfAgreement, AgreeMacBecomesAPossession) {
    for (const auto* type : {"p256", "p384", "p521", "x25519", "x448"}) {
        const auto own = own_agreement_key(type);
        const auto message = agree_mac_message(crypto::PrivateKey::generate(type).value(), own);
        ASSERT_TRUE(crmf::is_agreement_possession(message));
        crmf::Receiver receiver;
        receiver.possession.agreement_key = &own;
        const auto request = crmf::to_certification_request(message, receiver);
        ASSERT_TRUE(request) << type << " " << failure(request);
        EXPECT_EQ(request->possession(), Possession::key_agreement);
        EXPECT_THAT(failure(crmf::to_certification_request(message)), HasSubstr("bad_proof: proof of possession: there is no agreement key here"));
        EXPECT_FALSE(crmf::verify_signature_possession(message));
    }
}

/// RFC 9810 5.2.8.2: the MAC in the place of a signature; RFC 6955's algorithms in either place.
TEST(CrmfAgreement, TheMacMayStandForASignature) {
    const auto own = own_agreement_key("p256");
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto message = agree_mac_message(key, own);
    for (const auto algorithm : {AgreementAlgorithm::dh_based_mac, AgreementAlgorithm::static_ecdh}) {
        const auto proof = make_agreement_proof(algorithm, message.cert_req_der(), key, own.certificate).value();
        const auto as_signature = with_proof(message, crmf::PopoSigningKey{{}, proof.algorithm, proof.value});
        const auto as_mac = with_proof(message, crmf::KeyAgreementProof{crmf::AgreeMac{{proof.algorithm, proof.value}}});
        for (const auto& one : {as_signature, as_mac}) {
            ASSERT_TRUE(crmf::is_agreement_possession(one));
            const auto proved = crmf::verify_agreement_possession(one, {.agreement_key = &own});
            EXPECT_TRUE(proved) << failure(proved);
        }
    }
}

TEST(CrmfAgreement, OtherPlacesAreNone) {   // bug class 1
    const auto own = own_agreement_key("p256");
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto message = agree_mac_message(key, own);
    const auto mac = std::get<crmf::AgreeMac>(std::get<crmf::KeyAgreementProof>(*message.popo()).proof);
    const crmf::PossessionContext context{.agreement_key = &own};
    const auto encipherment = with_proof(message, crmf::KeyEncipherment{mac});
    EXPECT_FALSE(crmf::is_agreement_possession(encipherment));
    EXPECT_THAT(failure(crmf::to_certification_request(encipherment, {.possession = context})), HasSubstr("unsupported"));
    const auto dh_mac = with_proof(message, crmf::KeyAgreementProof{crmf::DhMac{mac.mac.value}});
    EXPECT_FALSE(crmf::is_agreement_possession(dh_mac));
    EXPECT_THAT(failure(crmf::to_certification_request(dh_mac, {.possession = context})), HasSubstr("unsupported"));
    const crmf::PopoSigningKeyInput input{crmf::PkMacValue{mac.mac}, to_vec(key.public_key().spki())};
    EXPECT_THAT(failure(crmf::verify_agreement_possession(with_proof(message, crmf::PopoSigningKey{input, mac.mac.algorithm, mac.mac.value}), context)),
                HasSubstr("poposkInput"));
    const auto signed_one = test::message(wanted_device(), key);
    EXPECT_FALSE(crmf::is_agreement_possession(signed_one));
    EXPECT_THAT(failure(crmf::verify_agreement_possession(signed_one, context)), HasSubstr("bad_proof"));
}

TEST(CrmfAgreement, SubjectAndPublicKeyMustBeThere) {
    const auto own = own_agreement_key("p256");
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto prove = [&](const crmf::CertRequest& request) {
        const auto der = request.encode();
        const auto proof = make_agreement_proof(AgreementAlgorithm::dh_based_mac, der, key, own.certificate).value();
        const auto message = crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(der, crmf::KeyAgreementProof{crmf::AgreeMac{{proof.algorithm, proof.value}}}));
        return failure(crmf::verify_agreement_possession(*message, {.agreement_key = &own}));
    };
    auto request = wanted_device().request;
    request.cert_template.public_key = to_vec(key.public_key().spki());
    EXPECT_EQ(prove(request), "no error");
    auto without_subject = request;
    without_subject.cert_template.subject.reset();
    EXPECT_THAT(prove(without_subject), HasSubstr("bad_proof: proof of possession: a MAC by key agreement needs a subject"));
    auto without_key = request;
    without_key.cert_template.public_key.reset();
    EXPECT_THAT(prove(without_key), HasSubstr("bad_proof: proof of possession: the request has no key"));
    auto wanted = wanted_device();
    wanted.request.cert_template.subject.reset();
    wanted.agreement_recipient = own.certificate;
    EXPECT_THAT(failure(crmf::make_cert_req_msg(wanted, key)), HasSubstr("malformed"));
}

TEST(CrmfAgreement, AnyChangeOfTheRequestIsFound) {   // bug class 3
    const auto own = own_agreement_key("x25519");
    const auto received = agree_mac_message(crypto::PrivateKey::generate("x25519").value(), own);
    const auto at = static_cast<std::size_t>(received.cert_req_der().data() - received.der().data());
    std::size_t read = 0;
    for (std::size_t i = 0; i < received.cert_req_der().size(); ++i) {
        auto changed = to_vec(received.der());
        changed[at + i] ^= 1;
        const auto parsed = crmf::CertReqMsg::parse(changed);
        if (!parsed) continue;
        ++read;
        EXPECT_FALSE(crmf::verify_agreement_possession(*parsed, {.agreement_key = &own})) << i;
    }
    EXPECT_GT(read, 20u);
}

TEST(AgreementProof, HoldsForItsTextAlone) {
    std::mt19937 random{20261121};
    const auto text_of = [&](std::size_t size) {
        ByteVec text(size);
        for (auto& octet : text) octet = static_cast<std::uint8_t>(random());
        return text;
    };
    const Proving proving{"x25519", AgreementAlgorithm::dh_based_mac};
    const auto holds = [&](const AgreementProof& proof, Bytes text) {
        return verify_agreement_proof(proof.algorithm, text, proof.value, proving.own, proving.key.public_key()).has_value();
    };
    for (std::size_t size = 0; size < 200; ++size) {
        const auto text = text_of(size);
        const auto proof = make_agreement_proof(AgreementAlgorithm::dh_based_mac, text, proving.key, proving.own.certificate).value();
        EXPECT_TRUE(holds(proof, text)) << size;
        EXPECT_FALSE(holds(proof, text_of(size + 1))) << size;
        if (size != 0) {
            EXPECT_FALSE(holds(proof, Bytes{text}.first(size - 1))) << size;
        }
    }
}

}  // namespace
}  // namespace estuary::x509
