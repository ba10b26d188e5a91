// What a registration authority puts around messages (RFC 9483 5.2), and keys that are made for others (4.1.6).
#include "estuary/cms/key_package.h"
#include "estuary/cms/oids.h"
#include "estuary/crypto/cipher.h"
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::NestedMessageContent;
using cmp::PkiHeader;

PkiBody nest(std::vector<ByteVec> messages) {
    NestedMessageContent content;
    for (const auto& der : messages) content.messages.push_back(PkiMessage::parse(der).value());
    return {BodyType::nested, std::move(content)};
}

/// An approval around `inner`: its identifiers are the inner message's.
PkiMessage approve(Talker& ra, const ByteVec& inner, std::function<void(PkiHeader&)> bend = {}) {
    const auto message = PkiMessage::parse(inner).value();
    return ra.send(nest({inner}), [&](PkiHeader& header) {
        header.transaction_id = message.header().transaction_id;
        header.sender_nonce = message.header().sender_nonce;
        header.recip_nonce = message.header().recip_nonce;
        if (bend) bend(header);
    });
}

class CmpServerNested : public CmpServer {
protected:
    Identity identity = world.enrolled("CN=ra", "", "ra");
    Talker ra{world, identity};
};

TEST_F(CmpServerNested, AnApprovedRequestIsAnsweredForItself) {
    auto device = Talker{world, world.device("CN=dev", "globex")};   // known to the registration authority alone
    const auto answer = approve(ra, device.make(device.request(BodyType::ir, "CN=dev")));
    ASSERT_EQ(verdict(answer), "ip accepted");   // not nested
    EXPECT_EQ(answer.header().transaction_id, device.transaction_id);
    device.recip_nonce = answer.header().sender_nonce;
    ra.begin();
    EXPECT_EQ(verdict(approve(ra, device.make(device.confirmation(certificate_of(answer))))), "pkiconf");
}

TEST_F(CmpServerNested, AnApprovedMacIsAnsweredWithAMac) {
    auto inner = alice();
    const auto answer = approve(ra, inner.make(inner.request(BodyType::ir, "CN=dev")));
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_TRUE(cmp::verify_mac_protection(*answer.header().protection_alg, answer.protected_part(), *answer.protection(),
                                           crypto::Secret{std::string_view{alice_secret}}));
}

TEST_F(CmpServerNested, AnUpdateIsTheHoldersAlso) {
    Talker holder{world, world.enrolled("CN=dev")};
    EXPECT_EQ(verdict(approve(ra, holder.make(holder.request(BodyType::kur, "CN=dev")))), "kup accepted");
    Talker device{world, world.device("CN=dev", "globex")};
    EXPECT_EQ(verdict(approve(ra, device.make(device.request(BodyType::kur, "CN=dev")))), "kup rejection notAuthorized");
}

TEST_F(CmpServerNested, TheOuterMessageFitsTheInnerOne) {
    auto inner = alice();
    const auto message = inner.make(inner.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(approve(ra, message, [](PkiHeader& header) { header.sender_nonce = ByteVec(16, 7); })), "error badSenderNonce");
    EXPECT_EQ(verdict(approve(ra, message, [](PkiHeader& header) { header.recip_nonce = ByteVec(16, 7); })), "error badRecipientNonce");
    // A signature that is wrong in itself is not approved of.
    Talker device{world, world.device("CN=dev", "globex")};
    const auto good = PkiMessage::parse(device.make(device.request(BodyType::ir, "CN=dev"))).value();
    auto bent = to_vec(*good.protection());
    bent.back() ^= 1;
    EXPECT_EQ(verdict(approve(ra, cmp::encode_message(good.header_der(), good.body_der(), bent, good.extra_certs()))), "error badMessageCheck");
    EXPECT_EQ(verdict(approve(ra, cmp::encode_message(good.header_der(), good.body_der(), {}, good.extra_certs()))), "error badMessageCheck");
}

TEST_F(CmpServerNested, OnlyRegistrationAuthoritiesNest) {   // bug classes 1 and 7
    auto inner = alice();
    const auto message = inner.make(inner.request(BodyType::ir, "CN=dev"));
    auto mac = alice();
    EXPECT_EQ(verdict(approve(mac, message)), "error wrongIntegrity");
    Talker device{world, world.enrolled("CN=dev")};
    EXPECT_EQ(verdict(approve(device, message)), "error notAuthorized");
    Talker elsewhere{world, world.enrolled("CN=ra2", "", "ra"), "many"};
    EXPECT_EQ(verdict(approve(elsewhere, message)), "error notAuthorized");
}

