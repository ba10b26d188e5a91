#include "estuary/base/encoding.h"
#include "estuary/x509/distribution_point.h"
#include "estuary/x509/path.h"
#include "support.h"

namespace estuary::authority::test {
namespace {

CaPlan plan(std::string_view type = "p256") {
    CaPlan made;
    made.organisation_name = "Test";
    made.key_type = type;
    return made;
}

struct Made {
    NewCa ca;
    UnitOfWork work;
};
Made make(const CaPlan& wanted, const Clock& clock) {
    crypto::SystemEntropy entropy;
    UnitOfWork work;
    auto ca = make_ca(wanted, clock, entropy, work);
    EXPECT_TRUE(ca) << ca.error().detail;
    return {std::move(ca).value(), std::move(work)};
}

class CeremonyKeys : public testing::TestWithParam<std::string> {};
TEST_P(CeremonyKeys, MakeAChainThatVerifies) {
    ManualClock clock{start};
    const auto made = make(plan(GetParam()), clock);
    const auto& [root_key, issuing_key, root, issuing] = made.ca;
    EXPECT_EQ(root.subject().to_text(), "CN=Test Root CA");
    EXPECT_EQ(issuing.subject().to_text(), "CN=Test Issuing CA");
    EXPECT_TRUE(root.is_ca() && issuing.is_ca());
    EXPECT_EQ(root.key_usage(), x509::key_cert_sign | x509::crl_sign);
    EXPECT_EQ(x509::parse_basic_constraints(x509::find(issuing.extensions(), x509::oid::basic_constraints)->value).value().path_length, 0u);
    EXPECT_EQ(issuing.authority_key_id(), root.subject_key_id());
    EXPECT_EQ(root.not_after() - root.not_before(), Seconds{20 * 365 * 86400LL - 1});  // bug class 21
    EXPECT_TRUE(same(issuing.spki(), issuing_key.public_key().spki()));
    EXPECT_TRUE(root.verify_signed_by(root_key.public_key()));
    EXPECT_TRUE(x509::validate_path(issuing, {}, {root}, {.at = start, .required_ext_key_usage = {}}));
    EXPECT_EQ(made.work.writes.size(), 3u);  // both certificates and the audit trail's line
}
INSTANTIATE_TEST_SUITE_P(Authority, CeremonyKeys, testing::Values("p256", "p384", "ed25519", "rsa3072"),
                         [](const auto& test) { return test.param; });

TEST(Ceremony, TheIssuingCaMayHaveOthersBelow) {
    ManualClock clock{start};
    auto wanted = plan();
    wanted.path_length = 2;
    const auto made = make(wanted, clock);
    EXPECT_EQ(made.ca.issuing.path_length(), 2u);
    EXPECT_FALSE(made.ca.root.path_length());
}

TEST(Ceremony, NamesAreEscapedAndChecked) {
    ManualClock clock{start};
    auto odd = plan();
    odd.organisation_name = "A, B+C \"D\"=#1";
    EXPECT_EQ(make(odd, clock).ca.root.subject().values(x509::oid::common_name), std::vector<std::string>{"A, B+C \"D\"=#1 Root CA"});
    crypto::SystemEntropy entropy;
    UnitOfWork work;
    odd.organisation_name.clear();
    EXPECT_EQ(code_of(make_ca(odd, clock, entropy, work)), Code::policy);
    odd.organisation_name = std::string(200, 'x');  // past the upper bound of RFC 5280 A.1
    EXPECT_FALSE(make_ca(odd, clock, entropy, work));
    auto no_such_key = plan("p257");
    EXPECT_EQ(code_of(make_ca(no_such_key, clock, entropy, work)), Code::unsupported);
    EXPECT_TRUE(work.empty());
}

TEST(Ceremony, IssuingCaEndsWithItsRoot) {
    ManualClock clock{start};
    auto wanted = plan();
    wanted.issuing_validity = wanted.root_validity + Seconds{86400};
    const auto made = make(wanted, clock);
    EXPECT_EQ(made.ca.issuing.not_after(), made.ca.root.not_after());
}

// RFC 7030 4.1.3, RFC 4210 4.4
TEST(Ceremony, RolloverLinksBothWays) {
    ManualClock clock{start};
    crypto::SystemEntropy entropy;
    const auto old = make(plan(), clock);
    clock.advance(Seconds{15 * 365 * 86400LL});
    UnitOfWork work;
    const auto rolled = roll_over(plan(), old.ca.root, old.ca.root_key, clock, entropy, work);
    ASSERT_TRUE(rolled) << rolled.error().detail;
    EXPECT_EQ(work.writes.size(), 5u);
    EXPECT_EQ(rolled->next.root.subject().to_text(), "CN=Test Root CA G2");
    EXPECT_EQ(rolled->next.issuing.subject().to_text(), "CN=Test Issuing CA G2");
    EXPECT_TRUE(same(rolled->old_with_new.spki(), old.ca.root.spki()));
    EXPECT_TRUE(same(rolled->new_with_old.spki(), rolled->next.root.spki()));
    EXPECT_EQ(rolled->old_with_new.not_before(), old.ca.root.not_before());
    EXPECT_EQ(rolled->old_with_new.not_after(), old.ca.root.not_after());
    EXPECT_EQ(rolled->new_with_old.not_before(), rolled->next.root.not_before());
    EXPECT_EQ(rolled->new_with_old.not_after(), old.ca.root.not_after());
    // Who trusts the new root reaches what the old one certified, and the other way round.
    const x509::PathOptions now{.at = clock.now(), .required_ext_key_usage = {}, .anchors_may_be_intermediates = false};
    EXPECT_TRUE(x509::validate_path(rolled->next.issuing, {rolled->new_with_old}, {old.ca.root}, now));
    EXPECT_TRUE(x509::validate_path(rolled->old_with_new, {}, {rolled->next.root}, now));
    EXPECT_TRUE(x509::validate_path(rolled->next.issuing, {}, {rolled->next.root}, now));
    EXPECT_FALSE(x509::validate_path(rolled->next.issuing, {}, {old.ca.root}, now));

    // The third generation follows the second.
    UnitOfWork more;
    const auto third = roll_over(plan(), rolled->next.root, rolled->next.root_key, clock, entropy, more);
    EXPECT_EQ(third.value().next.root.subject().to_text(), "CN=Test Root CA G3");
}

TEST(Ceremony, CertificatesSayWhereTheListAndTheCertificateOfTheirRootAre) {  // RFC 5280 4.2.1.13, 4.2.2.1
    ManualClock clock{start};
    crypto::SystemEntropy entropy;
    auto wanted = plan();
    const auto old = make(wanted, clock);
    EXPECT_EQ(x509::find(old.ca.issuing.extensions(), x509::oid::crl_distribution_points), nullptr) << "nobody said where";
    wanted.root_crl_uris = {"http://pki.example/crl/root-{key}.crl"};
    wanted.root_certificate_uris = {"http://pki.example/ca/root-{key}.cer"};
    UnitOfWork work;
    const auto rolled = roll_over(wanted, old.ca.root, old.ca.root_key, clock, entropy, work).value();
    const auto points_at = [](const x509::Certificate& certificate, const x509::Certificate& root) {
        const auto base = "root-" + to_hex(*root.subject_key_id());
        const auto lists = x509::crl_uris(certificate.extensions()).value();
        const auto access = x509::authority_info_access(certificate.extensions()).value();
        return lists == std::vector{"http://pki.example/crl/" + base + ".crl"} &&
               access.ca_issuer_uris == std::vector{"http://pki.example/ca/" + base + ".cer"} && access.ocsp_uris.empty();
    };
    EXPECT_TRUE(points_at(rolled.next.issuing, rolled.next.root));
    EXPECT_TRUE(points_at(rolled.old_with_new, rolled.next.root)) << "who signs a certificate lists it";
    EXPECT_TRUE(points_at(rolled.new_with_old, old.ca.root));
    EXPECT_EQ(x509::find(rolled.next.root.extensions(), x509::oid::crl_distribution_points), nullptr) << "an anchor is not revoked by a list";
}

TEST(Ceremony, RolloverWithTheWrongKeyOrTooLate) {
    ManualClock clock{start};
    crypto::SystemEntropy entropy;
    const auto old = make(plan(), clock);
    UnitOfWork work;
    EXPECT_EQ(code_of(roll_over(plan(), old.ca.root, old.ca.issuing_key, clock, entropy, work)), Code::bad_key);
    clock.set(old.ca.root.not_after() + Seconds{1});
    EXPECT_EQ(code_of(roll_over(plan(), old.ca.root, old.ca.root_key, clock, entropy, work)), Code::policy);
    EXPECT_TRUE(work.empty());
}

}  // namespace
}  // namespace estuary::authority::test
