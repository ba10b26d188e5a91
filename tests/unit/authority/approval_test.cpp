// Requests that wait for a person.
#include "support.h"

namespace estuary::authority::test {
namespace {

struct Approval : testing::Test {
    Approval() : world{[](Profile& p) { p.manual_approval = true; }} { world.add_credential("dev", 1); }

    Result<Outcome> poll() { return world.enroll(request, world.by_password("dev")); }
    const store::PendingRequest only() {
        const auto all = world.store->pending_requests(std::nullopt).value();
        EXPECT_EQ(all.size(), 1u);
        return all.at(0);
    }
    Result<void> decide(bool approve, std::string reason = {}) {
        UnitOfWork work;
        ESTUARY_CHECK(world.authority->decide(only().id, approve, std::move(reason), World::operator_principal(), work));
        return world.store->commit(std::move(work));
    }

    World world;
    x509::SignedRequest request = csr({"CN=device 1", {"dns:a.example"}}, new_key());
};

bool is_pending(const Result<Outcome>& outcome) { return outcome && std::holds_alternative<Pending>(*outcome); }

TEST_F(Approval, WaitsThenIssuesOnce) {
    ASSERT_TRUE(is_pending(poll()));
    EXPECT_EQ(only().subject, "CN=device 1");
    EXPECT_EQ(only().requester, "credential:dev");
    EXPECT_EQ(world.by_password("dev").credential->uses_left, 0);  // one use, one request
    world.restart();
    const auto waiting = poll();
    ASSERT_TRUE(is_pending(waiting));
    EXPECT_EQ(std::get<Pending>(*waiting).retry_after, Seconds{600});
    EXPECT_EQ(std::get<Pending>(*waiting).request_id, only().id);
    ASSERT_TRUE(decide(true));
    world.restart();
    const auto first = issued(poll()).certificate;
    EXPECT_EQ(only().state, store::PendingRequest::State::issued);
    const auto again = poll();  // bug class 25
    EXPECT_TRUE(issued(again).repeated);
    EXPECT_EQ(issued(again).certificate, first);
    EXPECT_THAT(world.events(), testing::IsSupersetOf({"request.pending", "request.approved", "certificate.issued"}));
}

TEST_F(Approval, DeniedStaysDenied) {
    ASSERT_TRUE(is_pending(poll()));
    ASSERT_TRUE(decide(false, "not on the list"));
    for (int i = 0; i < 2; ++i) {
        const auto denied = poll();
        EXPECT_EQ(code_of(denied), Code::not_authorised);
        EXPECT_THAT(denied.error().detail, testing::HasSubstr("not on the list"));
    }
    EXPECT_EQ(decide(true).error().code, Code::conflict);
}

TEST_F(Approval, BadRequestsAreRefusedAtOnce) {
    EXPECT_EQ(code_of(world.enroll(csr({"CN=a,title=x"}, new_key()), world.by_password("dev"))), Code::policy);
    EXPECT_TRUE(world.store->pending_requests(std::nullopt).value().empty());
    EXPECT_EQ(world.by_password("dev").credential->uses_left, 1);
}

// bug class 22: approved under one profile, asked for under another
TEST_F(Approval, PolicyRunsAgainAtIssuance) {
    ASSERT_TRUE(is_pending(poll()));
    ASSERT_TRUE(decide(true));
    world.profiles[0].san.allowed.clear();
    world.make();
    EXPECT_EQ(code_of(poll()), Code::policy);
}

// bug class 11: switching approval off neither loses nor doubles what waits
TEST_F(Approval, SpentCredentialStillPollsWhenApprovalIsSwitchedOff) {
    ASSERT_TRUE(is_pending(poll()));
    world.profiles[0].manual_approval = false;
    world.make();
    EXPECT_TRUE(is_pending(poll()));
    ASSERT_TRUE(decide(true));
    issued(poll());
}

// bug class 7: polls, too, belong to who asked
TEST_F(Approval, OthersDoNotPollIt) {
    world.add_credential("other", 1);
    ASSERT_TRUE(is_pending(poll()));
    ASSERT_TRUE(decide(true));
    EXPECT_TRUE(is_pending(world.enroll(request, world.by_password("other"))));
    EXPECT_EQ(world.store->pending_requests(std::nullopt).value().size(), 2u);
}

TEST_F(Approval, Expires) {
    ASSERT_TRUE(is_pending(poll()));
    world.clock.advance(Seconds{7 * 86400});
    EXPECT_EQ(code_of(poll()), Code::not_authorised);
    EXPECT_EQ(decide(true).error().code, Code::conflict);
}

TEST_F(Approval, OnlyAnOperatorDecides) {
    ASSERT_TRUE(is_pending(poll()));
    UnitOfWork work;
    EXPECT_EQ(code_of(world.authority->decide(only().id, true, "", world.by_password("dev"), work)), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->decide(only().id + 1, true, "", World::operator_principal(), work)), Code::not_found);
    EXPECT_TRUE(work.empty());
}

}  // namespace
}  // namespace estuary::authority::test
