#include "support.h"

namespace estuary::authority::test {
namespace {

// bug class 6
TEST(Revocation, CountsAtOnceAndAfterARestart) {
    World world;
    const auto made = world.issue({}).value();
    ASSERT_TRUE(world.prove(made));
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::key_compromise));
    for (int i = 0; i < 2; ++i) {
        const auto refused = world.prove(made);
        EXPECT_EQ(code_of(refused), Code::not_authorised);
        EXPECT_THAT(refused.error().detail, testing::HasSubstr("revoked"));
        world.restart();
    }
    EXPECT_THAT(world.events(), testing::Contains("certificate.revoked"));
}

TEST(Revocation, OnlyOnceButAHoldMayBecomeFinal) {
    World world;
    const auto made = world.issue({}).value();
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::certificate_hold));
    EXPECT_EQ(code_of(world.prove(made)), Code::not_authorised);
    EXPECT_EQ(code_of(world.revoke(made, store::RevocationReason::certificate_hold)), Code::conflict);
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::superseded));
    EXPECT_EQ(code_of(world.revoke(made, store::RevocationReason::key_compromise)), Code::conflict);
    EXPECT_EQ(code_of(world.revoke(made, store::RevocationReason::remove_from_crl)), Code::conflict);
}

TEST(Revocation, HoldIsLifted) {
    World world;
    const auto made = world.issue({}).value();
    EXPECT_EQ(code_of(world.revoke(made, store::RevocationReason::remove_from_crl)), Code::conflict) << "not on hold";
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::certificate_hold));
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::remove_from_crl));
    EXPECT_TRUE(world.prove(made));
    EXPECT_THAT(world.events(), testing::Contains("certificate.hold_lifted"));
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::superseded)) << "good again, so it can be revoked";
}

TEST(Revocation, InvalidityDateLiesInThePast) {
    World world;
    const auto made = world.issue({}).value();
    const auto revoke = [&](Time invalid) {
        UnitOfWork work;
        auto done = world.authority->revoke({"issuing", to_vec(made.serial_number()), store::RevocationReason::key_compromise,
                                             World::operator_principal(), invalid}, work);
        return done ? world.store->commit(std::move(work)) : done;
    };
    EXPECT_EQ(code_of(revoke(start + Seconds{1})), Code::malformed);
    ASSERT_TRUE(revoke(start - Seconds{86400}));
    EXPECT_EQ(world.store->certificate("issuing", made.serial_number()).value()->revocation->invalidity_date, start - Seconds{86400});
}

TEST(Revocation, StatusTellsNeverIssuedFromGood) {  // bug class 18
    World world;
    const auto made = world.issue({}).value();
    const auto good = world.authority->status("issuing", made.serial_number());
    ASSERT_TRUE(good && *good);
    EXPECT_FALSE((*good)->revocation);
    EXPECT_FALSE(*world.authority->status("issuing", ByteVec{1, 2, 3}));
    EXPECT_EQ(code_of(world.authority->status("another", made.serial_number())), Code::not_found);
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::superseded));
    EXPECT_EQ((**world.authority->status("issuing", made.serial_number())).revocation->reason, store::RevocationReason::superseded);
}

// bug class 7
TEST(Revocation, BelongsToTheHolderAndTheOperator) {
    World world;
    world.add_credential("dev");
    const auto mine = world.issue({"CN=mine"}).value();
    const auto other = world.issue({"CN=other"}).value();
    const auto ask = [&](const x509::Certificate& certificate, Principal principal, std::string ca = "issuing") {
        UnitOfWork work;
        auto done = world.authority->revoke({std::move(ca), to_vec(certificate.serial_number()), store::RevocationReason::superseded,
                                             std::move(principal)},
                                            work);
        EXPECT_EQ(done.has_value(), !work.empty());
        return done;
    };
    EXPECT_EQ(code_of(ask(mine, Principal{})), Code::not_authenticated);
    EXPECT_EQ(code_of(ask(mine, world.by_password("dev"))), Code::not_authorised);
    EXPECT_EQ(code_of(ask(mine, world.by_certificate(other))), Code::not_authorised);
    EXPECT_EQ(code_of(ask(mine, world.by_certificate(mine), "root")), Code::not_authorised);
    EXPECT_TRUE(ask(mine, world.by_certificate(mine)));
    EXPECT_EQ(code_of(ask(world.ca->issuing, World::operator_principal())), Code::not_found);
    EXPECT_TRUE(ask(world.ca->issuing, World::operator_principal(), "root"));
}

