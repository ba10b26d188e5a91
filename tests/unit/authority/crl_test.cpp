// The authority's CRLs, read back as a relying party reads them.
#include <fmt/format.h>

#include "estuary/x509/crl.h"
#include "support.h"

namespace estuary::authority::test {
namespace {

using store::RevocationReason;
using Kind = x509::CrlStatus::Kind;

constexpr Seconds day{86'400};

/// A CA that tells where its CRLs are.
class CrlWorld : public World {
public:
    explicit CrlWorld(unsigned shards = 1) {
        status.crl_shards = shards;
        status.crl_uris = {"http://pki.example/crl/issuing-{shard}.crl"};
        status.delta_uris = {"http://pki.example/crl/issuing-{shard}-delta.crl"};
        status.ocsp_uris = {"http://pki.example/ocsp"};
        status.deltas = true;
        make();
    }
    Result<MadeCrl> make_crl(unsigned shard = 0, CrlKind kind = CrlKind::complete) {
        UnitOfWork work;
        ESTUARY_TRY(auto made, authority->make_crl("issuing", shard, kind, work));
        ESTUARY_CHECK(store->commit(std::move(work)));
        return made;
    }
    x509::RevocationList list(unsigned shard = 0, CrlKind kind = CrlKind::complete) {
        auto made = make_crl(shard, kind);
        EXPECT_TRUE(made) << made.error().detail;
        auto parsed = x509::RevocationList::parse(made->der).value();
        EXPECT_TRUE(parsed.verify_issued_by(ca->issuing));
        return parsed;
    }
};

TEST(Crl, TellsWhatIsRevokedAndWhatIsNot) {
    CrlWorld world;
    const auto good = world.issue({}).value();
    const auto bad = world.issue({}).value();
    ASSERT_TRUE(world.revoke(bad, RevocationReason::key_compromise));
    const auto list = world.list();
    EXPECT_EQ(x509::status_in_crls(good, list)->kind, Kind::good);
    const auto status = x509::status_in_crls(bad, list).value();
    EXPECT_EQ(status.kind, Kind::revoked);
    EXPECT_EQ(status.reason, x509::CrlReason::key_compromise);
    EXPECT_EQ(status.revoked_at, start);
    EXPECT_EQ(list.this_update(), start);
    EXPECT_EQ(list.next_update(), start + 7 * day);
    EXPECT_FALSE(list.scope()) << "one CRL for all needs no scope";
    EXPECT_EQ(list.freshest_crl_uris()->front(), "http://pki.example/crl/issuing-0-delta.crl");
}

TEST(Crl, NumbersGrowAlsoOverARestart) {  // bug class 18
    CrlWorld world;
    EXPECT_EQ(world.list().crl_number(), x509::CrlNumber{1});
    EXPECT_EQ(world.list(0, CrlKind::delta).crl_number(), x509::CrlNumber{2});
    world.restart();
    EXPECT_EQ(world.list().crl_number(), x509::CrlNumber{3});
}

TEST(Crl, NumberIsTakenOnce) {
    CrlWorld world;
    UnitOfWork one, other;
    ASSERT_TRUE(world.authority->make_crl("issuing", 0, CrlKind::complete, one));
    ASSERT_TRUE(world.authority->make_crl("issuing", 0, CrlKind::complete, other));
    EXPECT_TRUE(world.store->commit(std::move(one)));
    EXPECT_EQ(code_of(world.store->commit(std::move(other))), Code::conflict);
}

TEST(Crl, PublishersNumberTheirListsApart) {  // RFC 5280 5.2.3, bug class 18
    CrlWorld world;
    const auto made = world.issue({}).value();
    ASSERT_TRUE(world.revoke(made));
    EXPECT_EQ(world.list().crl_number(), x509::CrlNumber{1});
    world.status.publisher = "issuing.2";
    world.make();
    const auto list = world.list();
    EXPECT_EQ(list.crl_number(), x509::CrlNumber{1});
    EXPECT_TRUE(list.find(made.serial_number())) << "what is revoked is looked up by the CA's name";
    const auto record = world.make_crl().value().record;
    EXPECT_EQ(record.ca, "issuing.2");
    EXPECT_EQ(world.store->crl("issuing.2", 0, false).value()->number, 2);
    EXPECT_EQ(world.store->crl("issuing", 0, false).value()->number, 1);
    EXPECT_EQ(world.authority->crl_shards("issuing"), 1u);
}

TEST(Crl, NumberIsAboveWhatIsOutAlready) {
    CrlWorld world;
    world.list();
    UnitOfWork work;
    EXPECT_EQ(world.authority->make_crl("issuing", 0, CrlKind::complete, work, 41)->record.number, 42);
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_EQ(world.list().crl_number(), x509::CrlNumber{43});
}

TEST(Crl, DeltaHasTheScopeAndKeyOfItsList) {  // RFC 5280 5.2.4
    CrlWorld world{4};
    const auto complete = world.list(2), delta = world.list(2, CrlKind::delta);
    EXPECT_TRUE(complete.scope());
    EXPECT_EQ(complete.scope(), delta.scope());
    EXPECT_EQ(complete.authority_key_id(), delta.authority_key_id());
    EXPECT_TRUE(complete.check_updated_by(delta));
    EXPECT_FALSE(complete.check_updated_by(world.list(1, CrlKind::complete)));
}

TEST(Crl, DeltaTellsOfWhatHasExpiredSince) {  // RFC 5280 5.2.4
    CrlWorld world;
    const auto made = world.issue({}).value();
    world.list();
    ASSERT_TRUE(world.revoke(made));
    world.clock.set(made.not_after() + day);
    EXPECT_TRUE(world.list(0, CrlKind::delta).find(made.serial_number()));
}

TEST(Crl, EntriesHaveTheirInvalidityDate) {  // RFC 5280 5.3.2
    CrlWorld world;
    const auto made = world.issue({}).value();
    UnitOfWork work;
    RevokeRequest request{"issuing", to_vec(made.serial_number()), RevocationReason::key_compromise, {}};
    request.principal.operator_ = true;
    request.invalidity_date = start - 3 * day;
    ASSERT_TRUE(world.authority->revoke(request, work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_EQ(world.list().find(made.serial_number())->invalidity_date, start - 3 * day);
}

TEST(Crl, DeltaTellsOnlyWhatChanged) {
    CrlWorld world;
    const auto before = world.issue({}).value(), held = world.issue({}).value(), after = world.issue({}).value();
    ASSERT_TRUE(world.revoke(before, RevocationReason::superseded));
    ASSERT_TRUE(world.revoke(held, RevocationReason::certificate_hold));
    EXPECT_EQ(code_of(world.make_crl(0, CrlKind::delta)), Code::not_found) << "there is nothing that it could go with";
    const auto complete = world.list();
    ASSERT_TRUE(world.revoke(after, RevocationReason::cessation_of_operation));
    ASSERT_TRUE(world.revoke(held, RevocationReason::remove_from_crl));
    const auto delta = world.list(0, CrlKind::delta);
    EXPECT_TRUE(complete.check_updated_by(delta));
    EXPECT_EQ(delta.entry_count(), 2u);
    EXPECT_EQ(delta.next_update(), start + day);
    EXPECT_EQ(x509::status_in_crls(before, complete, &delta)->kind, Kind::revoked);
    EXPECT_EQ(x509::status_in_crls(held, complete)->kind, Kind::revoked);
    EXPECT_EQ(x509::status_in_crls(held, complete, &delta)->kind, Kind::good);
    EXPECT_EQ(x509::status_in_crls(after, complete)->kind, Kind::good);
    EXPECT_EQ(x509::status_in_crls(after, complete, &delta)->kind, Kind::revoked);
}

TEST(Crl, EntryStaysUntilOneCrlAfterItsCertificateEnded) {  // RFC 5280 3.3
    CrlWorld world;
    const auto made = world.issue({}).value();
    ASSERT_TRUE(world.revoke(made));
    const auto listed = [&] { return world.list().find(made.serial_number()).has_value(); };
    EXPECT_TRUE(listed());
    world.clock.set(made.not_after() + Seconds{1});
    EXPECT_TRUE(listed()) << "the first after its end";
    world.clock.advance(day);
    EXPECT_FALSE(listed());
}

TEST(Crl, ShardsShareTheCertificatesOut) {
    CrlWorld world{4};
    std::map<unsigned, std::vector<x509::Certificate>> by_shard;
    for (int i = 0; i < 40; ++i) {
        const auto made = world.issue({}).value();
        ASSERT_TRUE(world.revoke(made, RevocationReason::superseded));
        const auto shard = world.store->certificate("issuing", made.serial_number()).value()->shard;
        EXPECT_EQ(x509::crl_uris(made.extensions()).value(),
                  std::vector<std::string>{fmt::format("http://pki.example/crl/issuing-{}.crl", shard)});
        by_shard[shard].push_back(made);
    }
    EXPECT_EQ(by_shard.size(), 4u) << "40 certificates in fewer: once in 30,000 runs";
    for (const auto& [shard, certificates] : by_shard) {
        const auto list = world.list(shard);
        EXPECT_EQ(list.entry_count(), certificates.size());
        ASSERT_TRUE(list.scope());
        for (const auto& [other, theirs] : by_shard)
            EXPECT_EQ(list.covers(theirs.front()).has_value(), other == shard);
        EXPECT_EQ(x509::status_in_crls(certificates.front(), list)->kind, Kind::revoked);
    }
}

TEST(Crl, FewerShardsStillServeTheFormerOnes) {
    CrlWorld world{4};
    for (unsigned shard = 0; shard < 4; ++shard) world.list(shard);
    world.status.crl_shards = 2;
    world.make();
    EXPECT_EQ(world.authority->crl_shards("issuing"), 4u);
    EXPECT_TRUE(world.list(3).scope());
}

TEST(Crl, OfAnUnknownCaOrAnExpiredOne) {
    CrlWorld world;
    UnitOfWork work;
    EXPECT_EQ(code_of(world.authority->make_crl("another", 0, CrlKind::complete, work)), Code::not_found);
    world.clock.set(world.ca->issuing.not_after() - Seconds{3600});
    EXPECT_EQ(world.list().next_update(), world.ca->issuing.not_after()) << "no list outlives its issuer";
    world.clock.set(world.ca->issuing.not_after() + Seconds{1});
    EXPECT_EQ(code_of(world.make_crl()), Code::unavailable);
}

TEST(Crl, ConfigurationThatCannotBe) {
    World world;
    const auto refused = [&](auto change) {
        auto config = world.config();
        change(config.cas.front().status);
        return code_of(Authority::create(std::move(config), *world.store, world.clock, world.entropy));
    };
    EXPECT_EQ(refused([](StatusConfig& s) { s.crl_shards = 0; }), Code::policy);
    EXPECT_EQ(refused([](StatusConfig& s) { s.crl_shards = 2, s.crl_uris = {"http://pki.example/one.crl"}; }), Code::policy);
    EXPECT_EQ(refused([](StatusConfig& s) { s.crl_validity = Seconds{1}; }), Code::policy);
}

TEST(Crl, OcspSignerPointsNowhere) {
    CrlWorld world;
    Profile signer = tls_server_profile("issuing");
    signer.name = "ocsp";
    signer.ext_key_usage = {x509::oid::kp_ocsp_signing};
    signer.san.required = false;
    signer.ocsp_no_check = true;
    world.profiles.push_back(signer);
    world.make();
    UnitOfWork work;
    const auto made = world.authority->issue_for_server("ocsp", csr({"CN=responder"}, new_key()), work);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_NE(x509::find(made->extensions(), x509::oid::ocsp_no_check), nullptr);
    EXPECT_EQ(x509::find(made->extensions(), x509::oid::crl_distribution_points), nullptr);
    EXPECT_EQ(x509::find(made->extensions(), x509::oid::authority_info_access), nullptr);
}

}  // namespace
}  // namespace estuary::authority::test
