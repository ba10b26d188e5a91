// A client whose certificate is for a KEM key (RFC 9810 5.1.3.4, figure 3), before a scripted authority.
#include "client_world.h"
#include "estuary/cmp/protection_kem.h"

namespace estuary::test {
namespace {

using cmp::KemSession;

class CmpClientKem : public CmpClient {
protected:
    void SetUp() override {
        auto key = crypto::PrivateKey::generate("ml-kem-768");
        if (!key) GTEST_SKIP() << "the library has no ML-KEM: " << key.error().detail;
        mine = world.device("CN=encapsulated", "acme", x509::key_encipherment, *key);
        authority = world.enrolled("CN=RA", "", "ra");
    }
    cmp::Client holder() { return client(by_certificate(*mine)); }
    static PkiMessage next(const cmp::ClientTransaction& transaction) { return PkiMessage::parse(transaction.message()).value(); }
    static PkiHeader header_to(const cmp::ClientTransaction& transaction) {
        auto header = next(transaction).header();
        std::swap(header.sender, header.recipient);
        header.recip_nonce = header.sender_nonce;
        header.sender_nonce = ByteVec(16, 0x77);
        header.sender_kid.reset();
        header.protection_alg.reset();
        header.general_info.clear();
        return header;
    }
    /// The genp of figure 3: not protected.
    static ByteVec genp(const cmp::ClientTransaction& transaction, cmp::InfoTypeAndValue info) {
        return message(header_to(transaction), {BodyType::genp, cmp::GenContent{{std::move(info)}}});
    }
    KemSession::Offer offer(const cmp::ClientTransaction& transaction) {
        const auto asked = next(transaction);
        return KemSession::offer(asked.extra_certificates().front().public_key().value(), *asked.header().transaction_id).value();
    }
    ByteVec by_authority(const cmp::ClientTransaction& transaction, const PkiBody& body) {
        auto header = header_to(transaction);
        header.sender = cmp::directory_name(authority->certificate.subject());
        header.sender_kid = authority->certificate.subject_key_id();
        return signed_by(*authority, header, body);
    }
    static Result<void> verify(const KemSession& session, const PkiMessage& message) {
        return session.verify(*message.header().protection_alg, message.protected_part(), *message.protection());
    }

