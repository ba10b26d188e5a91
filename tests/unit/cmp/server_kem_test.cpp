// Clients with KEM keys (RFC 9810 5.1.3.4, E). What this library may lack is only the encapsulation: tests without it begin with the
// transaction as the server leaves it after that.
#include "estuary/cmp/protection_kem.h"
#include "estuary/cmp/transaction.h"
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::KemSession;
using cmp::PkiHeader;

constexpr std::string_view shared_octets = "a shared secret, canary of a KEM";

/// Protects what the talker sends from now on with what `session` has.
void protect_with(Talker& talker, const KemSession& session, std::string_view mac = "HMAC-SHA256") {
    talker.protect = [protector = session.protector(mac).value()](PkiHeader header, const PkiBody& body, const std::vector<Bytes>& extra) {
        return protector.protect(std::move(header), body, extra).value();
    };
}

void send_unprotected(Talker& talker) {
    talker.protect = [](const PkiHeader& header, const PkiBody& body, const std::vector<Bytes>& extra) {
        return cmp::encode_message(header.encode(), body.encode(), std::nullopt, extra);
    };
}

PkiBody ciphertext_question() { return {BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::kem_ciphertext_info)}}}; }
PkiBody certificates_question() { return {BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::ca_certs)}}}; }

class CmpServerKem : public testing::Test {
protected:
    /// Whose certificate may encipher keys: every library has RSA.
    Identity enciphering(const std::string& subject, const std::string& label = "kem") {
        static const auto key = crypto::PrivateKey::generate("rsa2048").value();
        Talker talker{world, "alice", alice_secret, label};
        talker.key = key;
        return talker.identity(talker.send(talker.request(BodyType::ir, subject), [](PkiHeader& header) {
            header.general_info = {cmp::make_implicit_confirm(), cmp::make_cert_profile({"transport"})};
        }));
    }
    /// After a ciphertext was told to this identity.
    Talker offered(const Identity& identity) {
        Talker talker{world, identity, "kem"};
        offer(talker, identity);
        return talker;
    }
    void offer(Talker& talker, const Identity& identity) {
        const auto key = cmp::transaction_key("kem", talker.transaction_id);
        cmp::Transaction transaction;
        transaction.type = BodyType::genm;
        transaction.protection = cmp::Protection::kem;
        transaction.offered = true;
        authority::Principal principal;
        principal.certificate = authority::CertificateProof{identity.certificate, "issuing", {}, {}, {}, false};
        transaction.requester = principal.describe();
        transaction.certificates = {to_vec(identity.certificate.der()), to_vec(world.ca->issuing.der())};
        transaction.nonce = ByteVec(16, 0x77);
        transaction.kem_secret = world.authority->seal(cmp::kem_secret_purpose, key, crypto::Secret{shared_octets}).value();
        store::UnitOfWork work;
        work.writes.emplace_back(store::PutTransaction{
            {std::string{cmp::transaction_protocol}, key, 0, transaction.encode(), world.clock.now() + Seconds{600}}});
        ASSERT_TRUE(world.store->commit(std::move(work)));
        talker.recip_nonce = transaction.nonce;
        protect_with(talker, session(talker));
    }
    static KemSession session(const Talker& talker) { return {crypto::Secret{shared_octets}, talker.transaction_id}; }

    ServerWorld world;
    Identity holder = enciphering("CN=kem");
};

TEST_F(CmpServerKem, ItsHolderIsAuthenticatedAndAnsweredByASignature) {
    auto talker = offered(holder);
    const auto answer = talker.send(talker.request(BodyType::cr, "CN=kem"));
    ASSERT_EQ(verdict(answer), "cp accepted");
    EXPECT_EQ(cmp::protection_kind(*answer.header().protection_alg).value(), cmp::ProtectionKind::signature);
    const auto confirmation = talker.confirmation(certificate_of(answer));
    world.restart();   // the secret is in the store
    EXPECT_EQ(verdict(talker.send(confirmation)), "pkiconf");
}

TEST_F(CmpServerKem, UpdatesAndRevokesItsOwnCertificate) {
    auto talker = offered(holder);
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::kur, "CN=kem"), implicit())), "kup accepted");
    talker.begin();
    offer(talker, holder);
    EXPECT_EQ(verdict(talker.send(revocation(holder.certificate))), "rp accepted");
    EXPECT_TRUE(world.is_revoked(holder.certificate));
}

TEST_F(CmpServerKem, EveryMacIsTaken) {
    for (const auto* mac : {"HMAC-SHA256", "HMAC-SHA512", "KMAC-256"}) {
        auto talker = offered(holder);
        protect_with(talker, session(talker), mac);
        EXPECT_EQ(verdict(talker.send(certificates_question())), "genp") << mac;
    }
}

