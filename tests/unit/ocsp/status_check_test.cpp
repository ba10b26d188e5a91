// Decisions on given octets: whom to believe, and what follows from it.
#include "tests/unit/ocsp/status_world.h"

namespace estuary::ocsp::relying_party {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

StatusOptions ocsp_only() {
    StatusOptions options;
    options.crl = false;
    return options;
}
StatusOptions crl_only() {
    StatusOptions options;
    options.ocsp = false;
    return options;
}
/// Why the first source was of no use.
std::string complaint(const StatusReport& report) {
    return report.attempts.empty() ? "none" : report.attempts.front().error.detail;
}
store::Revocation revocation(store::RevocationReason reason) {
    store::Revocation out;
    out.at = now - day;
    out.reason = reason;
    return out;
}

TEST(StatusByOcsp, GoodWithNonceAsksNobodyElse) {
    World world;
    const auto report = world.check();
    EXPECT_EQ(report.standing, Standing::good) << complaint(report);
    EXPECT_TRUE(report.finding->by_ocsp);
    EXPECT_TRUE(report.finding->nonce_matched);
    EXPECT_EQ(report.finding->source, ocsp_url);
    EXPECT_TRUE(report.finding->next_update);
    EXPECT_THAT(world.asked, SizeIs(1));
}

TEST(StatusByOcsp, RevokedTellsWhenAndWhy) {
    World world;
    world.issued["1234"].revocation = revocation(store::RevocationReason::superseded);
    const auto report = world.check();
    EXPECT_EQ(report.standing, Standing::revoked);
    EXPECT_EQ(report.finding->revoked_at, now - day);
    EXPECT_EQ(report.finding->reason, x509::CrlReason::superseded);
}

TEST(StatusByOcsp, UnknownIsNotMadeGoodByACrlThatKnowsNothing) {
    World world;
    world.issued.clear();
    const auto report = world.check();
    EXPECT_EQ(report.standing, Standing::unknown);
    EXPECT_THAT(report.notes, Contains(HasSubstr("never issued")));
    EXPECT_FALSE(report.unreachable());
    world.put(crl_url, make_list(world.ca, {.entries = {{}}}));
    EXPECT_EQ(world.check().standing, Standing::revoked);
}

TEST(StatusByOcsp, NonceIsTakenOrRequired) {
    World world;
    world.set_responder(world.ca, false);
    const auto report = world.check(ocsp_only());
    EXPECT_EQ(report.standing, Standing::good);
    EXPECT_FALSE(report.finding->nonce_matched);
    auto strict = ocsp_only();
    strict.nonce = NonceUse::required;
    const auto refused = world.check(strict);
    EXPECT_EQ(refused.standing, Standing::unknown);
    EXPECT_THAT(complaint(refused), HasSubstr("nonce"));
    world.asked.clear();
    auto without = ocsp_only();
    without.nonce = NonceUse::left_out;
    EXPECT_EQ(world.check(without).standing, Standing::good);
    EXPECT_THAT(world.asked, ElementsAre("GET " + ocsp_url));
}

TEST(StatusByOcsp, ResponderWithoutMandateIsNotBelieved) {
    World world;
    world.set_responder(make_ca("CN=Somebody else"));
    const auto report = world.check(ocsp_only());
    EXPECT_EQ(report.standing, Standing::unknown);
    EXPECT_FALSE(report.finding);
    EXPECT_FALSE(report.unreachable());
    EXPECT_EQ(world.check().standing, Standing::good) << "the CRL helps";
}

TEST(StatusByOcsp, OldAnswersCanBeRefused) {
    World world;
    world.set_responder(world.ca, false);
    ASSERT_EQ(world.check(ocsp_only()).standing, Standing::good);  // signed now, and kept
    auto options = ocsp_only();
    options.age_max = Seconds{600};
    const auto report = check_status(world.subject(), options, world.fetch(), now + 2 * hour);
    EXPECT_EQ(report.standing, Standing::unknown);
    EXPECT_THAT(complaint(report), HasSubstr("too old"));
}

TEST(StatusByOcsp, RevokedResponderIsNotBelieved) {
    World world;
    auto extensions = pointers(false, true);
    extensions.push_back(x509::make_key_usage(x509::digital_signature));
    extensions.push_back(x509::make_ext_key_usage({x509::oid::kp_ocsp_signing}));
    const auto delegate = issue({.subject = "CN=Responder", .serial = hex("77"), .extensions = extensions}, &world.ca);
    world.set_responder(delegate);
    EXPECT_EQ(world.check(ocsp_only()).standing, Standing::good);
    world.put(crl_url, make_list(world.ca, {.entries = {{.serial = "77"}}}));
    const auto report = world.check(ocsp_only());
    EXPECT_EQ(report.standing, Standing::unknown);
    EXPECT_THAT(complaint(report), HasSubstr("responder's own certificate is revoked"));
    world.files.erase(crl_url);
    EXPECT_THAT(world.check(ocsp_only()).finding->notes, Contains(HasSubstr("could not be told")));
}

TEST(StatusByCrl, GoodRevokedAndHold) {
    World world;
    EXPECT_EQ(world.check(crl_only()).standing, Standing::good);
    world.put(crl_url, make_list(world.ca, {.entries = {{}}}));
    const auto revoked = world.check(crl_only());
    EXPECT_EQ(revoked.standing, Standing::revoked);
    EXPECT_EQ(revoked.finding->revoked_at, now - 2 * day);
    EXPECT_EQ(revoked.finding->invalidity_date, now - 3 * day);
    world.put(crl_url, make_list(world.ca, {.entries = {{.reason = x509::CrlReason::certificate_hold}}}));
    const auto held = world.check(crl_only());
    EXPECT_EQ(held.finding->reason, x509::CrlReason::certificate_hold);
}

struct BadList {
    std::string name;
    std::function<ByteVec(const World&)> make;
    std::string says;
};
class UnusableLists : public testing::TestWithParam<BadList> {};
TEST_P(UnusableLists, AreNotBelieved) {
    World world;
    world.put(crl_url, GetParam().make(world));
    const auto report = world.check(crl_only());
    EXPECT_EQ(report.standing, Standing::unknown);
    EXPECT_FALSE(report.finding);
    EXPECT_THAT(complaint(report), HasSubstr(GetParam().says));
    EXPECT_FALSE(report.unreachable());
}
ByteVec forged(const World& world) {
    auto list = make_list(world.ca, {});
    list.back() ^= 1;
    return list;
}
INSTANTIATE_TEST_SUITE_P(
    StatusByCrl, UnusableLists,
    testing::Values(
        BadList{"expired", [](const World& w) { return make_list(w.ca, {.this_update = now - 3 * day, .next_update = now - day}); }, "stale"},
        BadList{"of_the_future", [](const World& w) { return make_list(w.ca, {.this_update = now + hour}); }, "future"},
        BadList{"forged", forged, "not signed by the certificate's issuer"},
        BadList{"by_a_namesake", [](const World&) { return make_list(make_ca(), {}); }, "not signed by the certificate's issuer"},
        BadList{"of_another_ca", [](const World&) { return make_list(make_ca("CN=Other"), {}); }, "not by"},
        BadList{"delta_alone", [](const World& w) { return make_list(w.ca, {.number = 6, .delta_base = 5}); }, "delta"},
        BadList{"of_some_reasons", [](const World& w) { return make_list(w.ca, {.reasons = 2}); }, "some reasons"},
        BadList{"no_crl", [](const World&) { return to_vec(as_bytes("<html>Not here</html>")); }, "no CRL"}),
    [](const auto& test) { return test.param.name; });

TEST(StatusByCrl, DeltaRevokesAndLifts) {
    World world;
    const auto with_delta = [&](const ListWanted& complete, const ListWanted& delta) {
        auto wanted = complete;
        wanted.freshest = {delta_url};
        world.put(crl_url, make_list(world.ca, wanted));
        world.put(delta_url, make_list(world.ca, delta));
        return world.check(crl_only());
    };
    const auto revoked = with_delta({}, {.entries = {{}}, .number = 6, .delta_base = 5, .next_update = now + hour});
    EXPECT_EQ(revoked.standing, Standing::revoked);
    EXPECT_EQ(revoked.finding->delta_source, delta_url);
    EXPECT_EQ(revoked.finding->next_update, now + hour);
    const auto lifted = with_delta({.entries = {{.reason = x509::CrlReason::certificate_hold}}},
                                   {.entries = {{.reason = x509::CrlReason::remove_from_crl}}, .number = 6, .delta_base = 5});
    EXPECT_EQ(lifted.standing, Standing::good);
    const auto overtaken = with_delta({.number = 7}, {.entries = {{}}, .number = 6, .delta_base = 5});
    EXPECT_EQ(overtaken.standing, Standing::good);
    EXPECT_THAT(overtaken.finding->notes, IsEmpty());
    const auto stale = with_delta({}, {.entries = {{}}, .number = 6, .delta_base = 5, .next_update = now - hour});
    EXPECT_EQ(stale.standing, Standing::good);
    EXPECT_THAT(stale.finding->notes, Contains(HasSubstr("stale")));
    world.files.erase(delta_url);
    EXPECT_THAT(world.check(crl_only()).finding->notes, Contains(HasSubstr("not to be had")));
}

TEST(StatusByCrl, GivenListsAreUsedInsteadOfTheNetwork) {
    World world;
    auto options = crl_only();
    const auto give = [&](const ListWanted& wanted, const char* file) {
        options.lists.push_back({x509::RevocationList::parse(make_list(world.ca, wanted)).value(), file});
    };
    give({}, "ca.crl");
    EXPECT_EQ(world.check(options).standing, Standing::good);
    give({.entries = {{}}, .number = 6, .delta_base = 5}, "delta.crl");
    const auto report = world.check(options);
    EXPECT_EQ(report.standing, Standing::revoked);
    EXPECT_EQ(report.finding->delta_source, "delta.crl");
    EXPECT_THAT(world.asked, IsEmpty());
}

TEST(StatusByCrl, AnotherCrlIssuerHasToComeFromTheSameAnchor) {  // RFC 5280 6.3.3 (f)
    World world;
    auto subject = world.subject();
    const auto check = [&](const Identity& signer) {
        subject.others = {signer.certificate};
        world.put(crl_url, make_list(signer, {}));
        return check_status(subject, crl_only(), world.fetch(), now).standing;
    };
    EXPECT_EQ(check(make_ca()), Standing::unknown) << "a namesake that issued itself";
    EXPECT_EQ(check(make_ca("CN=Other")), Standing::unknown);
    const std::vector<x509::Extension> of_ca{x509::make_basic_constraints({true, std::nullopt}), x509::make_key_usage(x509::crl_sign | x509::key_cert_sign)};
    EXPECT_EQ(check(issue({.subject = world.ca.certificate.subject().to_text(), .serial = hex("02"), .extensions = of_ca}, &world.ca)), Standing::good) << "the CA's next key, by the CA";
}

TEST(StatusByCrl, ListsOfSeveralReasonsAddUp) {
    World world;
    auto options = crl_only();
    for (const auto reasons : {x509::ReasonFlags{0x1FC}, x509::ReasonFlags{2}})
        options.lists.push_back({x509::RevocationList::parse(make_list(world.ca, {.reasons = reasons})).value(), "some.crl"});
    EXPECT_EQ(world.check(options).standing, Standing::good);
}

TEST(Status, ExpiredCertificatesAreForgotten) {
    World world;
    world.replace_device({.not_after = now - day, .extensions = pointers()});
    const auto report = world.check();
    EXPECT_EQ(report.standing, Standing::unknown);
    EXPECT_THAT(report.notes, Contains(HasSubstr("expired")));
    world.put(crl_url, make_list(world.ca, {.entries = {{}}}));
    EXPECT_EQ(world.check().standing, Standing::revoked) << "an entry that is still there counts";
}

TEST(Status, IsUnknownWhereTheCertificateNamesNobody) {
    World world;
    world.replace_device({});
    const auto report = world.check();
    EXPECT_EQ(report.standing, Standing::unknown);
    EXPECT_FALSE(report.unreachable());
    EXPECT_THAT(complaint(report), HasSubstr("names no OCSP responder"));
}

TEST(Status, NobodyReachableIsTold) {
    World world;
    world.replace_device({.extensions = {x509::make_authority_info_access({"http://gone.example/ocsp"}, {})}});
    EXPECT_TRUE(world.check().unreachable());
    world.put("http://gone.example/ocsp", as_bytes("hello"), "text/html");
    EXPECT_FALSE(world.check().unreachable());
}

TEST(Status, LimitsAreKept) {
    World world;
    auto options = crl_only();
    options.crl_bytes_max = 16;
    EXPECT_THAT(complaint(world.check(options)), HasSubstr("too large"));
}

/// A path of three: the world's device below an intermediate CA that the anchor issued.
struct Chain {
    World world;
    Identity anchor = make_ca("CN=Anchor");
    Identity middle;
    Identity device;

