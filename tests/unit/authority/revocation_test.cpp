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
    EXPECT_EQ(code_of(world.revoke(made, store::RevocationReason::remove_from_crl)), Code::unsupported);
    ASSERT_TRUE(world.revoke(made, store::RevocationReason::superseded));
    EXPECT_EQ(code_of(world.revoke(made, store::RevocationReason::key_compromise)), Code::conflict);
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

}  // namespace
}  // namespace estuary::authority::test
