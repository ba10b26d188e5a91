// Possession by key agreement (RFC 4211 4.3, RFC 9810 5.2.8, RFC 6955): agreeMAC and its fellows before the server, and the client that
// makes them.
#include "client_world.h"
#include "estuary/crypto/agreement_mac.h"
#include "estuary/x509/agreement_proof.h"

namespace estuary::test {
namespace {

using cmp::Forwarding;
using crmf::WantedRequest;

class CmpPossessionByAgreement : public CmpClient {
protected:
    CmpPossessionByAgreement() { offer("x25519"); }

    /// Label "proof" takes it with an agreement key of this type, "off" has the key and does not.
    void offer(const std::string& type) {
        key_type = type;
        agreement = world.device("CN=agreement", "acme", x509::key_agreement, crypto::PrivateKey::generate(type).value());
        world.restart([this](cmp::ServerConfig& config) {
            config.agreement_keys.insert_or_assign("issuing", cmp::Credentials{{agreement->certificate}, agreement->key});
            cmp::Label label;
            label.profile = "transport";
            label.shared_secret = label.certificate_of_ours = true;
            label.name = "proof";
            label.agreement_proof = true;
            config.labels.push_back(label);
            label.name = "unproven";
            label.agreement_proof = false;
            label.diffie_hellman = true;
            config.labels.push_back(label);
        });
    }
    Talker talker(const std::string& type = {}, const std::string& label = "proof") {
        Talker made{world, "alice", alice_secret, label};
        made.pvno = cmp::cmp2021;
        made.key = crypto::PrivateKey::generate(type.empty() ? key_type : type).value();
        return made;
    }
    std::function<void(WantedRequest&)> by_mac() {
        return [this](WantedRequest& wanted) { wanted.agreement_recipient = agreement->certificate; };
    }
    /// The request of another, with a proof in place of its own.
    static PkiBody with_proof(const PkiBody& body, crmf::ProofOfPossession popo) {
        const auto& message = std::get<cmp::CertReqMessages>(body.content).messages.front();
        return {body.type, cmp::CertReqMessages{{crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(message.cert_req_der(), popo)).value()}}};
    }
    x509::AgreementProof proof_over(const PkiBody& body, const crypto::PrivateKey& key,
                                    x509::AgreementAlgorithm algorithm = x509::AgreementAlgorithm::dh_based_mac) {
        const auto octets = std::get<cmp::CertReqMessages>(body.content).messages.front().cert_req_der();
        return x509::make_agreement_proof(algorithm, octets, key, agreement->certificate).value();
    }
    static ByteVec dh_based_mac_identifier() { return crypto::encode_dh_based_mac("SHA256", "HMAC-SHA256").value(); }
    static std::string reason(const PkiMessage& answer) { return answer.as<cmp::CertRepMessage>().responses.front().status.to_text(); }

    std::string key_type;
    std::optional<Identity> agreement;
};

TEST_F(CmpPossessionByAgreement, AKeyIsCertifiedInOneExchange) {
    for (const auto* type : {"x25519", "x448", "p256", "p384", "p521"}) {
        offer(type);
        auto asking = talker();
        const auto answer = asking.send(asking.request(BodyType::ir, "CN=dev", by_mac()), implicit());
        ASSERT_EQ(verdict(answer), "ip accepted") << type << " " << reason(answer);
        const auto certificate = certificate_of(answer);   // in clear: nothing is left to be shown
        EXPECT_TRUE(same(certificate.spki(), asking.key.public_key().spki())) << type;
        EXPECT_TRUE(cmp::implicit_confirm(answer.header()).value()) << type;
    }
}

TEST_F(CmpPossessionByAgreement, TheAgreementKeyIsTold) {
    auto asking = talker();
    const auto answer = asking.send({BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::ca_prot_enc_cert)}}});
    EXPECT_EQ(cmp::read_ca_prot_enc_cert(answer.as<cmp::GenContent>().infos.at(0)).value().value().x509().value(), agreement->certificate);
}

/// RFC 9810 5.2.8.2, and the algorithms of RFC 6955 in either place.
TEST_F(CmpPossessionByAgreement, TheMacMayStandForASignature) {
    offer("p256");
    for (const auto algorithm : {x509::AgreementAlgorithm::dh_based_mac, x509::AgreementAlgorithm::static_ecdh}) {
        auto asking = talker();
        const auto body = asking.request(BodyType::ir, "CN=dev", by_mac());
        const auto proof = proof_over(body, asking.key, algorithm);
        EXPECT_EQ(verdict(asking.send(with_proof(body, crmf::PopoSigningKey{{}, proof.algorithm, proof.value}), implicit())), "ip accepted");
        asking.begin();
        EXPECT_EQ(verdict(asking.send(with_proof(body, crmf::KeyAgreementProof{crmf::AgreeMac{{proof.algorithm, proof.value}}}), implicit())), "ip accepted");
    }
}