    explicit Chain(std::vector<x509::Extension> of_middle) {
        of_middle.push_back(x509::make_basic_constraints({true, std::nullopt}));
        of_middle.push_back(x509::make_key_usage(x509::key_cert_sign | x509::crl_sign));
        middle = issue({.subject = "CN=Middle", .serial = hex("02"), .extensions = std::move(of_middle)}, &anchor);
        device = issue({.extensions = pointers(false, true)}, &middle);
        world.put(crl_url, make_list(middle, {}));
        world.put(delta_url, make_list(anchor, {}));  // any address will do for the anchor's list
    }
    PathReport check() {
        return check_path({device.certificate, middle.certificate, anchor.certificate}, {anchor.certificate},
                          [&](const Subject& subject) { return check_status(subject, {}, world.fetch(), now); });
    }
};

TEST(Path, EveryCertificateBelowTheAnchorCounts) {  // RFC 5280 6.1.3 (a) (3)
    Chain chain{{x509::make_crl_distribution_points({delta_url})}};
    EXPECT_EQ(chain.check().standing, Standing::good);
    EXPECT_FALSE(objection(chain.check(), PeerCheck::hard, "the server's"));
    chain.world.put(delta_url, make_list(chain.anchor, {.entries = {{.serial = "02"}}}));
    const auto report = chain.check();
    EXPECT_EQ(report.standing, Standing::revoked);
    EXPECT_EQ(report.certificate, chain.middle.certificate);
    for (const auto mode : {PeerCheck::soft, PeerCheck::hard}) {
        const auto error = objection(report, mode, "the server's");
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code, Code::not_authorised);
        EXPECT_THAT(error->detail, HasSubstr("CN=Middle"));
        EXPECT_THAT(error->detail, HasSubstr(delta_url));
    }
    EXPECT_FALSE(objection(report, PeerCheck::off, "the server's"));
}

