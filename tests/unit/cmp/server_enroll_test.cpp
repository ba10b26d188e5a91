// ir, cr, kur, p10cr: what RFC 9483 4.1 asks of their content, and what becomes of them.
#include "estuary/cms/enveloped_data.h"
#include "estuary/crypto/cipher.h"
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::PkiHeader;
using crmf::WantedRequest;

struct ContentCase {
    std::string name;
    void (*bend)(WantedRequest&);
    std::string expected;
};
class CmpServerContent : public testing::TestWithParam<ContentCase> {};

TEST_P(CmpServerContent, IsChecked) {
    ServerWorld world;
    Talker talker{world, "alice", alice_secret};
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev", GetParam().bend))), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(Rfc9483, CmpServerContent, testing::Values(
    ContentCase{"cert_req_id", [](WantedRequest& wanted) { wanted.request.cert_req_id = 1; }, "ip rejection badRequest"},
    ContentCase{"version_2", [](WantedRequest& wanted) { wanted.request.cert_template.version = 2; }, "ip accepted"},
    ContentCase{"no_name_at_all", [](WantedRequest& wanted) { wanted.request.cert_template.subject = x509::Name{}; },
                "ip rejection badCertTemplate"},
    ContentCase{"name_only_in_san",
                [](WantedRequest& wanted) {
                    wanted.request.cert_template.subject = x509::Name{};
                    wanted.request.cert_template.extensions = {
                        x509::make_subject_alt_name({x509::GeneralName::from_text("dns:dev.example").value()}, true)};
                },
                "ip rejection badCertTemplate"},   // this profile wants a subject
    ContentCase{"subject_that_the_profile_does_not_have",
                [](WantedRequest& wanted) { wanted.request.cert_template.subject = name("CN=dev,title=x"); },
                "ip rejection badCertTemplate"},
    ContentCase{"this_issuer",
                [](WantedRequest& wanted) { wanted.request.cert_template.issuer = name("CN=Ours Issuing CA"); }, "ip accepted"},
    ContentCase{"another_issuer",
                [](WantedRequest& wanted) { wanted.request.cert_template.issuer = name("CN=Theirs"); }, "ip rejection wrongAuthority"},
    ContentCase{"ca_true",   // bug class 4
                [](WantedRequest& wanted) { wanted.request.cert_template.extensions = {x509::make_basic_constraints({true, {}})}; },
                "ip rejection badCertTemplate"},
    ContentCase{"purpose_of_a_registration_authority",   // bug class 4
                [](WantedRequest& wanted) { wanted.request.cert_template.extensions = {x509::make_ext_key_usage({x509::oid::kp_cmc_ra})}; },
                "ip grantedWithMods"},
    ContentCase{"archive",
                [](WantedRequest& wanted) {
                    wanted.request.controls = {crmf::make_archive_options(crmf::ArchiveRemGenPrivKey{true})};
                },
                "ip rejection badRequest"}),
    [](const auto& test) { return test.param.name; });

TEST_F(CmpServer, DroppedExtensionsAreNotInTheCertificate) {   // bug class 4
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev", [](WantedRequest& wanted) {
        wanted.request.cert_template.extensions = {x509::make_ext_key_usage({x509::oid::kp_cmc_ra})};
    }));
    const auto certificate = certificate_of(answer);
    EXPECT_FALSE(certificate.is_ca());
    EXPECT_FALSE(certificate.has_ext_key_usage(x509::oid::kp_cmc_ra));
}

TEST_F(CmpServer, IrIsAnsweredAndConfirmed) {
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    ASSERT_EQ(verdict(answer), "ip accepted");
    const auto certificate = certificate_of(answer);
    EXPECT_EQ(certificate.subject().to_text(), "CN=dev");
    EXPECT_TRUE(same(certificate.spki(), talker.key.public_key().spki()));
    EXPECT_EQ(cmp::confirm_wait_time(answer.header()).value(), world.clock.now() + Seconds{300});
    EXPECT_FALSE(cmp::implicit_confirm(answer.header()).value());
    EXPECT_EQ(answer.as<cmp::CertRepMessage>().ca_pubs.front().x509().value(), world.ca->root);
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate))), "pkiconf");
    EXPECT_FALSE(world.is_revoked(certificate));
}