TEST_F(CmpPossessionByAgreement, AnUpdateShowsItAsWell) {
    auto first = talker("p256");
    const auto holder = first.identity(first.send(first.request(BodyType::ir, "CN=dev"), implicit()));
    Talker updating{world, holder, "proof"};
    updating.pvno = cmp::cmp2021;
    updating.key = crypto::PrivateKey::generate("x25519").value();
    EXPECT_EQ(verdict(updating.send(updating.request(BodyType::kur, "CN=dev", by_mac()))), "kup accepted");
}

TEST_F(CmpPossessionByAgreement, WrongMacsAreBadPop) {
    auto asking = talker();
    const auto body = asking.request(BodyType::ir, "CN=dev", by_mac());
    const auto refused = [&](const x509::AgreementProof& proof) {
        asking.begin();
        const auto answer = asking.send(with_proof(body, crmf::KeyAgreementProof{crmf::AgreeMac{{proof.algorithm, proof.value}}}));
        EXPECT_EQ(verdict(answer), "ip rejection badPOP");
        return reason(answer);
    };
    const auto right = proof_over(body, asking.key);
    auto changed = right;
    changed.value.front() ^= 1;
    EXPECT_THAT(refused(changed), testing::HasSubstr("caProtEncCert"));
    auto short_one = right;
    short_one.value.clear();
    EXPECT_THAT(refused(short_one), testing::HasSubstr("MAC is wrong"));
    EXPECT_THAT(refused(proof_over(body, crypto::PrivateKey::generate("x25519").value())), testing::HasSubstr("MAC is wrong"));   // another's key
    const auto other = asking.request(BodyType::ir, "CN=somebody else", by_mac());   // bug class 3
    EXPECT_THAT(refused(proof_over(other, asking.key)), testing::HasSubstr("MAC is wrong"));
    offer("x25519");   // a new agreement key
    EXPECT_THAT(refused(right), testing::HasSubstr("caProtEncCert"));
}

TEST_F(CmpPossessionByAgreement, KeysOfAnotherCurveAreBadPop) {
    auto asking = talker("x448");
    const auto body = asking.request(BodyType::ir, "CN=dev", [](WantedRequest& wanted) { wanted.subsequent_message = crmf::SubsequentMessage::encr_cert; });
    const x509::AgreementProof made{dh_based_mac_identifier(), ByteVec(32)};
    const auto answer = asking.send(with_proof(body, crmf::KeyAgreementProof{crmf::AgreeMac{{made.algorithm, made.value}}}));
    EXPECT_EQ(verdict(answer), "ip rejection badPOP");
    EXPECT_THAT(reason(answer), testing::HasSubstr("of type x448, and the agreement key here of type x25519"));
}