    std::optional<Identity> mine, authority;
};

TEST_F(CmpClientKem, AsksForACiphertextAndProtectsWhatFollows) {
    auto transaction = holder().begin(wish(BodyType::cr)).value();
    EXPECT_EQ(transaction.operation(), "");
    const auto asked = next(transaction);
    ASSERT_EQ(asked.type(), BodyType::genm);
    EXPECT_FALSE(asked.protection() || asked.header().protection_alg);
    EXPECT_EQ(asked.as<cmp::GenContent>().infos, std::vector{cmp::ask(cmp::oid::kem_ciphertext_info)});
    EXPECT_EQ(asked.extra_certificates().front(), mine->certificate);
    ASSERT_TRUE(asked.header().transaction_id);

    const auto made = offer(transaction);
    auto step = transaction.take(genp(transaction, cmp::make_kem_ciphertext_info(made.info)));
    ASSERT_TRUE(step) << failure(step);
    const auto request = next(transaction);
    EXPECT_EQ(request.type(), BodyType::cr);
    EXPECT_EQ(transaction.operation(), "certification");
    EXPECT_EQ(request.header().transaction_id, asked.header().transaction_id);
    EXPECT_EQ(request.header().recip_nonce, ByteVec(16, 0x77));
    EXPECT_EQ(cmp::protection_kind(*request.header().protection_alg).value(), cmp::ProtectionKind::kem_mac);
    EXPECT_TRUE(verify(made.session, request));

    // Further messages by the same key, also after a restart; the state holds the ciphertext and not what it hides.
    const cmp::CertRepMessage waits{{}, {{0, {cmp::PkiStatus::waiting, {}, {}}, {}, {}}}};
    ASSERT_TRUE(transaction.take(by_authority(transaction, {BodyType::cp, waits})));
    EXPECT_EQ(next(transaction).type(), BodyType::poll_req);
    EXPECT_TRUE(verify(made.session, next(transaction)));
}

TEST_F(CmpClientKem, GoesOnAfterARestart) {
    const auto wanted = wish(BodyType::cr);
    auto transaction = holder().begin(wanted).value();
    const auto asking = transaction.save().value();
    EXPECT_TRUE(same(holder().resume(wanted, asking).value().message(), transaction.message()));
    const auto made = offer(transaction);
    ASSERT_TRUE(transaction.take(genp(transaction, cmp::make_kem_ciphertext_info(made.info))));
    auto resumed = holder().resume(wanted, transaction.save().value()).value();
    EXPECT_TRUE(same(resumed.message(), transaction.message()));
    const cmp::CertRepMessage waits{{}, {{0, {cmp::PkiStatus::waiting, {}, {}}, {}, {}}}};
    const auto step = resumed.take(by_authority(resumed, {BodyType::cp, waits}));
    ASSERT_TRUE(step) << failure(step);
    EXPECT_TRUE(verify(made.session, next(resumed)));
    // Who signs has no use for a ciphertext.
    EXPECT_FALSE(client(by_certificate(*authority)).resume(wanted, transaction.save().value()));
}

TEST_F(CmpClientKem, TakesNothingElseWithoutProtection) {   // bug class 27
    auto transaction = holder().begin(wish(BodyType::cr)).value();
    const auto made = offer(transaction);
    const cmp::CertRepMessage waits{{}, {{0, {cmp::PkiStatus::waiting, {}, {}}, {}, {}}}};
    EXPECT_EQ(code_of(transaction.take(message(header_to(transaction), {BodyType::cp, waits}))), Code::not_authenticated);
    EXPECT_EQ(code_of(transaction.take(by_authority(transaction, {BodyType::cp, waits}))), Code::malformed);   // nothing was asked for yet
    EXPECT_EQ(code_of(transaction.take(genp(transaction, cmp::ask(cmp::oid::kem_ciphertext_info)))), Code::malformed);
    EXPECT_EQ(code_of(transaction.take(genp(transaction, cmp::ask(cmp::oid::ca_certs)))), Code::unsupported);
    auto cut = made.info;
    cut.ct.pop_back();
    EXPECT_EQ(code_of(transaction.take(genp(transaction, cmp::make_kem_ciphertext_info(cut)))), Code::bad_proof);
    auto other = header_to(transaction);
    other.transaction_id->front() ^= 1;
    const PkiBody body{BodyType::genp, cmp::GenContent{{cmp::make_kem_ciphertext_info(made.info)}}};
    EXPECT_EQ(code_of(transaction.take(message(other, body))), Code::bad_proof);
    // A signed genp will do as well. Then the answer must be protected, and not by the client's own MAC.
    ASSERT_TRUE(transaction.take(by_authority(transaction, body)));
    EXPECT_EQ(code_of(transaction.take(message(header_to(transaction), body))), Code::not_authenticated);
    auto mirrored = header_to(transaction);
    const auto forged = made.session.protector().value().protect(mirrored, {BodyType::cp, waits}).value();
    EXPECT_EQ(code_of(transaction.take(forged)), Code::unsupported);
}

TEST_F(CmpClientKem, OfSomebodyElsesCiphertextComesAMacThatIsNotTaken) {
    auto transaction = holder().begin(wish(BodyType::cr)).value();
    const auto made = offer(transaction), forged = offer(transaction);
    ASSERT_TRUE(transaction.take(genp(transaction, cmp::make_kem_ciphertext_info(forged.info))));
    EXPECT_EQ(code_of(verify(made.session, next(transaction))), Code::bad_proof);
}

TEST_F(CmpClientKem, ACertificateForSomethingElseDoesNotProtect) {
    const auto other = world.device("CN=other", "acme", x509::key_agreement, mine->key);
    EXPECT_EQ(code_of(cmp::Client::create(by_certificate(other), world.clock, world.entropy)), Code::policy);
}

}  // namespace
}  // namespace estuary::test