TEST_F(CmpServer, CaPubsOnlyAfterAMacAndOnlyInIp) {   // RFC 9483 4.1.1, 4.1.2
    Talker device{world, world.device("CN=dev")};
    EXPECT_TRUE(device.send(device.request(BodyType::ir, "CN=dev")).as<cmp::CertRepMessage>().ca_pubs.empty());
    auto talker = alice();
    EXPECT_TRUE(talker.send(talker.request(BodyType::cr, "CN=dev")).as<cmp::CertRepMessage>().ca_pubs.empty());
    Talker many{world, "alice", alice_secret, "many"};
    EXPECT_TRUE(many.send(many.request(BodyType::ir, "CN=dev")).as<cmp::CertRepMessage>().ca_pubs.empty());
}

TEST_F(CmpServer, ImplicitConfirmationIsGrantedWhereItIsConfigured) {   // bug class 27
    auto talker = alice();
    const auto granted = talker.send(talker.request(BodyType::ir, "CN=dev"), implicit());
    EXPECT_TRUE(cmp::implicit_confirm(granted.header()).value());
    EXPECT_FALSE(cmp::confirm_wait_time(granted.header()).value());
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(granted)))), "error badRequest");
    Talker refused{world, "alice", alice_secret, "explicit"};
    const auto answer = refused.send(refused.request(BodyType::ir, "CN=dev"), implicit());
    EXPECT_FALSE(cmp::implicit_confirm(answer.header()).value());
    EXPECT_TRUE(cmp::confirm_wait_time(answer.header()).value());
}

TEST_F(CmpServer, P10crIsAnsweredWithMinusOne) {
    auto talker = alice();
    const auto answer = talker.send(talker.p10("CN=dev"));
    ASSERT_EQ(verdict(answer), "cp accepted");
    EXPECT_EQ(answer.as<cmp::CertRepMessage>().responses.front().cert_req_id, -1);
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer), 0))), "error badRequest");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer), -1))), "pkiconf");
}

TEST_F(CmpServer, P10crMustBeSigned) {
    auto talker = alice();
    auto body = talker.p10("CN=dev");
    auto& der = std::get<cmp::P10CertificationRequest>(body.content).der;
    der.back() ^= 1;
    EXPECT_EQ(verdict(talker.send(body)), "cp rejection badPOP");
}

/// The possession of a key is shown, by its holder (bug class 27).
TEST_F(CmpServer, PossessionIsShown) {
    auto talker = alice();
    const auto good = std::get<cmp::CertReqMessages>(talker.request(BodyType::ir, "CN=dev").content).messages.front();
    const auto with = [&](const std::optional<crmf::ProofOfPossession>& popo) {
        talker.begin();
        const auto message = crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(good.cert_req_der(), popo)).value();
        return verdict(talker.send({BodyType::ir, cmp::CertReqMessages{{message}}}));
    };
    EXPECT_EQ(with(std::nullopt), "ip rejection badPOP");
    EXPECT_EQ(with(crmf::RaVerified{}), "ip rejection notAuthorized");
    auto wrong = std::get<crmf::PopoSigningKey>(*good.popo());
    wrong.signature.back() ^= 1;
    EXPECT_EQ(with(wrong), "ip rejection badPOP");
    auto input = std::get<crmf::PopoSigningKey>(*good.popo());
    input.input = crmf::PopoSigningKeyInput{directory("CN=dev"), to_vec(talker.key.public_key().spki())};
    EXPECT_EQ(with(input), "ip rejection badPOP");
    EXPECT_EQ(with(good.popo()), "ip accepted");
}

TEST_F(CmpServer, RaVerifiedIsTakenFromARegistrationAuthority) {
    Talker ra{world, world.enrolled("CN=ra", "", "ra")};
    const auto made = std::get<cmp::CertReqMessages>(ra.request(BodyType::ir, "CN=somebody").content).messages.front();
    const auto message = crmf::CertReqMsg::parse(crmf::make_ra_verified(made.cert_req_der())).value();
    EXPECT_EQ(verdict(ra.send({BodyType::ir, cmp::CertReqMessages{{message}}})), "ip accepted");
    // Not under a label that knows no registration authorities, nor one of another label (bug class 7).
    Talker elsewhere{world, world.enrolled("CN=ra2", "", "ra"), "many"};
    EXPECT_EQ(verdict(elsewhere.send({BodyType::ir, cmp::CertReqMessages{{message}}})), "ip rejection notAuthorized");
}

TEST_F(CmpServer, WeakKeysAreRefused) {   // bug class 32
    auto talker = alice();
    talker.key = crypto::PrivateKey::generate("p521").value();   // not of this profile
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "ip rejection badCertTemplate");
}