TEST_F(CmpServerKem, ACiphertextIsForOneRequest) {   // RFC 9810 5.1.3.4
    auto talker = offered(holder);
    ASSERT_EQ(verdict(talker.send(certificates_question())), "genp");
    EXPECT_EQ(verdict(talker.deliver(talker.last_sent)), "genp") << "bug class 25";
    talker.recip_nonce.reset();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"))), "error transactionIdInUse");
    auto rejected = offered(holder);
    ASSERT_EQ(verdict(rejected.send(rejected.request(BodyType::cr, "CN=somebody else"))).substr(0, 12), "cp rejection");
    rejected.recip_nonce.reset();
    EXPECT_EQ(verdict(rejected.send(rejected.request(BodyType::cr, "CN=kem"))), "error transactionIdInUse");
}

TEST_F(CmpServerKem, AWrongMacIsRefusedAndUsesNothingUp) {
    auto talker = offered(holder);
    protect_with(talker, KemSession{crypto::Secret{std::string_view{"another secret of the same length"}}, talker.transaction_id});
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"))), "error badMessageCheck");
    protect_with(talker, KemSession{crypto::Secret{shared_octets}, ByteVec(16)});
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"))), "error badMessageCheck") << "keyed for another transaction";
    protect_with(talker, session(talker));
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"), implicit())), "cp accepted");
}

TEST_F(CmpServerKem, ACiphertextIsGoodForTenMinutes) {
    auto late = offered(holder), in_time = offered(holder);
    world.clock.advance(Seconds{600});
    EXPECT_EQ(verdict(in_time.send(in_time.request(BodyType::cr, "CN=kem"), implicit())), "cp accepted");
    world.clock.advance(Seconds{1});
    EXPECT_EQ(verdict(late.send(late.request(BodyType::cr, "CN=kem"), implicit())), "error badMessageCheck");
}

TEST_F(CmpServerKem, WithoutACiphertextNothingIsKeyed) {
    Talker talker{world, holder, "kem"};
    protect_with(talker, session(talker));
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"))), "error badMessageCheck");
    auto elsewhere = offered(holder);   // bug class 2: of another label
    elsewhere.transport.label = "";
    EXPECT_EQ(verdict(elsewhere.send(elsewhere.request(BodyType::cr, "CN=kem"))), "error badAlg");
}

TEST_F(CmpServerKem, OnlyTheHolderOfTheCertificateGoesOn) {   // bug class 8
    auto signing = offered(holder);
    signing.protect = {};
    signing.recip_nonce.reset();
    EXPECT_EQ(verdict(signing.send(signing.request(BodyType::cr, "CN=kem"))), "error transactionIdInUse");
    auto changing = offered(holder);
    const auto answer = changing.send(changing.request(BodyType::cr, "CN=kem"));
    changing.protect = {};
    EXPECT_EQ(verdict(changing.send(changing.confirmation(certificate_of(answer)))), "error wrongIntegrity");
    auto misnamed = offered(holder);
    EXPECT_EQ(verdict(misnamed.send(misnamed.request(BodyType::cr, "CN=kem"), [](PkiHeader& header) { header.sender = directory("CN=x"); })),
              "error badMessageCheck");
    EXPECT_EQ(verdict(misnamed.send(misnamed.request(BodyType::cr, "CN=kem"), [](PkiHeader& header) { header.sender_kid = ByteVec{1}; })),
              "error badMessageCheck");
    const auto other = enciphering("CN=other");
    auto theirs = offered(holder);
    EXPECT_EQ(verdict(theirs.send(revocation(other.certificate))), "rp rejection notAuthorized");
}

TEST_F(CmpServerKem, RequestsFollowTheGenpOrSayNothing) {
    auto talker = offered(holder);
    talker.recip_nonce = ByteVec(16, 1);
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"))), "error badRecipientNonce");
    talker.recip_nonce.reset();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"))), "cp accepted");
    auto confirming = offered(holder);
    EXPECT_EQ(verdict(confirming.send(confirming.confirmation(holder.certificate))), "error badRequest") << "there was no request yet";
}

TEST_F(CmpServerKem, TheCertificateIsLookedAtAgain) {   // bug classes 5 and 6
    auto talker = offered(holder), revoking = offered(holder);
    ASSERT_EQ(verdict(revoking.send(revocation(holder.certificate))), "rp accepted");
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::cr, "CN=kem"))), "error certRevoked");
    const auto signs_only = world.enrolled("CN=signer", "kem", "device");
    auto wrong_usage = offered(signs_only);
    EXPECT_EQ(verdict(wrong_usage.send(wrong_usage.request(BodyType::cr, "CN=signer"))), "error signerNotTrusted");
}

