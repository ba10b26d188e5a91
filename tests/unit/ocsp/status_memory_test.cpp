// What is asked again, and what is not.
#include "estuary/ocsp/status_memory.h"

#include <fmt/format.h>

#include "tests/unit/ocsp/status_world.h"

namespace estuary::ocsp::relying_party {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Memory : public testing::Test {
protected:
    StatusReport check(Time at = now) { return check(world.subject(), at); }
    StatusReport check(const Subject& subject, Time at = now) { return memory->check(subject, {}, world.fetch(), at); }
    /// How often the network was asked since the last time.
    std::size_t asked() { return std::exchange(world.asked, {}).size(); }
    void limit(StatusMemory::Limits limits) { memory = std::make_unique<StatusMemory>(limits); }
    void only_crl() { world.replace_device({.extensions = pointers(false, true)}); }
    Subject another(const std::string& serial) {
        return {issue({.serial = hex(serial), .extensions = pointers(false, true)}, &world.ca).certificate, world.ca.certificate, {}, {}};
    }

    World world;
    std::unique_ptr<StatusMemory> memory = std::make_unique<StatusMemory>();
};

TEST_F(Memory, GoodHoldsForAnHourAtMost) {
    EXPECT_EQ(check().standing, Standing::good);
    EXPECT_EQ(asked(), 1u);
    EXPECT_EQ(check(now + Seconds{3599}).standing, Standing::good);
    EXPECT_EQ(asked(), 0u);
    world.clock.set(now + Seconds{3600});
    EXPECT_EQ(check(now + Seconds{3600}).standing, Standing::good);
    EXPECT_EQ(asked(), 1u);
}

TEST_F(Memory, NextUpdateEndsItEarlier) {
    only_crl();
    world.put(crl_url, make_list(world.ca, {.next_update = now + Seconds{600}}));
    EXPECT_EQ(check().standing, Standing::good);
    EXPECT_TRUE(memory->find(world.device.certificate, world.ca.certificate, now + Seconds{599}));
    EXPECT_FALSE(memory->find(world.device.certificate, world.ca.certificate, now + Seconds{600}));
    world.put(crl_url, make_list(world.ca, {.entries = {{}}, .this_update = now + Seconds{600}}));
    EXPECT_EQ(check(now + Seconds{600}).standing, Standing::revoked);
}

TEST_F(Memory, RevokedIsRemembered) {
    world.issued["1234"].revocation = store::Revocation{now - day, store::RevocationReason::key_compromise, {}};
    EXPECT_EQ(check().standing, Standing::revoked);
    world.files.clear();
    world.set_responder(make_ca("CN=Somebody else"));
    EXPECT_EQ(check(now + Seconds{1800}).standing, Standing::revoked);
}

TEST_F(Memory, OneListServesManyCertificates) {
    only_crl();
    world.put(crl_url, make_list(world.ca, {.entries = {{.serial = "99"}}}));
    for (int i = 0x10; i < 0x20; ++i) EXPECT_EQ(check(another(fmt::format("{:02x}", i))).standing, Standing::good);
    EXPECT_EQ(check(another("99")).standing, Standing::revoked);
    EXPECT_EQ(asked(), 1u);
    EXPECT_EQ(check(another("21"), now + Seconds{3600}).standing, Standing::good);
    EXPECT_EQ(asked(), 1u) << "after an hour";
}

TEST_F(Memory, AListIsVerifiedWheneverItIsUsed) {
    only_crl();
    EXPECT_EQ(check().standing, Standing::good);
    const auto other = make_ca("CN=Other CA");
    const Subject of_other{issue({.extensions = pointers(false, true)}, &other).certificate, other.certificate, {}, {}};
    const auto report = check(of_other);
    EXPECT_EQ(report.standing, Standing::unknown) << "the list that is kept under this address is another CA's";
    EXPECT_EQ(asked(), 1u);
    // Nor does it get fresher by being kept: past its nextUpdate it is fetched, whatever the clock did in between.
    EXPECT_EQ(check(another("22"), now - Seconds{1}).standing, Standing::good);
    EXPECT_EQ(asked(), 1u) << "a clock that was set back finds nothing";
}

TEST_F(Memory, SilentHostsAreNotWaitedForAgain) {
    world.replace_device({.extensions = {x509::make_authority_info_access({"http://gone.example/ocsp"}, {}),
                                         x509::make_crl_distribution_points({"http://gone.example/ca.crl"})}});
    const auto report = check();
    EXPECT_TRUE(report.unreachable());
    EXPECT_EQ(asked(), 1u) << "the list lies on the same host";
    const Subject sibling{issue({.serial = hex("77"), .extensions = {x509::make_authority_info_access({"http://gone.example/other"}, {})}}, &world.ca)
                              .certificate, world.ca.certificate, {}, {}};
    EXPECT_TRUE(check(sibling, now + Seconds{59}).unreachable());
    EXPECT_EQ(asked(), 0u);
    EXPECT_EQ(check(another("23")).standing, Standing::good) << "other hosts are asked";
    EXPECT_EQ(asked(), 1u);
    EXPECT_TRUE(check(sibling, now + Seconds{119}).unreachable());
    EXPECT_EQ(asked(), 1u);
}

TEST_F(Memory, UnknownIsTriedAgainSoon) {
    world.replace_device({});
    EXPECT_EQ(check().standing, Standing::unknown);
    EXPECT_TRUE(memory->find(world.device.certificate, world.ca.certificate, now + Seconds{59}));
    EXPECT_FALSE(memory->find(world.device.certificate, world.ca.certificate, now + Seconds{60}));
}

TEST_F(Memory, IsBounded) {  // bug class 30
    StatusMemory::Limits limits;
    limits.reports_max = 3;
    limits.list_octets_max = make_list(world.ca, {}).size() + 16;
    limits.hosts_max = 2;
    limit(limits);
    for (int i = 0x10; i < 0x30; ++i) check(another(fmt::format("{:02x}", i)));
    EXPECT_EQ(memory->report_count(), 3u);
    EXPECT_EQ(asked(), 1u);
    const auto with_list_at = [&](const std::string& url, const std::string& serial) {
        return Subject{issue({.serial = hex(serial), .extensions = {x509::make_crl_distribution_points({url})}}, &world.ca).certificate,
                       world.ca.certificate, {}, {}};
    };
    for (int i = 0; i < 5; ++i) {
        const auto url = fmt::format("http://lists.example/{}.crl", i);
        world.put(url, make_list(world.ca, {}));
        EXPECT_EQ(check(with_list_at(url, fmt::format("4{}", i))).standing, Standing::good);
        EXPECT_LE(memory->list_octets(), limits.list_octets_max);
        EXPECT_EQ(check(with_list_at(fmt::format("http://gone{}.example/ca.crl", i), fmt::format("5{}", i))).standing, Standing::unknown);
    }
    world.put("http://lists.example/large.crl", make_list(world.ca, {.entries = {{.serial = "01"}, {.serial = "02"}, {.serial = "03"}}}));
    EXPECT_EQ(check(with_list_at("http://lists.example/large.crl", "60")).standing, Standing::good) << "used, not kept";
    EXPECT_LE(memory->list_octets(), limits.list_octets_max);
}

}  // namespace
}  // namespace estuary::ocsp::relying_party