TEST_F(CmpServer, SubjectsAreThoseOfTheCertificate) {   // bug class 8
    Talker talker{world, world.enrolled("CN=dev")};
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=else"))), "cp rejection notAuthorized");
    talker.begin();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::kur, "CN=else"))), "kup rejection badCertTemplate");
}

TEST_F(CmpServer, UpdatesNameTheirCertificate) {
    const auto have = world.enrolled("CN=dev");
    Talker talker{world, have};
    const auto with_old = [&](crmf::CertId id) {
        talker.begin();
        return verdict(talker.send(talker.request(BodyType::kur, "CN=dev", [&](WantedRequest& wanted) {
            wanted.request.controls = {crmf::make_old_cert_id(id)};
        })));
    };
    const auto issuer = cmp::directory_name(have.certificate.issuer());
    EXPECT_EQ(with_old({issuer, {0x01}}), "kup rejection badCertId");
    EXPECT_EQ(with_old({directory("CN=else"), to_vec(have.certificate.serial_number())}), "kup rejection badCertId");
    EXPECT_EQ(with_old({issuer, to_vec(have.certificate.serial_number())}), "kup accepted");
    // A second one while the first waits for its confirmation.
    EXPECT_EQ(with_old({issuer, to_vec(have.certificate.serial_number())}), "kup rejection badRequest");
    world.clock.advance(Seconds{301});
    EXPECT_EQ(with_old({issuer, to_vec(have.certificate.serial_number())}), "kup accepted");
}

TEST_F(CmpServer, UpdatesNeedASignature) {
    auto talker = alice();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::kur, "CN=dev"))), "kup rejection wrongIntegrity");
    Talker not_here{world, world.enrolled("CN=dev", "open"), "open"};
    EXPECT_EQ(verdict(not_here.send(not_here.request(BodyType::kur, "CN=dev"))), "kup rejection notAuthorized");
}

TEST_F(CmpServer, AConfirmedUpdateMayBeUpdated) {
    Talker talker{world, world.enrolled("CN=dev")};
    talker.key = crypto::PrivateKey::generate("p256").value();
    const auto answer = talker.send(talker.request(BodyType::kur, "CN=dev"));
    ASSERT_EQ(verdict(answer), "kup accepted");
    talker.with_certificates = false;   // RFC 9483 3.3: certConf may leave them out
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
    Talker next{world, talker.identity(answer)};
    EXPECT_EQ(verdict(next.send(next.request(BodyType::kur, "CN=dev"), implicit())), "kup accepted");
    talker.with_certificates = true;
    talker.begin();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::kur, "CN=dev"))), "kup accepted");
}

PkiBody together(std::vector<crmf::CertReqMsg> messages) { return {BodyType::ir, cmp::CertReqMessages{std::move(messages)}}; }
crmf::CertReqMsg one_of(Talker& talker, const std::string& subject, std::int64_t id) {
    auto body = talker.request(BodyType::ir, subject, [&](WantedRequest& wanted) { wanted.request.cert_req_id = id; });
    return std::get<cmp::CertReqMessages>(body.content).messages.front();
}

TEST_F(CmpServer, OneMessageHasOneRequestUnlessMoreAreAllowed) {
    auto talker = alice();
    EXPECT_EQ(verdict(talker.send(together({one_of(talker, "CN=a", 0), one_of(talker, "CN=b", 1)}))), "ip rejection badRequest");
    Talker many{world, "alice", alice_secret, "many"};
    EXPECT_EQ(verdict(many.send(together({one_of(many, "CN=a", 0), one_of(many, "CN=b", 0)}))), "ip rejection badRequest");
    many.begin();
    EXPECT_EQ(verdict(many.send(together({one_of(many, "CN=a", 0), one_of(many, "CN=b", -3)}))), "ip rejection badRequest");
    many.begin();
    const auto answer = many.send(together({one_of(many, "CN=a", 5), one_of(many, "CN=b,title=x", 6), one_of(many, "CN=c", 7)}));
    const auto& responses = answer.as<cmp::CertRepMessage>().responses;
    ASSERT_EQ(responses.size(), 3u);
    EXPECT_EQ(responses[0].cert_req_id, 5);
    EXPECT_TRUE(responses[0].status.is_granted());
    EXPECT_FALSE(responses[1].status.is_granted());
    EXPECT_TRUE(responses[2].status.is_granted());
    // One is confirmed; the other, left out, is thereby rejected (RFC 9810 5.3.18).
    const auto first = certificate_of(answer, 0), last = certificate_of(answer, 2);
    EXPECT_EQ(verdict(many.send(many.confirmation(last, 7))), "pkiconf");
    EXPECT_TRUE(world.is_revoked(first));
    EXPECT_FALSE(world.is_revoked(last));
}

