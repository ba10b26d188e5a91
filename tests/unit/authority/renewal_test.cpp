// Renewal (RFC 7030 4.2.2): authorised anew each time. (bug class 5)
#include "support.h"

namespace estuary::authority::test {
namespace {

const Wanted names_of_a{"CN=device a,O=Example", {"dns:a.example", "ip:192.0.2.1"}};

TEST(Renewal, KeepsNamesOctetForOctet) {
    World world;
    const auto key = new_key();
    const auto first = world.issue(names_of_a, key).value();
    const auto principal = world.by_certificate(first);
    world.clock.advance(std::chrono::hours{24});
    // Names in another order are the same set; the certificate keeps its own order.
    const auto second = issued(world.renew(csr({"CN=device a,O=Example", {"ip:192.0.2.1", "dns:a.example"}}, new_key()), principal));
    EXPECT_FALSE(second.repeated);
    EXPECT_EQ(to_hex(second.certificate.subject().der()), to_hex(first.subject().der()));  // bug class 34
    EXPECT_EQ(second.certificate.subject_alt_names().value(), first.subject_alt_names().value());
    EXPECT_GT(second.certificate.not_after(), first.not_after());
    // The same key again is a renewal, too; and from the new certificate on it goes.
    issued(world.renew(csr(names_of_a, key), world.by_certificate(second.certificate)));
}

struct RefusedCase {
    std::string label;
    Wanted wanted;
};
class RenewalOfOtherNames : public testing::TestWithParam<RefusedCase> {};
TEST_P(RenewalOfOtherNames, IsRefused) {
    World world;
    const auto principal = world.by_certificate(world.issue(names_of_a).value());
    EXPECT_EQ(code_of(world.renew(csr(GetParam().wanted, new_key()), principal)), Code::policy);
}
INSTANTIATE_TEST_SUITE_P(
    Authority, RenewalOfOtherNames,
    testing::Values(RefusedCase{"other_subject", {"CN=device b,O=Example", {"dns:a.example", "ip:192.0.2.1"}}},
                    RefusedCase{"case_of_subject", {"CN=Device a,O=Example", {"dns:a.example", "ip:192.0.2.1"}}},
                    RefusedCase{"no_subject", {"", {"dns:a.example", "ip:192.0.2.1"}}},
                    RefusedCase{"more_names", {"CN=device a,O=Example", {"dns:a.example", "ip:192.0.2.1", "dns:b.example"}}},
                    RefusedCase{"fewer_names", {"CN=device a,O=Example", {"dns:a.example"}}},
                    RefusedCase{"other_name", {"CN=device a,O=Example", {"dns:b.example", "ip:192.0.2.1"}}},
                    RefusedCase{"no_names", {"CN=device a,O=Example"}}),
    [](const auto& test) { return test.param.label; });

TEST(Renewal, NeedsACertificateOfThisCaLabelAndProfile) {
    World world;
    world.add_credential("dev");
    const auto request = csr(names_of_a, new_key());
    EXPECT_EQ(code_of(world.renew(request, World::operator_principal())), Code::not_authorised);
    EXPECT_EQ(code_of(world.renew(request, world.by_password("dev"))), Code::not_authorised);
    EXPECT_EQ(code_of(world.renew(request, Principal{})), Code::not_authenticated);

    const auto principal = world.by_certificate(world.issue(names_of_a).value());
    auto other_label = world.request(request, principal, Verb::renew);
    other_label.label = "another label";  // bug class 7
    EXPECT_EQ(code_of(world.ask(other_label)), Code::not_authorised);
    auto foreign = principal;
    foreign.certificate->issued_by_ca.clear();
    foreign.certificate->manufacturer = "acme";
    EXPECT_EQ(code_of(world.renew(request, foreign)), Code::not_authorised);
    auto other_profile = principal;
    other_profile.certificate->profile = "server";
    EXPECT_EQ(code_of(world.renew(request, other_profile)), Code::not_authorised);
    auto other_ca = principal;
    other_ca.certificate->issued_by_ca = "root";
    EXPECT_EQ(code_of(world.renew(request, other_ca)), Code::not_authorised);
}

// A registration authority enrolls for others; renewing is for the holder.
TEST(Renewal, NotForOthersByRegistrationAuthority) {
    World world;
    UnitOfWork work;
    const auto server = world.authority->issue_for_server("server", csr({"", {"dns:ra.example"}}, new_key()), work).value();
    ASSERT_TRUE(world.store->commit(std::move(work)));
    const auto principal = world.by_certificate(server);
    issued(world.enroll(csr(names_of_a, new_key()), principal));
    EXPECT_EQ(code_of(world.renew(csr(names_of_a, new_key()), principal)), Code::not_authorised);
}

TEST(Renewal, InItsTime) {
    World world{[](Profile& p) { p.renew_before_expiry = Seconds{30 * 86400}; }};
    const auto first = world.issue(names_of_a).value();
    const auto principal = world.by_certificate(first);
    const auto request = csr(names_of_a, new_key());
    world.clock.set(first.not_after() - Seconds{30 * 86400} - Seconds{1});
    EXPECT_EQ(code_of(world.renew(request, principal)), Code::policy);
    world.clock.set(first.not_after() - Seconds{30 * 86400});
    issued(world.renew(request, principal));
    world.clock.set(first.not_after());
    issued(world.renew(csr(names_of_a, new_key()), principal));
    world.clock.set(first.not_after() + Seconds{1});
    EXPECT_EQ(code_of(world.renew(csr(names_of_a, new_key()), principal)), Code::not_authorised);
}

TEST(Renewal, AfterExpiryWhereTheProfileAllows) {
    World world{[](Profile& p) { p.renew_after_expiry = Seconds{86400}; }};
    const auto first = world.issue(names_of_a).value();
    const auto principal = world.by_certificate(first);
    world.clock.set(first.not_after() + Seconds{86400});
    issued(world.renew(csr(names_of_a, new_key()), principal));
    world.clock.advance(Seconds{1});
    EXPECT_EQ(code_of(world.renew(csr(names_of_a, new_key()), principal)), Code::not_authorised);
}

TEST(Renewal, ByRevokedCertificateIsRefused) {
    World world;
    const auto first = world.issue(names_of_a).value();
    const auto stale = world.by_certificate(first);  // proved before the revocation
    ASSERT_TRUE(world.revoke(first));
    EXPECT_EQ(code_of(world.prove(first)), Code::not_authorised);
    EXPECT_EQ(code_of(world.renew(csr(names_of_a, new_key()), stale)), Code::not_authorised);
}

// The profile of today decides, not that of the first day.
TEST(Renewal, NamesPassTodaysRules) {
    World world;
    const auto first = world.issue(names_of_a).value();
    world.profiles[0].san.allowed = {x509::GeneralName::Kind::dns};
    world.profiles[0].san.unwanted = Unwanted::drop;
    world.make();
    EXPECT_EQ(code_of(world.renew(csr(names_of_a, new_key()), world.by_certificate(first))), Code::policy);
}

TEST(Renewal, FixedAttributesStay) {
    World world{[](Profile& p) { p.subject.fixed = name("O=Example"); }};
    const auto first = world.issue({"CN=device a"}).value();
    const auto second = issued(world.renew(csr({"CN=device a,O=Example"}, new_key()), world.by_certificate(first)));
    EXPECT_EQ(to_hex(second.certificate.subject().der()), to_hex(first.subject().der()));
}

TEST(Renewal, RepeatedGetsTheSameCertificate) {  // bug class 25
    World world;
    const auto principal = world.by_certificate(world.issue(names_of_a).value());
    const auto request = csr(names_of_a, new_key());
    const auto first = issued(world.renew(request, principal)).certificate;
    const auto again = world.renew(request, principal);
    EXPECT_TRUE(issued(again).repeated);
    EXPECT_EQ(issued(again).certificate, first);
}

// bug class 8
TEST(Renewal, CredentialBesideTheCertificateMustFitToo) {
    World world;
    world.add_credential("a", {}, {"CN=device a,O=Example"});
    world.add_credential("b", {}, {"CN=device b,O=Example"});
    auto principal = world.by_certificate(world.issue(names_of_a).value());
    principal.credential = world.by_password("b").credential;
    EXPECT_EQ(code_of(world.renew(csr(names_of_a, new_key()), principal)), Code::not_authorised);
    principal.credential = world.by_password("a").credential;
    issued(world.renew(csr(names_of_a, new_key()), principal));
}

x509::Attribute change_to(std::string_view subject, const std::vector<std::string>& names) {
    x509::ChangeSubjectName change;
    if (!subject.empty()) change.subject = name(subject);
    change.subject_alt = sans(names);
    return x509::make_change_subject_name(change);
}

TEST(Renewal, ChangeSubjectNameWhereAllowed) {  // RFC 6402 2.8
    World world{[](Profile& p) {
        p.may_change_names = true;
        p.subject.patterns = {"CN=device *,O=Example"};
    }};
    const auto principal = world.by_certificate(world.issue(names_of_a).value());
    auto wanted = names_of_a;
    wanted.attributes = {change_to("CN=device z,O=Example", {"dns:z.example"})};
    const auto made = issued(world.renew(csr(wanted, new_key()), principal)).certificate;
    EXPECT_EQ(made.subject().to_text(), "CN=device z,O=Example");
    EXPECT_EQ(made.subject_alt_names().value(), sans({"dns:z.example"}));
    // An absent subjectAlt takes the names away.
    wanted.attributes = {change_to("CN=device y,O=Example", {})};
    EXPECT_TRUE(issued(world.renew(csr(wanted, new_key()), principal)).certificate.subject_alt_names().value().empty());
    // New names run through the rules.
    wanted.attributes = {change_to("CN=evil", {})};
    EXPECT_EQ(code_of(world.renew(csr(wanted, new_key()), principal)), Code::policy);
    // The request itself still says the current names.
    Wanted direct{"CN=device z,O=Example", {"dns:z.example"}, {}, {change_to("CN=device z,O=Example", {"dns:z.example"})}};
    EXPECT_EQ(code_of(world.renew(csr(direct, new_key()), principal)), Code::policy);
}

TEST(Renewal, ChangeSubjectNameIsRefusedByDefault) {
    World world;
    const auto principal = world.by_certificate(world.issue(names_of_a).value());
    auto wanted = names_of_a;
    wanted.attributes = {change_to("CN=device z,O=Example", {"dns:z.example"})};
    EXPECT_EQ(code_of(world.renew(csr(wanted, new_key()), principal)), Code::policy);
}

}  // namespace
}  // namespace estuary::authority::test
