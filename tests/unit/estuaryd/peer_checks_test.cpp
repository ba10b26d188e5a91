// Client certificates that are not ours: who waits, who goes on, who is refused.
#include "apps/estuaryd/peer_checks.h"

#include <condition_variable>
#include <future>

#include "estuary/store/store.h"
#include "tests/unit/estuaryd/installation.h"
#include "tests/unit/ocsp/status_world.h"

namespace estuary::daemon {
namespace {

using namespace std::chrono_literals;
using namespace ocsp::relying_party;
using ocsp::PeerCheck;
using ::testing::HasSubstr;

/// A network that can be made to hang.
class Net {
public:
    explicit Net(World& world) : world_{world} {}
    PeerFetch fetch() {
        return [this](const http::Url& url, const http::Request& request, std::size_t body_bytes_max, bool public_only,
                      std::chrono::steady_clock::time_point) -> Result<http::Response> {
            std::unique_lock lock{mutex_};
            ++asked;
            public_addresses_only = public_only;
            changed_.notify_all();
            changed_.wait(lock, [&] { return !hangs_; });
            return world_.fetch()(url, request, body_bytes_max);
        };
    }
    void hang(bool hangs) {
        const std::lock_guard lock{mutex_};
        hangs_ = hangs;
        changed_.notify_all();
    }
    void await_asked(int count) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return asked >= count; });
    }
    std::atomic<int> asked{0};
    std::atomic<bool> public_addresses_only{false};

private:
    World& world_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool hangs_ = false;
};

class Checks : public ::testing::Test {
protected:
    void SetUp() override { make({}); }
    void TearDown() override { net.hang(false); }
    void make(const PeerChecks::Limits& limits) {
        checks.reset();
        checks = std::make_unique<PeerChecks>(*store, world.clock, net.fetch(), limits);
    }
    static PeerPolicy policy(PeerCheck check) { return {"acme", check, true}; }
    std::vector<ByteVec> chain() const { return {to_vec(world.device.certificate.der()), to_vec(world.ca.certificate.der())}; }
    std::vector<ByteVec> chain_of(const std::string& serial, std::vector<x509::Extension> extensions) {
        return {to_vec(issue({.serial = hex(serial), .extensions = std::move(extensions)}, &world.ca).certificate.der()), chain().back()};
    }
    /// As a request has it that waits where it must.
    Result<void> judged(PeerCheck check, const std::vector<ByteVec>& certificates) {
        std::promise<void> done;
        {
            const PeerChecks::Watch watch;
            auto first = checks->judge(policy(check), certificates);
            if (first || first.error().code != Code::too_busy) return first;
            if (!watch.wait([&] { done.set_value(); })) return first;
        }
        done.get_future().wait();
        return checks->judge(policy(check), certificates);
    }
    std::vector<store::AuditEvent> audit() { return store->audit(0, 100).value(); }

    testing::TemporaryDirectory temporary;
    std::unique_ptr<store::Store> store = store::open_sqlite(temporary.path() / "estuary.db").value();
    World world;
    Net net{world};
    std::unique_ptr<PeerChecks> checks;
};

TEST_F(Checks, GoodIsAskedOnceAndRemembered) {
    const auto first = checks->judge(policy(PeerCheck::hard), chain());
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, Code::too_busy);
    EXPECT_GT(first.error().retry_after_s, 0u);
    for (const auto mode : {PeerCheck::soft, PeerCheck::hard}) EXPECT_TRUE(judged(mode, chain()));
    EXPECT_EQ(net.asked, 1);
    EXPECT_TRUE(net.public_addresses_only);
    EXPECT_EQ(checks->counters().good, 1u);
    world.clock.advance(hour);
    EXPECT_EQ(checks->judge(policy(PeerCheck::soft), chain()).error().code, Code::too_busy) << "asked again, and nobody is let in meanwhile";
}

TEST_F(Checks, OffAsksNobody) {
    EXPECT_TRUE(checks->judge(policy(PeerCheck::off), chain()));
    EXPECT_EQ(net.asked, 0);
}

TEST_F(Checks, RevokedIsRefusedAndAudited) {  // bug class 6
    world.issued["1234"].revocation = store::Revocation{now - day, store::RevocationReason::key_compromise, {}};
    for (const auto mode : {PeerCheck::soft, PeerCheck::hard}) {
        const auto refused = judged(mode, chain());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::not_authorised);
        EXPECT_THAT(refused.error().detail, HasSubstr("revoked since"));
    }
    const auto events = audit();
    ASSERT_EQ(events.size(), 1u) << "once for what was learnt";
    EXPECT_EQ(events[0].event, "client.refused");
    EXPECT_EQ(events[0].actor, "manufacturer:acme/1234");
    EXPECT_EQ(events[0].object, "CN=device");
    EXPECT_EQ(events[0].outcome, "not_authorised");
    EXPECT_THAT(events[0].detail, HasSubstr("keyCompromise"));
    EXPECT_EQ(checks->counters().revoked, 1u);
}