TEST_F(CmpPossessionByAgreement, ItIsTakenWhereTheLabelSaysSo) {   // bug classes 2 and 11
    for (const auto* label : {"unproven", "keys"}) {
        auto asking = talker({}, label);
        const auto answer = asking.send(asking.request(BodyType::ir, "CN=dev", by_mac()));
        EXPECT_EQ(verdict(answer), "ip rejection badPOP") << label;
        EXPECT_THAT(reason(answer), testing::HasSubstr("not taken here")) << label;
    }
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.2.8.3
//# When using agreeMAC or encryptedKey choices, the pvno cmp2021(3) MUST be used.
TEST_F(CmpPossessionByAgreement, AgreeMacBelongsToPvno3) {
    auto asking = talker();
    asking.pvno = cmp::cmp2000;
    EXPECT_EQ(verdict(asking.send(asking.request(BodyType::ir, "CN=dev", by_mac()))), "error badRequest");
}

TEST_F(CmpPossessionByAgreement, AKeyThatOnlySignsSigns) {
    auto asking = talker("ed25519");
    const auto body = asking.request(BodyType::ir, "CN=dev");
    const auto answer = asking.send(with_proof(body, crmf::KeyAgreementProof{crmf::AgreeMac{{dh_based_mac_identifier(), ByteVec(32)}}}));
    EXPECT_EQ(verdict(answer), "ip rejection badPOP");
}

TEST_F(CmpPossessionByAgreement, DhMacAndTheKeyItselfAreNotTaken) {
    auto asking = talker();
    const auto body = asking.request(BodyType::ir, "CN=dev", by_mac());
    for (const crmf::PopoPrivKey& proof : {crmf::PopoPrivKey{crmf::DhMac{proof_over(body, asking.key).value}},
                                           crmf::PopoPrivKey{crmf::ThisMessage{ByteVec{1, 2, 3}}}}) {
        asking.begin();
        EXPECT_EQ(verdict(asking.send(with_proof(body, crmf::KeyAgreementProof{proof}))), "ip rejection badAlg");
    }
}

// -- PKCS #10 (RFC 6955)

TEST_F(CmpPossessionByAgreement, P10crByStaticEcdh) {
    offer("p256");
    auto asking = talker();
    const auto request = [&](const x509::Certificate& recipient) {
        const auto der = x509::make_agreement_request({name("CN=dev"), {}, {}}, asking.key, recipient).value();
        return PkiBody{BodyType::p10cr, cmp::P10CertificationRequest{der}};
    };
    const auto answer = asking.send(request(agreement->certificate), implicit());
    ASSERT_EQ(verdict(answer), "cp accepted") << reason(answer);
    EXPECT_TRUE(same(certificate_of(answer).spki(), asking.key.public_key().spki()));
    asking.begin();
    const auto other = world.device("CN=other", "globex", x509::key_agreement);
    const auto refused = asking.send(request(other.certificate));
    EXPECT_EQ(verdict(refused), "cp rejection badPOP");
    EXPECT_THAT(reason(refused), testing::HasSubstr("another certificate"));
    auto elsewhere = talker("p256", "unproven");
    const auto closed = elsewhere.send(request(agreement->certificate));
    EXPECT_EQ(verdict(closed), "cp rejection badPOP");
    EXPECT_THAT(reason(closed), testing::HasSubstr("not taken here"));
}

// -- registration authorities

/// One that approves vouches for no possession that it cannot check.
TEST_F(CmpPossessionByAgreement, ARegistrationAuthorityThatApprovesRefuses) {
    const auto ra = world.enrolled("CN=RA", "", "ra");
    ServerWorld here;
    std::size_t went_up = 0;
    here.restart([&](cmp::ServerConfig& config) {
        cmp::ClientConfig client{.credentials = cmp::ClientSigner{ra.key, {ra.certificate, world.ca->issuing}}};
        client.anchors = {world.ca->root};
        const auto channel = [&](std::string_view, Bytes message) -> Result<ByteVec> {
            ++went_up;
            return to_vec(world.send(message, {.label = "proof"}).der());
        };
        config.above["issuing"] = std::make_shared<const cmp::Above>(cmp::Above{channel, std::move(client)});
        for (auto& label : config.labels) {
            if (label.name == "many") label.forward = Forwarding::nested;
            if (label.name == "open") label.forward = Forwarding::unchanged;
        }
    });
    const auto ask = [&](const std::string& label) {
        Talker asking{here, "alice", alice_secret, label};
        asking.pvno = cmp::cmp2021;
        asking.key = crypto::PrivateKey::generate("x25519").value();
        return asking.send(asking.request(BodyType::ir, "CN=dev", by_mac()), implicit());
    };
    const auto refused = ask("many");
    EXPECT_EQ(verdict(refused), "ip rejection badPOP");
    EXPECT_THAT(reason(refused), testing::HasSubstr("for the CA above to check"));
    EXPECT_EQ(went_up, 0u);
    EXPECT_EQ(verdict(ask("open")), "ip accepted");   // the CA above checks
}

// -- the client

TEST_F(CmpPossessionByAgreement, TheClientMakesIt) {
    auto wanted = wish();
    wanted.key = crypto::PrivateKey::generate("x25519").value();
    wanted.agreement_recipient = agreement->certificate;
    const auto outcome = run(client(by_secret()).begin(wanted).value(), "proof");
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_TRUE(same(std::get<cmp::Enrolled>(*outcome).certificate.spki(), wanted.key->public_key().spki()));
    ASSERT_EQ(sent.size(), 1u);   // one exchange, and no confirmation
    EXPECT_EQ(sent.front().header().pvno, cmp::cmp2021);
    EXPECT_TRUE(crmf::is_agreement_possession(sent.front().as<cmp::CertReqMessages>().messages.front()));
}

TEST_F(CmpPossessionByAgreement, TheClientSaysWhereKeysDoNotAgree) {
    auto wanted = wish();   // a P-256 key
    wanted.agreement_recipient = agreement->certificate;
    EXPECT_EQ(code_of(client(by_secret()).begin(wanted)), Code::bad_key);
}

TEST_F(CmpPossessionByAgreement, TheClientSendsAPkcs10MadeSo) {
    offer("p256");
    const auto key = crypto::PrivateKey::generate("p256").value();
    cmp::Pkcs10Wish wanted{x509::make_agreement_request({name("CN=dev"), {}, {}}, key, agreement->certificate).value()};
    const auto outcome = run(client(by_secret()).begin(wanted).value(), "proof");
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_TRUE(std::holds_alternative<cmp::Enrolled>(*outcome));
    auto changed = wanted;
    changed.request = x509::make_request({name("CN=dev"), {}, {}}, key).value();
    changed.request.back() ^= 1;
    EXPECT_FALSE(client(by_secret()).begin(changed));
}

/// Where nothing could agree, the server does not start.
TEST_F(CmpPossessionByAgreement, NeedsAKey) {
    cmp::ServerConfig config;
    config.labels.emplace_back();
    config.labels[0].profile = "device";
    config.labels[0].agreement_proof = true;
    const auto made = cmp::Server::create(std::move(config), *world.authority, *world.store, world.clock, world.entropy);
    EXPECT_THAT(failure(made), testing::HasSubstr("agreement_proof needs an agreement key for CA issuing"));
}

}  // namespace
}  // namespace estuary::test