TEST_F(CmpServerNested, ABatchIsAnsweredByABatch) {   // RFC 9483 5.2.2.2
    auto one = alice(), two = alice();
    const auto answer = ra.send(nest({one.make(one.request(BodyType::ir, "CN=a")), two.make(two.request(BodyType::ir, "CN=b,title=x")),
                                      one.make(one.request(BodyType::ir, "CN=c"))}));
    ASSERT_EQ(answer.type(), BodyType::nested) << verdict(answer);
    const auto& answers = answer.as<NestedMessageContent>().messages;
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(verdict(answers[0]), "ip accepted");
    EXPECT_EQ(verdict(answers[1]), "ip rejection badCertTemplate");
    EXPECT_EQ(verdict(answers[2]), "error transactionIdInUse");
    EXPECT_EQ(answers[0].header().transaction_id, one.transaction_id);
    EXPECT_EQ(answer.header().transaction_id, ra.transaction_id);
    // Each inner message needs a protection that holds by itself: a batch is no approval.
    ra.begin();
    Talker device{world, world.device("CN=dev", "globex")};
    const auto refused = ra.send(nest({device.make(device.request(BodyType::ir, "CN=dev")), one.make(two.request(BodyType::cr, "CN=d"))}));
    EXPECT_EQ(verdict(refused.as<NestedMessageContent>().messages.front()), "ip rejection notAuthorized");
}

TEST_F(CmpServerNested, DepthIsLimited) {   // bug class 15
    auto inner = alice();
    auto message = inner.make(inner.request(BodyType::ir, "CN=dev"));
    for (int i = 0; i < 3; ++i) {
        ra.begin();
        message = ra.make(nest({message}));
    }
    const auto answer = ra.deliver(message);
    ASSERT_EQ(answer.type(), BodyType::nested);
    const auto& middle = answer.as<NestedMessageContent>().messages.front();
    ASSERT_EQ(middle.type(), BodyType::nested);
    EXPECT_EQ(verdict(middle.as<NestedMessageContent>().messages.front()), "error badRequest");
}

TEST_F(CmpServerNested, TheOriginalOfAReplacedMessageIsLookedAt) {   // RFC 9483 5.2.3
    Talker device{world, world.device("CN=dev", "globex")};
    const auto original = device.make(device.request(BodyType::ir, "CN=dev"));
    const auto made = std::get<cmp::CertReqMessages>(device.request(BodyType::ir, "CN=dev").content).messages.front();
    const auto vouched = crmf::CertReqMsg::parse(crmf::make_ra_verified(made.cert_req_der())).value();
    const PkiBody body{BodyType::ir, cmp::CertReqMessages{{vouched}}};
    const auto with = [&](const ByteVec& der) {
        ra.transaction_id = device.transaction_id;
        ra.recip_nonce.reset();
        return verdict(ra.send(body, [&](PkiHeader& header) { header.general_info = {cmp::make_orig_pki_message({der})}; }));
    };
    const auto parsed = PkiMessage::parse(original).value();
    auto bent = to_vec(*parsed.protection());
    bent.back() ^= 1;
    EXPECT_EQ(with(cmp::encode_message(parsed.header_der(), parsed.body_der(), bent, parsed.extra_certs())), "error badMessageCheck");
    EXPECT_EQ(with(original), "ip accepted");
    // Nobody else has originals to show.
    auto mac = alice();
    EXPECT_EQ(verdict(mac.send(mac.request(BodyType::ir, "CN=dev"),
                               [&](PkiHeader& header) { header.general_info = {cmp::make_orig_pki_message({original})}; })),
              "error notAuthorized");
}