TEST_F(CmpServer, ProfilesAreNamed) {
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=ra"), [](PkiHeader& header) {
        header.general_info = {cmp::make_cert_profile({"ra"})};
    });
    EXPECT_TRUE(certificate_of(answer).has_ext_key_usage(x509::oid::kp_cmc_ra));
}

TEST_F(CmpServer, AnEncryptedCertificateProvesThePossessionOfItsKey) {
    auto talker = alice();
    talker.key = crypto::PrivateKey::generate("rsa2048").value();
    const auto body = talker.request(BodyType::ir, "CN=dev", [](WantedRequest& wanted) {
        wanted.subsequent_message = crmf::SubsequentMessage::encr_cert;
    });
    EXPECT_EQ(verdict(talker.send(body)), "ip rejection badPOP");   // pvno 2 has no EnvelopedData
    talker.begin();
    talker.pvno = cmp::cmp2021;
    const auto answer = talker.send(body, implicit());
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_EQ(answer.header().pvno, cmp::cmp2021);
    EXPECT_FALSE(cmp::implicit_confirm(answer.header()).value());   // the confirmation is the proof
    const auto& pair = *answer.as<cmp::CertRepMessage>().responses.front().certified_key_pair;
    EXPECT_EQ(pair.certificate(), nullptr);
    const auto& envelope = std::get<crmf::EnvelopedKey>(std::get<crmf::EncryptedKey>(pair.cert_or_enc_cert)).enveloped_data;
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(der::Oid{"1.2.840.113549.1.7.3"});
        writer.constructed(der::context_constructed(0), [&] { writer.raw(envelope); });
    });
    const auto opened = cms::EnvelopedData::parse(writer.bytes()).value();
    ASSERT_EQ(opened.recipients().size(), 1u);
    const auto& recipient = std::get<cms::KeyTransport>(opened.recipients().front()).recipient;
    // The recipient names the certificate that is inside: whoever opens it goes by the transaction (RFC 9810 5.2.8.3.2).
    const auto key = cms::unwrap(std::get<cms::KeyTransport>(opened.recipients().front()), talker.key, 32);
    ASSERT_TRUE(key) << failure(key);
    EXPECT_FALSE(recipient.is_by_key());
    // A wrong hash proves nothing; the certificate is revoked in time.
    cmp::CertStatus wrong;
    wrong.cert_hash = ByteVec(32);
    EXPECT_EQ(verdict(talker.send({BodyType::cert_conf, cmp::CertConfirmContent{{wrong}}})), "error badCertId");
}

TEST_F(CmpServer, EncryptedCertificatesForKeysThatAgree) {
    auto talker = alice();
    talker.pvno = cmp::cmp2021;
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev", [](WantedRequest& wanted) {
        wanted.subsequent_message = crmf::SubsequentMessage::encr_cert;
    }));
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_EQ(answer.as<cmp::CertRepMessage>().responses.front().certified_key_pair.value().certificate(), nullptr);
}

TEST_F(CmpServer, AKeyThatOnlySignsIsNotProvedByDecrypting) {   // bug class 33
    auto talker = alice();
    talker.key = crypto::PrivateKey::generate("ed25519").value();
    talker.pvno = cmp::cmp2021;
    const auto made = std::get<cmp::CertReqMessages>(talker.request(BodyType::ir, "CN=dev").content).messages.front();
    for (const auto& [how, expected] : {std::pair{crmf::SubsequentMessage::encr_cert, "ip rejection badPOP"},
                                        std::pair{crmf::SubsequentMessage::challenge_resp, "ip rejection badCertTemplate"}}) {
        talker.begin();
        const auto message = crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(made.cert_req_der(), crmf::KeyEncipherment{how})).value();
        EXPECT_EQ(verdict(talker.send({BodyType::ir, cmp::CertReqMessages{{message}}})), expected);
    }
}

