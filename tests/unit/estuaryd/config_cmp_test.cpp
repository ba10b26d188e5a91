// [cmp] and its labels.
#include "tests/unit/estuaryd/configuration_text.h"

namespace estuary::daemon {
namespace {

using testing::all_faults;
using testing::one_ca_and_profile;
using testing::parse;
using ::testing::HasSubstr;

std::string cmp_configuration() {
    return std::string{one_ca_and_profile} + R"([manufacturer.acme]
anchors = "acme.pem"
[cmp]
listen = ["127.0.0.1:8445"]
[cmp.label.default]
profile = "device"
)";
}

TEST(CmpConfiguration, LabelWithoutEnrollLetsNobodyIn) {   // bug class 9
    const auto read = parse(cmp_configuration());
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& label = read.configuration->cmp.server.labels.at(0);
    EXPECT_EQ(label.name, "");
    EXPECT_FALSE(label.shared_secret || label.certificate_of_ours || label.registration_authority || label.generate_keys);
    EXPECT_FALSE(label.unprotected_information || label.ca_pubs);
    EXPECT_FALSE(label.kem_protection || label.diffie_hellman || label.approve_revocations || label.revocation_passphrases);
    EXPECT_FALSE(label.agreement_proof);
    EXPECT_FALSE(cmp::needs_agreement_key(label));
    EXPECT_TRUE(label.manufacturers.empty());
    EXPECT_EQ(label.requests_max, 1u);
}

TEST(CmpConfiguration, AbsentMeansThatItIsNotSpoken) {
    const auto text = cmp_configuration();
    const auto read = parse(text.substr(0, text.find("[cmp]")));
    ASSERT_TRUE(read.configuration) << all_faults(read);
    EXPECT_FALSE(read.configuration->cmp.present);
}

TEST(CmpConfiguration, EverythingIsRead) {
    const auto read = parse(cmp_configuration() + R"(more_profiles = ["device"]
enroll = ["secret", "certificate", "registration authority", "manufacturer:acme"]
update = false
confirm_wait = "7m"
requests_max = 3
generate_keys = true
kem_protection = true
diffie_hellman = true
agreement_proof = true
revocation_passphrases = true
passphrase_lifetime = "90d"
manual_approval_of_revocation = true
[cmp.label.line7]
path = "l7"
profile = "device"
)");
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& label = read.configuration->cmp.server.labels.at(0);
    EXPECT_TRUE(label.shared_secret && label.certificate_of_ours && label.registration_authority && label.generate_keys);
    EXPECT_EQ(label.manufacturers, std::vector<std::string>{"acme"});
    EXPECT_TRUE(label.kem_protection && label.diffie_hellman && label.approve_revocations && label.revocation_passphrases);
    EXPECT_TRUE(label.agreement_proof);
    EXPECT_EQ(label.passphrase_lifetime, Seconds{90 * 86400});
    EXPECT_FALSE(label.update);
    EXPECT_EQ(label.confirm_wait, Seconds{420});
    EXPECT_EQ(label.requests_max, 3u);
    EXPECT_EQ(read.configuration->cmp.server.labels.at(1).name, "l7");
}

struct CmpFault {
    std::string name, from, to, message;
};
class CmpConfigurationFault : public ::testing::TestWithParam<CmpFault> {};

TEST_P(CmpConfigurationFault, IsTold) {
    testing::expect_fault(cmp_configuration(), GetParam().from, GetParam().to, GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(Section, CmpConfigurationFault, ::testing::Values(
    CmpFault{"nowhere", "listen = [\"127.0.0.1:8445\"]\n", "", "is missing: say where CMP is spoken"},
    CmpFault{"no_label", "[cmp.label.default]\nprofile = \"device\"\n", "", "CMP needs a label"},
    CmpFault{"unknown_profile", "[cmp.label.default]\nprofile = \"device\"", "[cmp.label.default]\nprofile = \"none\"", "there is no [profile.none]"},
    CmpFault{"unknown_proof", "[cmp.label.default]\n", "[cmp.label.default]\nenroll = [\"basic\"]\n", "'basic' is not one of"},
    CmpFault{"unknown_manufacturer", "[cmp.label.default]\n", "[cmp.label.default]\nenroll = [\"manufacturer:x\"]\n", "there is no [manufacturer.x]"},
    CmpFault{"path_of_two", "[cmp.label.default]\n", "[cmp.label.default]\npath = \"a/b\"\n", "is not one segment"},
    CmpFault{"legacy_path", "[cmp]\n", "[cmp]\nlegacy_paths = [\"pkix\"]\n", "does not begin with a path"},
    CmpFault{"legacy_label", "[cmp]\n", "[cmp]\nlegacy_paths = [\"/pkix=x\"]\n", "there is no enabled label"},
    CmpFault{"signer", "[cmp]\n", "[cmp]\nsigner = \"x\"\n", "is not one of: own, ca"},
    CmpFault{"agreement_key", "[cmp]\n", "[cmp]\nagreement_key_type = \"ed25519\"\n", "is not one of: p256, p384, p521, x25519, x448"},
    CmpFault{"passphrases_for_nothing", "[cmp.label.default]\n", "[cmp.label.default]\nrevoke = false\nrevocation_passphrases = true\n", "is for a label with revoke"},
    CmpFault{"reserved_profile", "[profile.device]", "[profile.\"estuaryd-cmp:x\"]\n[profile.device]", "estuaryd's own profile"},
    CmpFault{"same_path", "[cmp.label.default]\n", "[cmp.label.x]\npath = \"\"\nprofile = \"device\"\n[cmp.label.default]\n", "another label's path"}),
    [](const auto& test) { return test.param.name; });

TEST(CmpConfiguration, PortsOverTcpHaveALabelEach) {
    auto text = cmp_configuration();
    text.replace(text.find("listen = [\"127.0.0.1:8445\"]"), 27, "tcp_listen = [\"*:829\", \"127.0.0.1:830=l7\"]");   // HTTP is not needed beside it
    const auto read = parse(text + "[cmp.label.line7]\npath = \"l7\"\nprofile = \"device\"\n");
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& cmp = read.configuration->cmp;
    EXPECT_TRUE(cmp.listen.empty());
    ASSERT_EQ(cmp.tcp_listen.size(), 2u);
    EXPECT_EQ(to_string(cmp.tcp_listen[0].listen), "*:829");
    EXPECT_EQ(cmp.tcp_listen[0].label, "");
    EXPECT_EQ(to_string(cmp.tcp_listen[1].listen), "127.0.0.1:830");
    EXPECT_EQ(cmp.tcp_listen[1].label, "l7");
}

TEST(CmpConfiguration, TcpIsOffUnlessItIsAskedFor) {
    const auto read = parse(cmp_configuration());
    ASSERT_TRUE(read.configuration) << all_faults(read);
    EXPECT_TRUE(read.configuration->cmp.tcp_listen.empty());
}

TEST(CmpConfiguration, PortsOverTcpWithoutALabelAreFaults) {
    for (const std::string value : {"*:829=none", "*:829=line7", "*", "*:829=", "nowhere:829"}) {
        auto text = cmp_configuration();
        text.replace(text.find("[cmp.label.default]"), 0, "tcp_listen = [\"" + value + "\"]\n");
        const auto read = parse(text + "[cmp.label.line7]\nenabled = false\nprofile = \"device\"\n");
        if (value == "*:829=") {   // the default label has the empty path
            EXPECT_TRUE(read.configuration) << all_faults(read);
        } else {
            EXPECT_FALSE(read.configuration) << value;
            EXPECT_THAT(all_faults(read), HasSubstr("tcp_listen")) << value;
        }
    }
}

}  // namespace
}  // namespace estuary::daemon