/// RFC 9810 5.1.1.3: in a nested message they are those of the messages in it, in their order.
TEST_F(CmpServerNested, OriginalsOfANestedMessageAreInOrder) {
    std::vector<ByteVec> originals, vouched;
    for (const auto* subject : {"CN=a", "CN=b", "CN=c"}) {
        Talker device{world, world.device(subject, "globex")};
        originals.push_back(device.make(device.request(BodyType::ir, subject)));
        const auto asked = std::get<cmp::CertReqMessages>(device.request(BodyType::ir, subject).content).messages.front();
        Talker inside{world, identity};
        inside.transaction_id = device.transaction_id;
        vouched.push_back(inside.make({BodyType::ir, cmp::CertReqMessages{{crmf::CertReqMsg::parse(crmf::make_ra_verified(asked.cert_req_der())).value()}}}));
    }
    const auto with = [&](std::vector<Bytes> told) {
        ra.begin();
        const auto answer = ra.send(nest(vouched), [&](PkiHeader& header) { header.general_info = {cmp::make_orig_pki_message(told)}; });
        return answer.type() == BodyType::nested ? verdict(answer.as<NestedMessageContent>().messages.front()) : verdict(answer);
    };
    EXPECT_EQ(with({originals[1], originals[0]}), "error badMessageCheck");
    EXPECT_EQ(with({originals[0], originals[0]}), "error badMessageCheck");
    const auto parsed = PkiMessage::parse(originals[2]).value();
    auto bent = to_vec(*parsed.protection());
    bent.back() ^= 1;
    const auto wrong = cmp::encode_message(parsed.header_der(), parsed.body_der(), bent, parsed.extra_certs());
    EXPECT_EQ(with({originals[0], wrong}), "error badMessageCheck");
    EXPECT_EQ(with({originals[0], originals[2]}), "ip accepted");   // not every one was changed
}

/// Of two that undo each other in the store, the first one is done, and the others of the batch are not hurt.
TEST_F(CmpServerNested, TheSameTwiceInABatchHurtsNobodyElse) {   // bug class 35
    const auto dev = world.enrolled("CN=dev");
    Talker holder{world, dev}, again{world, dev};
    auto other = alice();
    const auto certificate = world.enrolled("CN=other").certificate;
    Talker first{world, identity}, second{world, identity};
    const auto answer = ra.send(nest({first.make(revocation(certificate)), other.make(other.request(BodyType::ir, "CN=a"), implicit()),
                                      second.make(revocation(certificate)), holder.make(holder.request(BodyType::kur, "CN=dev")),
                                      again.make(again.request(BodyType::kur, "CN=dev"))}));
    ASSERT_EQ(answer.type(), BodyType::nested) << verdict(answer);
    std::vector<std::string> told;
    for (const auto& one : answer.as<NestedMessageContent>().messages) told.push_back(verdict(one));
    EXPECT_THAT(told, testing::ElementsAre("rp accepted", "ip accepted", "error systemUnavail", "kup accepted", "error systemUnavail"));
    EXPECT_TRUE(world.is_revoked(certificate));
}

// -- central key generation ---------------------------------------------------------------------------------------------------------

PkiBody key_request(const std::string& subject, bool with_algorithm = false) {
    crmf::WantedRequest wanted;
    wanted.request.cert_template.subject = name(subject);
    if (with_algorithm) {
        der::Writer writer;   // id-ecPublicKey with P-256, and no key
        writer.sequence([&] {
            writer.sequence([&] { writer.oid(der::Oid{"1.2.840.10045.2.1"}).oid(der::Oid{"1.2.840.10045.3.1.7"}); });
            writer.bit_string({});
        });
        wanted.request.cert_template.public_key = std::move(writer).take();
    }
    return {BodyType::ir, cmp::CertReqMessages{{crmf::CertReqMsg::parse(crmf::make_cert_req_msg_without_key(wanted).value()).value()}}};
}

cms::EnvelopedData private_key_of(const PkiMessage& answer) {
    const auto& pair = *answer.as<cmp::CertRepMessage>().responses.front().certified_key_pair;
    const auto& envelope = std::get<crmf::EnvelopedKey>(pair.private_key.value()).enveloped_data;
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(cms::oid::enveloped_data);
        writer.constructed(der::context_constructed(0), [&] { writer.raw(envelope); });
    });
    return cms::EnvelopedData::parse(writer.bytes()).value();
}

