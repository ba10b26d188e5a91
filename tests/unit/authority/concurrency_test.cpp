// Many at once. (bug class 35)
#include <mutex>
#include <set>
#include <thread>

#include "support.h"

namespace estuary::authority::test {
namespace {

constexpr int connections = 8;

class SingleUse : public testing::TestWithParam<int> {};
TEST_P(SingleUse, ThousandRequestsShareItsUses) {
    World world;
    world.add_credential("dev", GetParam());
    const auto principal = world.by_password("dev");
    constexpr int each = 1000 / connections;
    std::vector<std::vector<x509::SignedRequest>> requests(connections);
    const auto key = new_key();
    for (auto& list : requests)
        for (int i = 0; i < each; ++i) list.push_back(csr({}, key));  // each signed anew: other octets
    std::atomic<int> made{0}, refused{0}, odd{0};
    at_once(connections, [&](int connection) {
        for (const auto& request : requests[static_cast<std::size_t>(connection)]) {
            for (;;) {
                const auto outcome = world.enroll(request, principal);
                if (!outcome && outcome.error().code == Code::too_busy) {
                    std::this_thread::yield();
                    continue;
                }
                ++(outcome ? made : outcome.error().code == Code::not_authenticated ? refused : odd);
                break;
            }
        }
    });
    EXPECT_EQ(made, GetParam());
    EXPECT_EQ(refused, connections * each - GetParam());
    EXPECT_EQ(odd, 0);
    EXPECT_EQ(world.store->credential("dev").value()->uses_left, 0);
    EXPECT_EQ(world.store->count_certificates().value(), GetParam() + 2);  // and the CA's own two
}
INSTANTIATE_TEST_SUITE_P(Authority, SingleUse, testing::Values(1, 5));

// bug class 25: one request from many connections is one certificate
TEST(Concurrency, IdenticalRequestsGetOneCertificate) {
    World world;
    world.add_credential("dev", 1);
    const auto principal = world.by_password("dev");
    const auto request = csr({}, new_key());
    std::mutex mutex;
    std::set<std::string> serial_numbers;
    at_once(connections, [&](int) {
        for (;;) {
            const auto outcome = world.enroll(request, principal);
            if (!outcome && outcome.error().code == Code::too_busy) {
                EXPECT_EQ(outcome.error().retry_after_s, 1u);
                std::this_thread::yield();
                continue;
            }
            const std::lock_guard lock{mutex};
            serial_numbers.insert(issued(outcome).certificate.serial_hex());
            return;
        }
    });
    EXPECT_EQ(serial_numbers.size(), 1u);
}

TEST(Concurrency, ClaimsLastUntilTheCommit) {
    World world;
    world.add_credential("dev", 1);
    const auto request = csr({}, new_key());
    const auto other = csr({}, new_key());
    {
        UnitOfWork work;
        issued(world.authority->enroll(world.request(request, world.by_password("dev")), work));
        EXPECT_EQ(code_of(world.enroll(request, world.by_password("dev"))), Code::too_busy);
        EXPECT_EQ(code_of(world.enroll(other, world.by_password("dev"))), Code::too_busy);
        // The unit is thrown away: nothing was told to anybody, nothing is spent.
    }
    issued(world.enroll(other, world.by_password("dev")));
}

TEST(Concurrency, LeasesOutliveTheAuthority) {
    World world;
    world.add_credential("dev", 1);
    UnitOfWork work;
    issued(world.authority->enroll(world.request(csr({}, new_key()), world.by_password("dev")), work));
    world.authority.reset();  // a reload of the configuration
    EXPECT_TRUE(world.store->commit(std::move(work)));
    world.make();
    EXPECT_EQ(code_of(world.enroll(csr({}, new_key()), world.by_password("dev"))), Code::not_authenticated);
}

// Two authorities over one store, as during a reload: memory does not help, the guards do.
TEST(Concurrency, GuardsHoldBetweenAuthorities) {
    World world;
    world.add_credential("dev", 1);
    const auto principal = world.by_password("dev");
    auto second = Authority::create(world.config(), *world.store, world.clock, world.entropy).value();
    const auto same_request = csr({}, new_key());
    UnitOfWork one, two;
    issued(world.authority->enroll(world.request(same_request, principal), one));
    issued(second->enroll(world.request(csr({}, new_key()), principal), two));
    EXPECT_TRUE(world.store->commit(std::move(one)));
    const auto before = world.store->count_certificates().value();
    EXPECT_EQ(world.store->commit(std::move(two)).error().code, Code::conflict);
    EXPECT_EQ(world.store->count_certificates().value(), before);
}

}  // namespace
}  // namespace estuary::authority::test