class RevocationApproved : public testing::Test {
protected:
    Result<std::optional<Pending>> ask(Principal principal, std::uint8_t transaction = 1, std::string label = "label") {
        UnitOfWork work;
        auto done = world.authority->revoke_when_approved({"issuing", to_vec(made.serial_number()), store::RevocationReason::superseded, std::move(principal)},
                                                          {std::move(label), ByteVec{0x30, 0x00}, ByteVec(16, transaction)}, work);
        if (!work.empty())
            if (auto stored = world.store->commit(std::move(work)); !stored) return fail(stored.error());
        return done;
    }
    Result<void> decide(bool approve, std::size_t which = 0) {
        UnitOfWork work;
        const auto waiting = world.store->pending_requests(store::PendingRequest::State::pending).value();
        ESTUARY_CHECK(world.authority->decide(waiting.at(which).id, approve, "", World::operator_principal(), work));
        return world.store->commit(std::move(work));
    }
    bool revoked() { return (**world.authority->status("issuing", made.serial_number())).revocation.has_value(); }

    World world;
    x509::Certificate made = world.issue({"CN=mine"}).value();
};

TEST_F(RevocationApproved, WaitsThenIsDone) {
    const auto holder = world.by_certificate(made);
    const auto first = ask(holder);
    ASSERT_TRUE(first && *first);
    EXPECT_FALSE(revoked());
    const auto again = ask(holder);
    ASSERT_TRUE(again && *again);
    EXPECT_EQ((*again)->retry_after, Seconds{600});
    EXPECT_EQ(world.store->pending_requests(std::nullopt).value().size(), 1u) << "the same request waits once";
    ASSERT_TRUE(decide(true));
    EXPECT_TRUE(revoked()) << "it waits for nobody's return";
    EXPECT_EQ((**world.authority->status("issuing", made.serial_number())).revocation->reason, store::RevocationReason::superseded);
    world.restart();
    for (int i = 0; i < 2; ++i) {
        const auto done = ask(holder);
        ASSERT_TRUE(done) << done.error().detail;
        EXPECT_FALSE(*done);
    }
    EXPECT_EQ(code_of(ask(holder, 2)), Code::conflict) << "another request is about what is revoked already";
    EXPECT_THAT(world.events(), testing::IsSupersetOf({"request.pending", "request.approved", "certificate.revoked"}));
}

TEST_F(RevocationApproved, DeniedAndLateOnesAreRefused) {
    const auto holder = world.by_certificate(made);
    ASSERT_TRUE(ask(holder, 1));
    ASSERT_TRUE(decide(false));
    EXPECT_EQ(code_of(ask(holder, 1)), Code::not_authorised);
    ASSERT_TRUE(ask(holder, 2)) << "another transaction is another request";
    world.clock.set(start + Seconds{7 * 86400});
    EXPECT_EQ(code_of(decide(true)), Code::conflict) << "too late";
    EXPECT_EQ(code_of(ask(holder, 2)), Code::not_authorised);
    EXPECT_FALSE(revoked());
}

TEST_F(RevocationApproved, WhatIsRevokedMeanwhileIsNotAgreedTo) {
    const auto holder = world.by_certificate(made);
    ASSERT_TRUE(ask(holder));
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::key_compromise));
    EXPECT_EQ(code_of(decide(true)), Code::conflict);
    EXPECT_EQ(code_of(ask(holder)), Code::conflict);
    ASSERT_TRUE(decide(false));
    EXPECT_EQ((**world.authority->status("issuing", made.serial_number())).revocation->reason, store::RevocationReason::key_compromise);
}

TEST_F(RevocationApproved, TheInvalidityDateIsKeptUntilThen) {
    UnitOfWork work;
    ASSERT_TRUE(world.authority->revoke_when_approved(
        {"issuing", to_vec(made.serial_number()), store::RevocationReason::key_compromise, world.by_certificate(made), start - Seconds{3600}},
        {"label", ByteVec{0x30, 0x00}, ByteVec(16, 1)}, work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    world.restart();
    ASSERT_TRUE(decide(true));
    EXPECT_EQ((**world.authority->status("issuing", made.serial_number())).revocation->invalidity_date, start - Seconds{3600});
}

TEST_F(RevocationApproved, AnApprovalIsForWhoAskedAndWhere) {   // bug classes 2, 7
    const auto holder = world.by_certificate(made);
    const auto other = world.issue({"CN=other"}).value();
    ASSERT_TRUE(ask(holder));
    const auto under_another = ask(holder, 1, "another label");
    ASSERT_TRUE(under_another);
    EXPECT_TRUE(*under_another) << "waits for an approval of its own";
    EXPECT_EQ(world.store->pending_requests(std::nullopt).value().size(), 2u);
    ASSERT_TRUE(decide(true));
    EXPECT_EQ(code_of(ask(world.by_certificate(other))), Code::not_authorised);
    EXPECT_EQ(code_of(ask(Principal{})), Code::not_authenticated);
    EXPECT_EQ(code_of(ask(holder, 1, "yet another label")), Code::conflict);
}

}  // namespace
}  // namespace estuary::authority::test