/// What OpenSSL's CMP code fell over (bug class 16), as regressions of ours.
TEST_F(CmpServer, WhatOthersFellOver) {
    auto talker = alice();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=%s%n%x"), [](PkiHeader& header) { header.sender = directory("CN=%s%n"); })),
              "ip accepted");                                        // a format string in a name
    talker.begin();
    const PkiBody empty_template{BodyType::rr, cmp::RevReqContent{{{}}}};
    EXPECT_EQ(verdict(talker.send(empty_template)), "rp rejection wrongIntegrity");
    Talker holder{world, world.enrolled("CN=dev")};
    EXPECT_EQ(verdict(holder.send(empty_template)), "rp rejection addInfoNotAvailable");   // rr that names nothing
    // More certificates than a message may carry: refused before any of them is looked at, and none is kept.
    talker.begin();
    const auto good = PkiMessage::parse(talker.make(talker.request(BodyType::ir, "CN=dev"))).value();
    const std::vector<Bytes> many(33, world.ca->root.der());
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(good.header_der(), good.body_der(), *good.protection(), many))), "error badRequest");
    // protectionAlg of a kind that the protection is not.
    auto header = good.header();
    header.protection_alg = hex("300a06082a8648ce3d040302");
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(header.encode(), good.body_der(), *good.protection()))), "error badMessageCheck");
    header.protection_alg = hex("3003060100");
    const auto said = verdict(talker.deliver(cmp::encode_message(header.encode(), good.body_der(), *good.protection())));
    EXPECT_TRUE(said == "error badAlg" || said == "error badDataFormat") << said;
    // The algorithms of RFC 9481 that are not taken: a MAC with the bare secret, static Diffie-Hellman.
    header.protection_alg = hex("300a06082a864886f70d0209");
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(header.encode(), good.body_der(), *good.protection()))), "error badAlg");
}

/// What an EnvelopedData without ContentInfo holds.
ByteVec open(const ByteVec& enveloped_data, const crypto::PrivateKey& key, const cms::Identifier& identifier);

TEST_F(CmpServer, AChallengeProvesThePossessionOfAKey) {
    auto talker = alice();
    talker.key = crypto::PrivateKey::generate("rsa2048").value();
    const auto body = talker.request(BodyType::ir, "CN=dev", [](WantedRequest& wanted) {
        wanted.subsequent_message = crmf::SubsequentMessage::challenge_resp;
    });
    EXPECT_EQ(verdict(talker.send(body)), "ip rejection badPOP");   // pvno 2
    talker.begin();
    talker.pvno = cmp::cmp2021;
    const auto challenged = talker.send(body);
    ASSERT_EQ(challenged.type(), BodyType::popdecc) << verdict(challenged);
    const auto& challenge = challenged.as<cmp::PopoDecKeyChallContent>().challenges.front();
    world.restart();
    const auto random = cmp::Rand::parse(open(*challenge.encrypted_rand, talker.key, {})).value();
    const auto witness = crypto::sha256(random.integer);
    EXPECT_TRUE(same(witness, challenge.witness));
    const auto nonce = talker.recip_nonce;
    auto wrong = random.integer;
    wrong.back() ^= 1;
    EXPECT_EQ(verdict(talker.send({BodyType::popdecr, cmp::PopoDecKeyRespContent{{wrong}}})), "error badPOP");
    talker.recip_nonce = nonce;
    EXPECT_EQ(verdict(talker.send({BodyType::popdecr, cmp::PopoDecKeyRespContent{{random.integer, random.integer}}})), "error badPOP");
    talker.recip_nonce = nonce;
    const auto answer = talker.send({BodyType::popdecr, cmp::PopoDecKeyRespContent{{random.integer}}});
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
}

ByteVec open(const ByteVec& enveloped_data, const crypto::PrivateKey& key, const cms::Identifier&) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(der::Oid{"1.2.840.113549.1.7.3"});
        writer.constructed(der::context_constructed(0), [&] { writer.raw(enveloped_data); });
    });
    const auto parsed = cms::EnvelopedData::parse(writer.bytes()).value();
    // NULL-DN and certReqId (RFC 9810 5.2.8.3.3): a certificate of that name does not exist, so the key identifier cannot help.
    const auto wrapped = cms::unwrap(std::get<cms::KeyTransport>(parsed.recipients().front()), key, 32).value();
    der::Reader fields{enveloped_data};
    auto content = fields.enter(der::Tag::sequence).value();
    EXPECT_TRUE(content.skip());   // version
    EXPECT_TRUE(content.skip());   // recipientInfos
    auto encrypted = content.enter(der::Tag::sequence).value();
    EXPECT_TRUE(encrypted.skip());
    auto algorithm = encrypted.enter(der::Tag::sequence).value();
    EXPECT_TRUE(algorithm.skip());
    const auto iv = algorithm.octet_string().value();
    const auto octets = encrypted.content(der::context(0)).value();
    const auto clear = crypto::decrypt_cbc("AES-256-CBC", wrapped.reveal(), iv, octets).value();
    return to_vec(clear.reveal());
}

}  // namespace
}  // namespace estuary::test