void check_key(const crypto::Secret& content, const x509::Certificate& certificate, const ServerWorld& world) {
    const auto package = cms::parse_inner_signed_data(content.reveal()).value();
    ASSERT_EQ(package.signers().size(), 1u);
    const auto* generator = package.certificate_of(package.signers().front());
    ASSERT_NE(generator, nullptr);
    EXPECT_TRUE(generator->has_ext_key_usage(der::Oid{"1.3.6.1.5.5.7.3.32"}));   // id-kp-cmKGA
    EXPECT_TRUE(generator->verify_signed_by(world.ca->issuing.public_key().value()));
    EXPECT_TRUE(cms::verify_signer(package, package.signers().front(), *generator));
    EXPECT_EQ(package.version(), 3u);
    EXPECT_TRUE(package.signers().front().identifier.is_by_key());
    const auto key = cms::key_of_package(package);
    ASSERT_TRUE(key) << failure(key);
    EXPECT_TRUE(same(key->public_key().spki(), certificate.spki()));
}

TEST_F(CmpServer, AKeyIsMadeForTheHolderOfASecret) {   // RFC 9483 4.1.6.3
    for (const bool with_algorithm : {false, true}) {
        Talker talker{world, "alice", alice_secret, "keys"};
        talker.pvno = cmp::cmp2021;
        const auto answer = talker.send(key_request("CN=dev", with_algorithm));
        ASSERT_EQ(verdict(answer), "ip accepted");
        EXPECT_EQ(answer.header().pvno, cmp::cmp2021);
        const auto envelope = private_key_of(answer);
        ASSERT_EQ(envelope.recipients().size(), 1u);
        EXPECT_TRUE(std::holds_alternative<cms::PasswordWrap>(envelope.recipients().front()));
        const auto content = envelope.open_with_password(crypto::Secret{std::string_view{alice_secret}});
        ASSERT_TRUE(content) << failure(content);
        check_key(*content, certificate_of(answer), world);
        EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
    }
}

TEST_F(CmpServer, AKeyIsMadeForTheHolderOfACertificate) {   // RFC 9483 4.1.6.1, 4.1.6.2
    for (const auto* type : {"rsa2048", "p256"}) {
        Talker first{world, "alice", alice_secret, "keys"};
        first.key = crypto::PrivateKey::generate(type).value();
        const auto have = first.identity(first.send(first.request(BodyType::ir, "CN=dev"), implicit()));
        Talker talker{world, have, "keys"};
        talker.pvno = cmp::cmp2021;
        const auto answer = talker.send(key_request("CN=dev"));
        ASSERT_EQ(verdict(answer), "ip accepted") << type;
        const auto content = private_key_of(answer).open(cms::KeyHolder{have.key, have.certificate, {}});
        ASSERT_TRUE(content) << failure(content);
        check_key(*content, certificate_of(answer), world);
    }
}

TEST_F(CmpServer, KeysAreMadeOnlyWhereThatIsOffered) {
    auto talker = alice();
    talker.pvno = cmp::cmp2021;
    EXPECT_EQ(verdict(talker.send(key_request("CN=dev"))), "ip rejection badCertTemplate");
    Talker version_2{world, "alice", alice_secret, "keys"};
    EXPECT_EQ(verdict(version_2.send(key_request("CN=dev"))), "ip rejection badRequest");
    // A certificate that only signs: nothing secret can be given to its holder.
    Talker signer{world, world.enrolled("CN=dev", "keys"), "keys"};
    const auto answer = signer.send(signer.request(BodyType::cr, "CN=dev"));
    EXPECT_EQ(verdict(answer), "cp accepted");
}

TEST_F(CmpServer, KeysAreNotMadeForWhoStandsInBetween) {   // RFC 9483 5.2.3
    Talker ra{world, world.enrolled("CN=ra", "keys", "ra"), "keys"};
    ra.pvno = cmp::cmp2021;
    EXPECT_EQ(verdict(ra.send(key_request("CN=dev"))), "ip rejection notAuthorized");
}

TEST_F(CmpServer, PossessionOfAKeyThatIsNotMadeYetIsNotClaimed) {
    Talker talker{world, "alice", alice_secret, "keys"};
    talker.pvno = cmp::cmp2021;
    const auto body = key_request("CN=dev");
    const auto& message = std::get<cmp::CertReqMessages>(body.content).messages.front();
    const auto with = crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(message.cert_req_der(), crmf::RaVerified{})).value();
    EXPECT_EQ(verdict(talker.send({BodyType::ir, cmp::CertReqMessages{{with}}})), "ip rejection badPOP");
}

}  // namespace
}  // namespace estuary::test
