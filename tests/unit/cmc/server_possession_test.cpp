// Possession of keys that do not sign (RFC 10002 6.7, 6.8, B.3, B.4, C.1).
#include "world.h"

namespace estuary::test {
namespace {

using namespace cmc;
using testing::ElementsAre;

/// A PKCS #10 request with id-alg-noSignature.
ByteVec unsigned_pkcs10(std::string_view subject, Bytes spki, const std::vector<x509::Extension>& extensions = {}) {
    der::Writer info;
    info.sequence([&] {
        info.integer(0).raw(name(subject).der()).raw(spki);
        info.constructed(der::context_constructed(0), [&] {
            if (extensions.empty()) return;
            info.sequence([&] {
                info.oid(x509::oid::extension_request);
                info.constructed(der::Tag::set, [&] { x509::write_extensions(info, extensions); });
            });
        });
    });
    der::Writer writer;
    writer.sequence([&] {
        writer.raw(info.bytes());
        writer.sequence([&] { writer.oid(cmc::oid::no_signature).null(); });
        writer.bit_string(crypto::sha256(info.bytes()));
    });
    return std::move(writer).take();
}

CertificateWish decrypting(std::string_view subject, const std::string& key_type) {
    auto one = wish(subject, key_type);
    one.decrypts_only = true;
    return one;
}

class CmcChallenge : public CmcServer, public testing::WithParamInterface<std::string> {};

// B.3 with a certificate, B.4 with none: the message itself has no signature, and the secret proves who asks.
TEST_P(CmcChallenge, IsAnsweredByWhoHasTheKey) {
    if (!crypto::key_type(GetParam())) GTEST_SKIP() << "this library has no " << GetParam();
    for (const bool with_certificate : {true, false}) {
        auto client = with_certificate ? world.client(world.holder("CN=device 1", "second")) : world.client_with_secret();
        client.set_data_return(hex("c0ffee"));
        const auto one = decrypting("CN=device 1", GetParam());
        const auto count = world.certificates();
        const auto first = world.exchange(client, client.enroll({one}));
        EXPECT_THAT(statuses(first.statuses), ElementsAre("failed popRequired 1"));
        ASSERT_EQ(first.challenges.size(), 1u);
        EXPECT_EQ(first.data_return, hex("c0ffee"));
        EXPECT_EQ(world.certificates(), count);
        const auto second = world.exchange(client, client.answer(first.challenges));
        EXPECT_THAT(statuses(second.statuses), ElementsAre("success 1"));
        EXPECT_TRUE(second.certificate_for(one.key.public_key().spki()));
    }
}

INSTANTIATE_TEST_SUITE_P(Keys, CmcChallenge, testing::Values("rsa2048", "p256", "ml-kem-768"), [](const auto& test) {
    auto text = test.param;
    std::erase(text, '-');
    return text;
});

TEST_F(CmcServer, RequestsWithoutSignatureAreChallenged) {
    const auto ra = world.registration_authority();
    const auto key = crypto::PrivateKey::generate("rsa2048").value();
    PkiData data;
    // By issuerAndSerialNumber: NULL and the bodyPartID; with a subjectKeyIdentifier by that.
    for (const auto& extensions : {std::vector<x509::Extension>{}, {x509::make_subject_key_identifier(hex("0a0b"))}}) {
        data.requests = {TaggedRequest::pkcs10(201, unsigned_pkcs10("CN=a", key.public_key().spki(), extensions))};
        const auto answer = world.send(signed_message(data, ra));
        EXPECT_THAT(statuses(answer), ElementsAre("failed popRequired 201"));
        EXPECT_FALSE(answer.rejected);
        const auto challenge = find_control<EncryptedPop>(response_of(answer)).value().value();
        const auto envelope = cms::EnvelopedData::parse(challenge.cms).value();
        const auto& recipient = std::get<cms::KeyTransport>(envelope.recipients().at(0)).recipient;
        EXPECT_EQ(recipient.is_by_key(), !extensions.empty());
        if (extensions.empty()) {
            EXPECT_TRUE(recipient.issuer.empty());
            EXPECT_EQ(recipient.serial_number, hex("00c9"));
        }
        EXPECT_EQ(challenge.request, data.requests[0]);
        const auto value = envelope.open(cms::KeyHolder{key, {}, hex("0a0b"), pop_recipient(201)}).value();
        EXPECT_EQ(value.reveal().size(), 64u);
        EXPECT_TRUE(check_proof_value(challenge, value, {}));
        auto with_answer = data;
        with_answer.controls = {make_control(
            7,
            DecryptedPop{201, challenge.pop_algorithm, make_pop(challenge.pop_algorithm, value, data.requests[0], {}).value()})};
        EXPECT_EQ(world.send(signed_message(with_answer, ra)).form, Answer::Form::simple);
    }
}

TEST_F(CmcServer, WrongAnswersToChallenges) {
    const auto ra = world.registration_authority();
    const auto key = crypto::PrivateKey::generate("rsa2048").value();
    PkiData data;
    data.requests = {TaggedRequest::pkcs10(1, unsigned_pkcs10("CN=a", key.public_key().spki()))};
    const auto challenge = find_control<EncryptedPop>(response_of(world.send(signed_message(data, ra)))).value().value();
    const auto value =
        cms::EnvelopedData::parse(challenge.cms).value().open(cms::KeyHolder{key, {}, {}, pop_recipient(1)}).value();
    const auto answered = [&](const crypto::Secret& with, const PkiData& about) {
        auto copy = about;
        copy.controls = {make_control(7, DecryptedPop{about.requests[0].id, challenge.pop_algorithm,
                                                      make_pop(challenge.pop_algorithm, with, about.requests[0], {}).value()})};
        return copy;
    };
    EXPECT_THAT(statuses(world.send(signed_message(answered(crypto::Secret{Bytes{ByteVec(64, 1)}}, data), ra))),
                ElementsAre("failed popFailed 1"));
    // For another request, and by somebody else: a challenge of their own.
    PkiData other;
    other.requests = {TaggedRequest::pkcs10(1, unsigned_pkcs10("CN=b", key.public_key().spki()))};
    EXPECT_THAT(statuses(world.send(signed_message(answered(value, other), ra))), ElementsAre("failed popRequired 1"));
    const auto somebody = world.registration_authority();
    EXPECT_THAT(statuses(world.send(signed_message(answered(value, data), somebody))), ElementsAre("failed popRequired 1"));
    // The witness is no shortcut, and neither is SHA-1.
    EXPECT_THAT(statuses(world.send(signed_message(answered(crypto::Secret{Bytes{challenge.witness}}, data), ra))),
                ElementsAre("failed popFailed 1"));
    auto weak = answered(value, data);
    weak.controls = {make_control(7, DecryptedPop{1, crypto::encode_mac_algorithm("HMAC-SHA1").value(), hex("00")})};
    EXPECT_THAT(statuses(world.send(signed_message(weak, ra))), ElementsAre("failed badAlg 1"));
    // Too late.
    world.clock.advance(Seconds{601});
    EXPECT_THAT(statuses(world.send(signed_message(answered(value, data), ra))), ElementsAre("failed popRequired 1"));
}

// The same challenge as long as it lives, so that a repeated request does not spoil the answer on its way (bug class 25).
TEST_F(CmcServer, AChallengeStaysTheSame) {
    const auto ra = world.registration_authority();
    const auto key = crypto::PrivateKey::generate("rsa2048").value();
    PkiData data;
    data.requests = {TaggedRequest::pkcs10(1, unsigned_pkcs10("CN=a", key.public_key().spki()))};
    const auto witness = [&] {
        return find_control<EncryptedPop>(response_of(world.send(signed_message(data, ra)))).value().value().witness;
    };
    const auto first = witness();
    EXPECT_EQ(witness(), first);
    world.clock.advance(Seconds{601});
    EXPECT_NE(witness(), first);
}

// "Servers SHOULD reject all certification requests contained within a PKIData if any required POP is missing"
TEST_F(CmcServer, AllWaitForTheOneThatHasToProveItsKey) {
    const auto ra = world.registration_authority();
    const auto count = world.certificates();
    PkiData data;
    data.requests = {
        TaggedRequest::pkcs10(1, pkcs10("CN=a")),
        TaggedRequest::pkcs10(2, unsigned_pkcs10("CN=b", crypto::PrivateKey::generate("rsa2048").value().public_key().spki()))};
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 1", "failed popRequired 2"));
    EXPECT_EQ(world.certificates(), count);
}

// Bug class 33: a key that only signs cannot show anything by decrypting.
TEST_F(CmcServer, KeysThatOnlySignHaveToSign) {
    PkiData data;
    data.requests = {
        TaggedRequest::pkcs10(1, unsigned_pkcs10("CN=a", crypto::PrivateKey::generate("ed25519").value().public_key().spki()))};
    const auto answer = world.send(signed_message(data, world.registration_authority()));
    EXPECT_THAT(statuses(answer), ElementsAre("failed popRequired 1"));
    EXPECT_EQ(response_of(answer).control(cmc::oid::encrypted_pop), nullptr);
    EXPECT_EQ(answer.rejected, Code::bad_proof);
}

// 6.8
TEST_F(CmcServer, ARegistrationAuthorityVouchesForPossession) {
    const auto spki = to_vec(crypto::PrivateKey::generate("rsa2048").value().public_key().spki());
    PkiData data;
    data.requests = {TaggedRequest::pkcs10(1, unsigned_pkcs10("CN=a", spki))};
    data.controls = {make_control(7, LraPopWitness{0, {1}})};
    EXPECT_EQ(world.send(signed_message(data, world.registration_authority())).form, Answer::Form::simple);
    const auto refused = world.send(signed_message(data, world.registration_authority("own-proofs")), "own-proofs");
    EXPECT_THAT(statuses(refused), ElementsAre("failed popFailed 1"));
    EXPECT_EQ(response_of(refused).control(cmc::oid::encrypted_pop), nullptr);
    data.controls.clear();
    EXPECT_THAT(statuses(world.send(signed_message(data, world.registration_authority("own-proofs")), "own-proofs")),
                ElementsAre("failed popRequired 1"));
}

TEST_F(CmcServer, ARegistrationAuthorityVouchesForPossessionInANestedMessage) {
    const auto ra = world.registration_authority();
    const auto key = crypto::PrivateKey::generate("rsa2048").value();
    PkiData theirs;
    theirs.requests = {TaggedRequest::pkcs10(
        1, unsigned_pkcs10("CN=a", key.public_key().spki(), {x509::make_subject_key_identifier(hex("0a"))}))};
    const auto message = sign_without_key(cmc::oid::pki_data, theirs.encode(), hex("0a")).value();
    auto client = world.client(ra);
    Client::Batch batch;
    batch.messages = {message};
    batch.controls = {make_control(0, LraPopWitness{1, {1}})};
    const auto reply = world.exchange(client, client.pass_on(batch));
    EXPECT_FALSE(client.read_member(reply.members.at(0)).value().failure());
}

// A message without signature proves nothing by itself.
TEST_F(CmcServer, NoSignatureProvesNobody) {
    const auto key = crypto::PrivateKey::generate("rsa2048").value();
    PkiData data;
    data.requests = {TaggedRequest::pkcs10(
        1, unsigned_pkcs10("CN=a", key.public_key().spki(), {x509::make_subject_key_identifier(hex("0a"))}))};
    const auto message = sign_without_key(cmc::oid::pki_data, data.encode(), hex("0a")).value();
    EXPECT_THAT(statuses(world.send(message)), ElementsAre("failed badIdentity 1"));
    const auto stranger = sign_without_key(cmc::oid::pki_data, data.encode(), hex("0b")).value();
    EXPECT_THAT(statuses(world.send(stranger)), ElementsAre("failed badMessageCheck 0"));
}

// id-alg-noSignature for a certificate's own signature is a forgery.
TEST_F(CmcServer, NoSignatureInTheNameOfACertificate) {
    const auto ra = world.registration_authority();
    PkiData data;
    data.requests = {TaggedRequest::pkcs10(1, pkcs10("CN=a"))};
    const auto forged = sign_without_key(cmc::oid::pki_data, data.encode(), *ra.certificate.subject_key_id()).value();
    EXPECT_THAT(statuses(world.send(forged)), ElementsAre("failed badMessageCheck 0"));
    cms::SignedDataBuilder bag;
    const auto parsed = cms::SignedData::parse(forged).value();
    // The same with the certificate in the message.
    auto with_certificate = cms::write_content_info(cms::oid::signed_data, 4096, [&](der::Writer& writer) {
        writer.integer(3);
        writer.constructed(der::Tag::set, [&] { writer.raw(sha256_algorithm()); });
        writer.sequence([&] {
            writer.oid(cmc::oid::pki_data);
            writer.constructed(der::context_constructed(0), [&] { writer.octet_string(*parsed.content()); });
        });
        cms::write_set_of(writer, der::context_constructed(0), {ra.certificate.der()});
        cms::write_set_of(writer, der::Tag::set, {parsed.signers().at(0).whole});
    });
    EXPECT_THAT(statuses(world.send(with_certificate)), ElementsAre("failed badMessageCheck 0"));
}

// The client: 6.7 step 3.
TEST_F(CmcServer, TheClientAnswersOnlyItsOwnChallenges) {
    auto client = world.client_with_secret();
    const auto reply = world.exchange(client, client.enroll({decrypting("CN=device 1", "rsa2048")}));
    auto challenge = reply.challenges.at(0);
    challenge.witness[0] ^= 1;
    EXPECT_EQ(code_of(client.answer({challenge})), Code::bad_proof);
    challenge = reply.challenges.at(0);
    challenge.request.id = 9;
    EXPECT_EQ(code_of(client.answer({challenge})), Code::bad_proof);
    auto other = world.client_with_secret();
    ASSERT_TRUE(other.enroll({decrypting("CN=device 1", "rsa2048")}));
    EXPECT_EQ(code_of(other.answer(reply.challenges)), Code::bad_proof);
    EXPECT_TRUE(client.abort("the challenge cannot be decrypted"));
}

}  // namespace
}  // namespace estuary::test
