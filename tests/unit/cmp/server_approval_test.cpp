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
    world.restart();   // bug class 25: what was begun goes on
    EXPECT_FALSE(world.is_revoked(holder.certificate));
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
    EXPECT_FALSE(world.is_revoked(holder.certificate));
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "rp accepted");
}

TEST_F(CmpServerApproval, AClientThatGivesUpIsNotServed) {
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    EXPECT_EQ(verdict(talker.send({BodyType::error, cmp::ErrorMsgContent{cmp::rejection(PkiFailure::incorrect_data), {}, {}}})), "pkiconf");
    world.approve();
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest");
    EXPECT_FALSE(world.is_revoked(holder.certificate));
}

TEST_F(CmpServerApproval, ARegistrationAuthorityWaitsToo) {
    const auto ra = world.enrolled("CN=ra", "reviewed", "ra");
    Talker asking{world, ra, "reviewed"};
    ASSERT_EQ(verdict(asking.send(revocation(holder.certificate))), "error waiting");
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    world.approve();
    EXPECT_EQ(verdict(asking.send(poll_for(-1))), "rp accepted");
    // The holder is nobody any more.
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error certRevoked");
}

TEST_F(CmpServerApproval, WaitingEnds) {
    ASSERT_EQ(verdict(talker.send(revocation(holder.certificate))), "error waiting");
    world.clock.advance(Seconds{7 * 86400 + 1});   // nobody decided
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest");
    EXPECT_FALSE(world.is_revoked(holder.certificate));
}

}  // namespace
}  // namespace estuary::test
