#include <algorithm>

#include "world.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Certificates = std::vector<x509::Certificate>;

class EstCaBag : public EstServer {};

TEST_F(EstCaBag, RootIsTheAnchorAndTheRestBelow) {
    const auto bag = sort_ca_certificates({world.ca->issuing, world.ca->root, world.ca->root});
    ASSERT_TRUE(bag) << failure(bag);
    EXPECT_THAT(bag->anchors, ElementsAre(world.ca->root));
    EXPECT_THAT(bag->others, ElementsAre(world.ca->issuing));
    EXPECT_THAT(bag->strangers, IsEmpty());
}

/// RFC 7030 4.1.3: the newest vouches for the old one through OldWithNew; NewWithOld is put up with.
TEST_F(EstCaBag, RolloverCertificatesAreLinked) {
    const auto& rolled = *world.rolled;
    // OldWithOld is what the old root's issuer name and key say; the fixture's former root comes back from NewWithOld's issuer.
    Certificates all{rolled.next.issuing, rolled.new_with_old, rolled.old_with_new, rolled.next.root};
    std::ranges::reverse(all);
    const auto bag = sort_ca_certificates(all);
    ASSERT_TRUE(bag) << failure(bag);
    EXPECT_THAT(bag->anchors, ElementsAre(rolled.next.root));
    EXPECT_THAT(bag->others, UnorderedElementsAre(rolled.next.issuing, rolled.old_with_new, rolled.new_with_old));
    EXPECT_THAT(bag->strangers, IsEmpty());
}

TEST_F(EstCaBag, OldRootIsAnAnchorOnlyWhereTheNewOneVouchesForIt) {
    store::UnitOfWork work;
    authority::CaPlan plan;
    plan.organisation_name = "Rolling";
    const auto old = authority::make_ca(plan, world.clock, world.entropy, work).value();
    world.clock.advance(Seconds{86400});
    const auto next = authority::roll_over(plan, old.root, old.root_key, world.clock, world.entropy, work).value();
    const auto linked = sort_ca_certificates({old.root, old.issuing, next.next.root, next.old_with_new, next.new_with_old}).value();
    EXPECT_THAT(linked.anchors, ElementsAre(next.next.root, old.root));
    EXPECT_THAT(linked.others, UnorderedElementsAre(next.old_with_new, next.new_with_old, old.issuing));
    const auto unlinked = sort_ca_certificates({old.root, old.issuing, next.next.root}).value();
    EXPECT_THAT(unlinked.anchors, ElementsAre(next.next.root));
    EXPECT_THAT(unlinked.strangers, UnorderedElementsAre(old.root, old.issuing));
}

TEST_F(EstCaBag, ForeignCertificatesAreStrangers) {
    const auto device = world.device("CN=device");
    const auto bag = sort_ca_certificates({world.ca->root, world.ca->issuing, world.other_ca->issuing, device.certificate}).value();
    EXPECT_THAT(bag.anchors, ElementsAre(world.ca->root));
    EXPECT_THAT(bag.strangers, UnorderedElementsAre(world.other_ca->issuing, device.certificate));
}

TEST_F(EstCaBag, NoRootIsAnError) {
    EXPECT_EQ(sort_ca_certificates({world.ca->issuing}).error().code, Code::malformed);
    EXPECT_EQ(sort_ca_certificates({}).error().code, Code::malformed);
}

TEST_F(EstCaBag, ChainLeadsToTheAnchorWithoutIt) {
    const auto identity = world.enrolled("", "CN=device");
    const auto bag = sort_ca_certificates({world.ca->root, world.ca->issuing}).value();
    EXPECT_THAT(build_chain(identity.certificate, bag, world.clock.now()).value(),
                ElementsAre(identity.certificate, world.ca->issuing));
}

TEST_F(EstCaBag, ChainIsValidatedByRfc5280) {
    const auto identity = world.enrolled("", "CN=device");
    const auto bag = sort_ca_certificates({world.ca->root, world.ca->issuing}).value();
    EXPECT_FALSE(build_chain(identity.certificate, bag, world.clock.now() + Seconds{400 * 86400}));   // expired
    EXPECT_FALSE(build_chain(world.enrolled("other", "CN=device").certificate, bag, world.clock.now()));
    const auto without = sort_ca_certificates({world.ca->root}).value();
    EXPECT_FALSE(build_chain(identity.certificate, without, world.clock.now()));
    CaBag strangers_only = bag;
    strangers_only.others.clear();
    strangers_only.strangers = {world.ca->issuing};
    EXPECT_FALSE(build_chain(identity.certificate, strangers_only, world.clock.now()));
}

}  // namespace
}  // namespace estuary::est