TEST_F(CmpServerKem, TheSecretIsSealedInTheStore) {   // bug class 12
    const auto talker = offered(holder);
    const auto key = cmp::transaction_key("kem", talker.transaction_id);
    const auto record = world.store->transaction(cmp::transaction_protocol, key).value().value();
    EXPECT_EQ(to_string(Bytes{record.state}).find("canary"), std::string::npos);
    const auto sealed = cmp::Transaction::decode(record.state).value().kem_secret;
    EXPECT_EQ(code_of(world.authority->open_sealed(cmp::kem_secret_purpose, cmp::transaction_key("kem", ByteVec(16)), sealed)), Code::internal);
    EXPECT_TRUE(world.authority->open_sealed(cmp::kem_secret_purpose, key, sealed));
}

/// Who asks for a ciphertext has to have a certificate that may ask for something; nothing is proved by asking.
TEST_F(CmpServerKem, QuestionsAreLookedAt) {
    const auto answer_to = [&](const Identity& identity, const std::string& label, PkiBody body, bool certificates = true) {
        Talker talker{world, identity, label};
        talker.with_certificates = certificates;
        send_unprotected(talker);
        return verdict(talker.send(std::move(body)));
    };
    EXPECT_EQ(answer_to(holder, "kem", ciphertext_question()), "error badAlg") << "the key is no KEM key";
    EXPECT_EQ(answer_to(holder, "kem", ciphertext_question(), false), "error badMessageCheck");
    EXPECT_EQ(answer_to(holder, "", ciphertext_question()), "error badMessageCheck") << "not offered there: not protected";
    EXPECT_EQ(answer_to(holder, "kem", {BodyType::genm, cmp::GenContent{{{cmp::oid::kem_ciphertext_info, ByteVec{0x05, 0x00}}}}}), "error badDataFormat");
    EXPECT_EQ(answer_to(holder, "kem", certificates_question()), "error badMessageCheck");
    EXPECT_EQ(answer_to(world.enrolled("CN=a", "kem", "device"), "kem", ciphertext_question()), "error signerNotTrusted") << "keyUsage";
    EXPECT_EQ(answer_to(enciphering("CN=b", ""), "kem", ciphertext_question()), "error notAuthorized") << "bug class 7: of another label";
    EXPECT_EQ(answer_to(world.device("CN=c", "globex", x509::key_encipherment), "kem", ciphertext_question()), "error notAuthorized");
    auto no_path = world.device("CN=d", "acme", x509::key_encipherment);
    no_path.chain.clear();
    EXPECT_EQ(answer_to(no_path, "kem", ciphertext_question()), "error signerNotTrusted");
    Talker signing{world, holder, "kem"};
    EXPECT_EQ(verdict(signing.send(ciphertext_question())), "error badRequest") << "it is asked for without protection";
}

class CmpServerMlKem : public testing::TestWithParam<std::string> {};

TEST_P(CmpServerMlKem, AsksForACiphertextAndEnrolls) {
    auto key = crypto::PrivateKey::generate(GetParam());
    if (!key) GTEST_SKIP() << key.error().detail;
    ServerWorld world;
    const auto device = world.device("CN=device", "acme", x509::key_encipherment, *key);
    Talker talker{world, device, "kem"};
    send_unprotected(talker);
    const auto told = talker.send(ciphertext_question());
    ASSERT_EQ(verdict(told), "genp");
    EXPECT_FALSE(told.protection());
    const auto info = cmp::read_kem_ciphertext_info(told.as<cmp::GenContent>().infos.at(0)).value().value();
    EXPECT_TRUE(same(talker.deliver(talker.last_sent).der(), told.der())) << "bug class 25";
    EXPECT_EQ(verdict(talker.send(ciphertext_question(), [](PkiHeader& header) { header.recip_nonce.reset(); })), "error transactionIdInUse");
    world.restart();
    talker.recip_nonce = told.header().sender_nonce;
    protect_with(talker, KemSession::accept(*key, info, talker.transaction_id).value());
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=device"));
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");

    // Every ciphertext is fresh (RFC 9810 8.8), and another's key does not open it.
    talker.begin();
    send_unprotected(talker);
    const auto fresh = cmp::read_kem_ciphertext_info(talker.send(ciphertext_question()).as<cmp::GenContent>().infos.at(0)).value().value();
    EXPECT_NE(fresh, info);
    protect_with(talker, KemSession::accept(crypto::PrivateKey::generate(GetParam()).value(), fresh, talker.transaction_id).value());
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=device"))), "error badMessageCheck");
}

INSTANTIATE_TEST_SUITE_P(Rfc9936, CmpServerMlKem, testing::Values("ml-kem-512", "ml-kem-768", "ml-kem-1024"), [](const auto& test) {
    auto text = test.param;
    std::ranges::replace(text, '-', '_');
    return text;
});

}  // namespace
}  // namespace estuary::test