TEST(Path, IsNoBetterThanItsWorst) {
    Chain chain{{}};
    auto report = chain.check();
    EXPECT_EQ(report.standing, Standing::unknown) << "the intermediate CA names nobody";
    EXPECT_EQ(report.certificate, chain.middle.certificate);
    EXPECT_FALSE(objection(report, PeerCheck::soft, "the client's"));
    EXPECT_EQ(objection(report, PeerCheck::hard, "the client's")->code, Code::not_authorised) << "asking again would not help";
    // A revoked end entity is found before, and one above an unknown is looked for.
    chain.world.put(crl_url, make_list(chain.middle, {.entries = {{}}}));
    report = chain.check();
    EXPECT_EQ(report.standing, Standing::revoked);
    EXPECT_EQ(report.certificate, chain.device.certificate);
    Chain other{{x509::make_crl_distribution_points({delta_url})}};
    other.world.files.erase(crl_url);
    EXPECT_EQ(other.check().standing, Standing::unknown);
    EXPECT_EQ(objection(other.check(), PeerCheck::hard, "the client's")->code, Code::unavailable) << "it may be otherwise later";
    other.world.put(delta_url, make_list(other.anchor, {.entries = {{.serial = "02"}}}));
    EXPECT_EQ(other.check().standing, Standing::revoked);
}

}  // namespace
}  // namespace estuary::ocsp::relying_party