TEST_F(Checks, SoftLetsInWhereNobodyCanTellAndHardDoesNot) {
    const auto gone = chain_of("77", {x509::make_authority_info_access({"http://gone.example/ocsp"}, {})});
    EXPECT_TRUE(judged(PeerCheck::soft, gone));
    const auto refused = judged(PeerCheck::hard, gone);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_EQ(refused.error().retry_after_s, 60u);
    EXPECT_EQ(net.asked, 1) << "not tried again so soon";
    const auto nameless = chain_of("78", {});
    EXPECT_TRUE(judged(PeerCheck::soft, nameless));
    EXPECT_EQ(judged(PeerCheck::hard, nameless).error().code, Code::not_authorised) << "nor will anybody ever tell";
    EXPECT_EQ(checks->counters().unknown, 2u);
    EXPECT_TRUE(audit().empty());
}

TEST_F(Checks, AHangingResponderKeepsNobodyElseWaiting) {
    net.hang(true);
    std::atomic<int> resumed{0};
    for (int i = 0; i < 20; ++i) {
        const PeerChecks::Watch watch;
        EXPECT_EQ(checks->judge(policy(PeerCheck::soft), chain()).error().code, Code::too_busy);
        EXPECT_TRUE(watch.wait([&] { ++resumed; }));
    }
    net.await_asked(1);
    EXPECT_EQ(checks->waiting(), 20u);
    EXPECT_TRUE(judged(PeerCheck::soft, chain_of("78", {}))) << "another certificate";
    EXPECT_EQ(resumed, 0);
    net.hang(false);
    checks->stop();
    EXPECT_EQ(resumed, 20);
    EXPECT_EQ(net.asked, 1) << "one question for all who ask the same";
}

TEST_F(Checks, ThereIsRoomForSoMany) {  // bug class 30
    PeerChecks::Limits limits;
    limits.threads = 1;
    limits.checks_max = 1;
    limits.waiting_max = 2;
    make(limits);
    net.hang(true);
    const auto begin = [&](const std::vector<ByteVec>& certificates, bool waits) {
        const PeerChecks::Watch watch;
        EXPECT_EQ(checks->judge(policy(PeerCheck::soft), certificates).error().code, Code::too_busy);
        EXPECT_EQ(watch.wait([] {}), waits);
    };
    begin(chain(), true);
    net.await_asked(1);
    begin(chain_of("77", pointers()), true);
    begin(chain_of("78", pointers()), false);  // no room for a third check
    EXPECT_EQ(checks->counters().turned_away, 1u);
    begin(chain(), false);  // nor for a third request
    EXPECT_EQ(checks->waiting(), 2u);
}

TEST_F(Checks, WhoWaitsGoesOnWhenTheServerStops) {
    net.hang(true);
    std::atomic<int> resumed{0};
    {
        const PeerChecks::Watch watch;
        EXPECT_FALSE(checks->judge(policy(PeerCheck::hard), chain()));
        EXPECT_TRUE(watch.wait([&] { ++resumed; }));
    }
    net.await_asked(1);
    checks->begin_stop();
    EXPECT_EQ(resumed, 1);
    const PeerChecks::Watch watch;
    EXPECT_EQ(checks->judge(policy(PeerCheck::soft), chain_of("77", pointers())).error().code, Code::too_busy) << "and nobody is let in for it";
    EXPECT_FALSE(watch.wait([&] { ++resumed; }));
    net.hang(false);
    checks->stop();
    EXPECT_EQ(resumed, 1);
}

TEST_F(Checks, ACheckThatIsDoneInBetweenResumesAtOnce) {
    net.hang(true);
    const PeerChecks::Watch watch;
    EXPECT_FALSE(checks->judge(policy(PeerCheck::hard), chain()));
    net.await_asked(1);
    std::promise<void> other;
    EXPECT_TRUE(watch.wait([&] { other.set_value(); }));
    net.hang(false);
    other.get_future().wait();
    bool resumed = false;
    EXPECT_TRUE(watch.wait([&] { resumed = true; }));
    EXPECT_TRUE(resumed);
}

}  // namespace
}  // namespace estuary::daemon
