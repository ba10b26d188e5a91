// Configuration and what is derived from it: profiles, serial numbers, principals, the authority itself.
#include <functional>
#include <set>

#include "estuary/authority/serial.h"
#include "support.h"

namespace estuary::authority::test {
namespace {

class FixedEntropy final : public crypto::Entropy {
public:
    explicit FixedEntropy(std::uint8_t octet) : octet_{octet} {}
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, octet_); }

private:
    std::uint8_t octet_;
};

// bug class 23
TEST(SerialNumber, HasSixteenRandomOctetsBehindTime) {
    FixedEntropy entropy{0xAB};
    EXPECT_EQ(to_hex(make_serial_number(Time{Seconds{0x6920'5CC0}}, entropy)), "34902e60abababababababababababababababab");
    crypto::SystemEntropy random;
    EXPECT_NE(make_serial_number(start, random), make_serial_number(start, random));
}

TEST(SerialNumber, IsPositiveAndAtMostTwentyOctetsAtAllTimes) {
    FixedEntropy entropy{0xFF};
    for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{1}, start.time_since_epoch().count(), std::int64_t{0x7FFF'FFFF},
                                       std::int64_t{0xFFFF'FFFF}, std::int64_t{0x1'FFFF'FFFF}}) {
        const auto serial = make_serial_number(Time{Seconds{seconds}}, entropy);
        ASSERT_FALSE(serial.empty());
        EXPECT_NE(serial[0], 0);
        EXPECT_TRUE(serial.size() < 20 || (serial.size() == 20 && serial[0] < 0x80)) << seconds;
    }
}

TEST(PrincipalTest, IsDescribed) {
    Principal principal;
    EXPECT_TRUE(principal.anonymous());
    EXPECT_EQ(principal.describe(), "anonymous");
    principal.credential = CredentialProof{1, "dev\n1", "basic", {}, {}, {}, {}};
    EXPECT_EQ(principal.describe(), "credential:dev\\x0a1");  // bug class 13
    World world;
    principal.certificate = CertificateProof{world.ca->issuing, "", "acme", "", "", false};
    EXPECT_EQ(principal.describe(), "manufacturer:acme/" + world.ca->issuing.serial_hex() + "+credential:dev\\x0a1");
    principal = World::operator_principal();
    EXPECT_EQ(principal.describe(), "operator");
}

// bug class 22: no field is left out of the digest
TEST(ProfileDigest, EveryFieldCounts) {
    using Change = std::function<void(Profile&)>;
    const std::vector<Change> changes{
        [](Profile& p) { p.name = "x"; },
        [](Profile& p) { p.ca = "x"; },
        [](Profile& p) { p.validity += Seconds{1}; },
        [](Profile& p) { p.backdate += Seconds{1}; },
        [](Profile& p) { p.key_types.push_back("ed448"); },
        [](Profile& p) { p.subject.allowed.clear(); },
        [](Profile& p) { p.subject.required = {x509::oid::common_name}; },
        [](Profile& p) { p.subject.patterns = {"CN=*"}; },
        [](Profile& p) { p.subject.fixed = name("O=x"); },
        [](Profile& p) { p.subject.unwanted = Unwanted::drop; },
        [](Profile& p) { p.subject.may_be_empty = true; },
        [](Profile& p) { p.san.allowed.clear(); },
        [](Profile& p) { p.san.patterns = {"dns:*"}; },
        [](Profile& p) { p.san.required = true; },
        [](Profile& p) { p.san.count_max = 1; },
        [](Profile& p) { p.san.unwanted = Unwanted::drop; },
        [](Profile& p) { p.key_usage = 0; },
        [](Profile& p) { p.ext_key_usage.clear(); },
        [](Profile& p) { p.policies = {x509::oid::any_policy}; },
        [](Profile& p) { p.cps_uri = "http://x"; },
        [](Profile& p) { p.crl_uris = {"http://x"}; },
        [](Profile& p) { p.ocsp_uris = {"http://x"}; },
        [](Profile& p) { p.ca_issuer_uris = {"http://x"}; },
        [](Profile& p) { p.pass_extensions = {x509::oid::tls_feature}; },
        [](Profile& p) { p.other_extensions = Unwanted::refuse; },
        [](Profile& p) { p.manual_approval = true; },
        [](Profile& p) { p.approval_expires += Seconds{1}; },
        [](Profile& p) { p.poll_interval += Seconds{1}; },
        [](Profile& p) { p.may_change_names = true; },
        [](Profile& p) { p.renew_after_expiry += Seconds{1}; },
        [](Profile& p) { p.renew_before_expiry = Seconds{1}; },
        [](Profile& p) { p.ask_for_key_type = false; },
        [](Profile& p) { p.ask_for_san = true; },
        [](Profile& p) { p.ask_for_linking = true; },
        [](Profile& p) { p.csrattrs_template = false; },
    };
    const auto plain = default_device_profile("issuing");
    std::set<std::array<std::uint8_t, 32>> digests{plain.digest()};
    EXPECT_EQ(plain.digest(), default_device_profile("issuing").digest());
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto changed = plain;
        changes[i](changed);
        EXPECT_TRUE(digests.insert(changed.digest()).second) << "change " << i;
    }
}

struct ConfigCase {
    std::string label;
    std::function<void(Config&)> spoil;
};
class BadConfig : public testing::TestWithParam<ConfigCase> {};
TEST_P(BadConfig, IsRefused) {
    World world;
    auto config = world.config();
    GetParam().spoil(config);
    const auto made = Authority::create(std::move(config), *world.store, world.clock, world.entropy);
    ASSERT_FALSE(made);
    EXPECT_FALSE(made.error().detail.empty());
}
INSTANTIATE_TEST_SUITE_P(
    Authority, BadConfig,
    testing::Values(
        ConfigCase{"no_password_key", [](Config& c) { c.password_key = crypto::Secret{}; }},                 // bug class 9
        ConfigCase{"short_password_key", [](Config& c) { c.password_key = crypto::Secret{"short"}; }},       // bug class 9
        ConfigCase{"unknown_ca", [](Config& c) { c.profiles[0].ca = "nowhere"; }},
        ConfigCase{"two_profiles", [](Config& c) { c.profiles.push_back(c.profiles[0]); }},
        ConfigCase{"two_cas", [](Config& c) { c.cas.push_back(c.cas[0]); }},
        ConfigCase{"wrong_ca_key", [](Config& c) { c.cas[0].key = new_key(); }},
        ConfigCase{"no_key_types", [](Config& c) { c.profiles[0].key_types.clear(); }},
        ConfigCase{"unknown_key_type", [](Config& c) { c.profiles[0].key_types = {"p257"}; }},
        ConfigCase{"small_rsa", [](Config& c) { c.profiles[0].key_types = {"rsa1024"}; }},                   // bug class 32
        ConfigCase{"ca_key_usage", [](Config& c) { c.profiles[0].key_usage |= x509::key_cert_sign; }},
        ConfigCase{"pass_basic_constraints", [](Config& c) { c.profiles[0].pass_extensions = {x509::oid::basic_constraints}; }},
        ConfigCase{"pass_sid", [](Config& c) { c.profiles[0].pass_extensions = {der::Oid{"1.3.6.1.4.1.311.25.2"}}; }},  // bug class 4
        ConfigCase{"no_validity", [](Config& c) { c.profiles[0].validity = Seconds{0}; }},
        ConfigCase{"validity_overflow", [](Config& c) { c.profiles[0].validity = Seconds::max(); }},
        ConfigCase{"bad_pattern", [](Config& c) { c.profiles[0].subject.patterns = {"nonsense"}; }},
        ConfigCase{"bad_san_pattern", [](Config& c) { c.profiles[0].san.patterns = {"nonsense"}; }},
        ConfigCase{"nameless_manufacturer", [](Config& c) { c.manufacturers.push_back({}); }}),
    [](const auto& test) { return test.param.label; });

TEST(AuthorityCreate, RefusesCertificateThatIsNoCa) {
    World world;
    const auto key = new_key();
    auto config = world.config();
    config.cas[0].certificate = world.issue({}, key).value();
    config.cas[0].key = key;
    EXPECT_EQ(code_of(Authority::create(std::move(config), *world.store, world.clock, world.entropy)), Code::policy);
}

// bug class 9: with nothing configured nothing is issued
TEST(AuthorityCreate, EmptyConfigurationIssuesNothing) {
    World world;
    Config empty;
    empty.password_key = crypto::Secret{"a server key of more than 16 octets"};
    world.authority = Authority::create(std::move(empty), *world.store, world.clock, world.entropy).value();
    EXPECT_EQ(code_of(world.enroll(csr({}, new_key()), World::operator_principal())), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->authenticate_password("", crypto::Secret{}, "192.0.2.1")), Code::not_authenticated);
    EXPECT_EQ(code_of(world.prove(world.ca->issuing)), Code::not_authorised);
}

TEST(AuthorityCreate, TellsCaCertificates) {
    World world;
    const auto certificates = world.authority->ca_certificates("issuing").value();
    ASSERT_EQ(certificates.size(), 2u);
    EXPECT_EQ(certificates[0], world.ca->issuing);
    EXPECT_EQ(certificates[1], world.ca->root);
    EXPECT_EQ(code_of(world.authority->ca_certificates("other")), Code::not_found);
    EXPECT_EQ(world.authority->profile("other"), nullptr);
    EXPECT_EQ(world.authority->ca("other"), nullptr);
    ASSERT_NE(world.authority->profile("device"), nullptr);
}

}  // namespace
}  // namespace estuary::authority::test
