// [cmc] and its labels.
#include "tests/unit/estuaryd/configuration_text.h"

namespace estuary::daemon {
namespace {

using testing::all_faults;
using testing::one_ca_and_profile;
using testing::parse;
using ::testing::HasSubstr;

std::string cmc_configuration() {
    return std::string{one_ca_and_profile} + R"([manufacturer.acme]
anchors = "acme.pem"
[est.label.line7]
profile = "device"
[cmc]
[cmc.label.line7]
profile = "device"
)";
}

TEST(CmcConfiguration, LabelWithoutAcceptLetsNobodyIn) {  // bug class 9
    const auto read = parse(cmc_configuration());
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& endpoint = read.configuration->cmc.server.endpoints.at(0);
    EXPECT_EQ(endpoint.label, "line7");
    EXPECT_FALSE(endpoint.certificate || endpoint.registration_authority || endpoint.shared_secret || endpoint.transport);
    EXPECT_FALSE(endpoint.revocation_by_secret || endpoint.witnesses.sha1 || endpoint.publish_trust_anchors);
    EXPECT_TRUE(endpoint.pop_link_required && endpoint.manufacturers.empty());
    EXPECT_TRUE(read.configuration->cmc.paths.empty());
    EXPECT_FALSE(read.configuration->est.labels.at(0).fullcmc);
}

TEST(CmcConfiguration, AbsentMeansThatItIsNotSpoken) {
    const auto text = cmc_configuration();
    const auto read = parse(text.substr(0, text.find("[cmc]")));
    ASSERT_TRUE(read.configuration) << all_faults(read);
    EXPECT_FALSE(read.configuration->cmc.present);
}

TEST(CmcConfiguration, EverythingIsRead) {
    const auto read = parse(cmc_configuration() + R"(accept = ["secret", "certificate", "registration authority", "transport", "manufacturer:acme"]
ra_labels = ["line7", "default"]
path = "/cmc/line7"
fullcmc = true
pop_link_required = false
ra_may_prove_possession = false
challenge_possession = false
revocation_by_secret = true
key_reuse = false
publish_trust_anchors = true
sha1_witnesses = true
confirm_within = "7m"
signing_time_tolerance = "1h"
)");
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& endpoint = read.configuration->cmc.server.endpoints.at(0);
    EXPECT_TRUE(endpoint.certificate && endpoint.registration_authority && endpoint.shared_secret && endpoint.transport);
    EXPECT_EQ(endpoint.manufacturers, std::vector<std::string>{"acme"});
    EXPECT_EQ(endpoint.ra_labels, (std::vector<std::string>{"line7", ""}));
    EXPECT_FALSE(endpoint.pop_link_required || endpoint.ra_may_prove_possession || endpoint.challenge_possession || endpoint.key_reuse);
    EXPECT_TRUE(endpoint.revocation_by_secret && endpoint.publish_trust_anchors && endpoint.witnesses.sha1);
    EXPECT_EQ(endpoint.confirm_within, Seconds{420});
    EXPECT_EQ(endpoint.signing_time_tolerance, Seconds{3600});
    EXPECT_EQ(read.configuration->cmc.paths.at(0).path, "/cmc/line7");
    EXPECT_TRUE(read.configuration->est.labels.at(0).fullcmc);
}

struct CmcFault {
    std::string name, text, message;
};
class CmcConfigurationFault : public ::testing::TestWithParam<CmcFault> {};

TEST_P(CmcConfigurationFault, IsTold) {
    const auto read = parse(cmc_configuration() + GetParam().text);
    EXPECT_FALSE(read.configuration);
    EXPECT_THAT(all_faults(read), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(All, CmcConfigurationFault, ::testing::Values(
    CmcFault{"word", "accept = [\"password\"]\n", "'password' is not one of: certificate, registration authority"},
    CmcFault{"manufacturer", "accept = [\"manufacturer:globex\"]\n", "there is no [manufacturer.globex]"},
    CmcFault{"key", "acept = []\n", "did you mean 'accept'?"},
    CmcFault{"relative_path", "path = \"cmc\"\n", "is not a path of your own"},
    CmcFault{"well_known_path", "path = \"/.well-known/est\"\n", "is not a path of your own"},
    CmcFault{"health_path", "path = \"/healthz\"\n", "is not a path of your own"},
    CmcFault{"path_twice", "path = \"/cmc\"\n[cmc.label.b]\nprofile = \"device\"\npath = \"/cmc\"\n", "is another label's path too"},
    CmcFault{"profile", "[cmc.label.b]\nprofile = \"printer\"\n", "there is no [profile.printer]"},
    CmcFault{"no_profile", "[cmc.label.b]\n", "is missing: say which profile"},
    CmcFault{"no_est_label", "[cmc.label.b]\nprofile = \"device\"\nfullcmc = true\n", "there is no label of EST with the path 'b'"},
    CmcFault{"closed_path", "enabled = false\npath = \"/cmc\"\n", "has a path, but is not enabled"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace estuary::daemon
