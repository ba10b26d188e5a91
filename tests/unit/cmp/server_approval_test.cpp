// Revocations that a person has to agree to (RFC 9483 4.4, RFC 9810 5.3.22).
#include "server_world.h"

namespace estuary::test {
namespace {

class CmpServerApproval : public testing::Test {
protected:
    /// The record that waits.
    store::PendingRequest only() {
        const auto all = world.store->pending_requests({}).value();
        EXPECT_EQ(all.size(), 1u);
        return all.at(0);
    }

    ServerWorld world;
    Identity holder = world.enrolled("CN=dev", "reviewed");
    Talker talker{world, holder, "reviewed"};
};

TEST_F(CmpServerApproval, IsWaitedAndPolledFor) {
    const auto waiting = talker.send(revocation(holder.certificate, {{x509::oid::crl_reason, false, hex("0a0101")}}));
    ASSERT_EQ(verdict(waiting), "error waiting");
    EXPECT_FALSE(waiting.as<cmp::ErrorMsgContent>().status_info.fail_info) << "RFC 9483 4.4";
    EXPECT_EQ(cmp::protection_kind(*waiting.header().protection_alg).value(), cmp::ProtectionKind::signature);
    const auto pending = only();
    EXPECT_EQ(pending.operation, "revoke: keyCompromise");
    EXPECT_EQ(pending.subject, "CN=dev");
    EXPECT_TRUE(same(pending.request, holder.certificate.der()));
    EXPECT_EQ(pending.label, cmp::recorded_label("reviewed"));

    const auto later = talker.send(poll_for(-1));
    ASSERT_EQ(later.type(), BodyType::poll_rep) << verdict(later);
    EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().cert_req_id, -1);
    EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().check_after, 600);
    world.approve();
    EXPECT_TRUE(world.is_revoked(holder.certificate)) << "it waits for nobody's return";
    world.restart();   // bug class 25: what was begun goes on
    EXPECT_EQ(verdict(Talker{world, holder, "reviewed"}.send({BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::ca_certs)}}})), "error certRevoked") << "nothing but its poll is answered";
    const auto done = talker.send(poll_for(-1));
    EXPECT_EQ(verdict(done), "rp accepted");
    EXPECT_EQ(done.as<cmp::RevRepContent>().rev_certs.size(), 1u);
    ASSERT_TRUE(world.is_revoked(holder.certificate));
    EXPECT_EQ((**world.authority->status("issuing", holder.certificate.serial_number())).revocation->reason, store::RevocationReason::key_compromise);
    EXPECT_EQ(verdict(talker.deliver(talker.last_sent)), "rp accepted") << "bug class 25: the same poll, the same answer";
    EXPECT_EQ(only().id, pending.id);
}

TEST_F(CmpServerApproval, WhatIsDeniedIsRejected) {
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    world.decide(false);
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "rp rejection notAuthorized");
    EXPECT_FALSE(world.is_revoked(holder.certificate));
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest") << "it is over";
}

TEST_F(CmpServerApproval, NobodyWaitsForWhatIsRefusedAnyway) {
    EXPECT_EQ(verdict(talker.send(revocation(holder.certificate, {{x509::oid::crl_reason, false, hex("0a0108")}}))), "rp rejection badCertId");
    const auto other = world.enrolled("CN=other", "reviewed");
    talker.begin();
    EXPECT_EQ(verdict(talker.send(revocation(other.certificate))), "rp rejection notAuthorized");   // bug class 7
    talker.begin();
    auto two = revocation(holder.certificate);
    auto& details = std::get<cmp::RevReqContent>(two.content).details;
    details.push_back(details.front());
    EXPECT_EQ(verdict(talker.send(two)), "rp rejection badRequest");
    EXPECT_TRUE(world.store->pending_requests({}).value().empty());
}

TEST_F(CmpServerApproval, OnlyWhoAskedPolls) {
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    world.approve();
    const auto other = world.enrolled("CN=other", "reviewed");
    Talker theirs{world, other, "reviewed"};
    theirs.transaction_id = talker.transaction_id;
    theirs.recip_nonce = talker.recip_nonce;
    EXPECT_EQ(verdict(theirs.send(poll_for(-1))), "error badMessageCheck");
    EXPECT_EQ(verdict(talker.send(poll_for(0))), "error badRequest") << "-1 is the whole answer";
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "rp accepted");
}

TEST_F(CmpServerApproval, AClientThatGivesUpIsNotServed) {
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    EXPECT_EQ(verdict(talker.send({BodyType::error, cmp::ErrorMsgContent{cmp::rejection(PkiFailure::incorrect_data), {}, {}}})), "pkiconf");
    world.approve();
    EXPECT_TRUE(world.is_revoked(holder.certificate)) << "it is the person's word that counts";
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest");
}

TEST_F(CmpServerApproval, AForgedCertificateOfTheSameNumberHearsNothing) {   // bug class 7
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    world.approve();
    ASSERT_TRUE(world.is_revoked(holder.certificate));
    auto key = crypto::PrivateKey::generate("p256").value();
    x509::TbsCertificate tbs;
    tbs.serial_number = to_vec(holder.certificate.serial_number());
    tbs.signature_algorithm = key.signature_algorithm().value()->identifier;
    tbs.issuer = holder.certificate.issuer();
    tbs.not_before = holder.certificate.not_before();
    tbs.not_after = holder.certificate.not_after();
    tbs.subject = holder.certificate.subject();
    tbs.spki = to_vec(key.public_key().spki());
    const auto encoded = x509::encode_tbs(tbs);
    const auto der = x509::encode_certificate(encoded, tbs.signature_algorithm, key.sign(encoded).value());
    Talker theirs{world, {std::move(key), x509::Certificate::parse(der).value(), {}}, "reviewed"};
    theirs.transaction_id = talker.transaction_id;
    theirs.recip_nonce = talker.recip_nonce;
    EXPECT_EQ(verdict(theirs.send(poll_for(-1))), "error signerNotTrusted");
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "rp accepted");
}

TEST_F(CmpServerApproval, ARegistrationAuthorityWaitsToo) {
    const auto ra = world.enrolled("CN=ra", "reviewed", "ra");
    Talker asking{world, ra, "reviewed"};
    ASSERT_EQ(verdict(asking.send(revocation(holder.certificate))), "error waiting");
    world.approve();
    EXPECT_EQ(verdict(asking.send(poll_for(-1))), "rp accepted");
    EXPECT_EQ(verdict(talker.send(revocation(holder.certificate))), "error certRevoked") << "the holder is nobody any more";
}

TEST_F(CmpServerApproval, WaitingEnds) {
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    world.clock.advance(Seconds{7 * 86400 + 1});   // nobody decided
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest");
    EXPECT_FALSE(world.is_revoked(holder.certificate));
}

}  // namespace
}  // namespace estuary::test
