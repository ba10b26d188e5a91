// Certificates that count only once they are confirmed (bug class 27).
#include "tests/unit/authority/support.h"

namespace estuary::authority {
namespace {

using namespace test;

class Confirmation : public ::testing::Test {
protected:
    Confirmation() { world.add_credential("line-1"), world.add_credential("line-2"); }

    x509::Certificate issued(const std::string& subject = "CN=device 1") {
        auto wanted = world.request(csr({subject}, new_key()), world.by_password("line-1"));
        wanted.confirm_within = Seconds{300};
        return std::get<Issued>(world.ask(wanted).value()).certificate;
    }
    Result<void> confirm(const x509::Certificate& certificate, bool accepted, const std::string& who = "line-1") {
        UnitOfWork work;
        ConfirmRequest request{"issuing", to_vec(certificate.serial_number()), accepted, world.by_password(who)};
        ESTUARY_CHECK(world.authority->confirm(request, work));
        return world.store->commit(std::move(work));
    }
    std::optional<store::Revocation> revocation(const x509::Certificate& certificate) {
        return world.authority->status("issuing", certificate.serial_number()).value().value().revocation;
    }
    std::size_t sweep() {
        UnitOfWork work;
        const auto count = world.authority->revoke_unconfirmed(100, work).value();
        EXPECT_TRUE(world.store->commit(std::move(work)));
        return count;
    }
    World world;
};

TEST_F(Confirmation, KeepsTheCertificate) {
    const auto certificate = issued();
    EXPECT_TRUE(confirm(certificate, true));
    world.clock.set(start + Seconds{301});
    EXPECT_EQ(sweep(), 0U);
    EXPECT_FALSE(revocation(certificate));
    EXPECT_EQ(code_of(confirm(certificate, true)), Code::not_found);
    EXPECT_EQ(code_of(confirm(certificate, false)), Code::not_found);
}

TEST_F(Confirmation, RejectionRevokesAtOnce) {
    const auto certificate = issued();
    EXPECT_TRUE(confirm(certificate, false));
    EXPECT_TRUE(revocation(certificate));
    EXPECT_EQ(code_of(confirm(certificate, true)), Code::not_found);
}

TEST_F(Confirmation, WhatIsNotConfirmedInTimeIsRevoked) {
    const auto certificate = issued();
    const auto other = issued("CN=device 2");
    EXPECT_TRUE(confirm(other, true));
    world.clock.set(start + Seconds{300});
    EXPECT_EQ(sweep(), 0U);
    world.clock.set(start + Seconds{301});
    EXPECT_EQ(code_of(confirm(certificate, true)), Code::not_found) << "too late, although nobody has swept yet";
    EXPECT_EQ(sweep(), 1U);
    EXPECT_TRUE(revocation(certificate));
    EXPECT_FALSE(revocation(other));
    EXPECT_EQ(sweep(), 0U);
}

TEST_F(Confirmation, SurvivesARestart) {
    const auto certificate = issued();
    world.restart();
    EXPECT_TRUE(confirm(certificate, true));
}

TEST_F(Confirmation, IsTheRequestersAlone) {
    const auto certificate = issued();
    EXPECT_EQ(code_of(confirm(certificate, true, "line-2")), Code::not_authorised);
    EXPECT_EQ(code_of(confirm(certificate, false, "line-2")), Code::not_authorised);
    EXPECT_FALSE(revocation(certificate));
}

TEST_F(Confirmation, IsAwaitedOnlyWhereItWasAskedFor) {
    const auto outcome = world.enroll(csr({"CN=device 3"}, new_key()), world.by_password("line-1")).value();
    EXPECT_EQ(code_of(confirm(std::get<Issued>(outcome).certificate, true)), Code::not_found);
}

}  // namespace
}  // namespace estuary::authority
