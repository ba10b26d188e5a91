// [ca.NAME.upstream]: CAs that are another's.
#include "tests/unit/estuaryd/configuration_text.h"

namespace estuary::daemon {
namespace {

using testing::all_faults;
using testing::parse;
using ::testing::HasSubstr;

constexpr std::string_view upstream_configuration = R"([tls]
certificate = "tls.pem"
key = "tls.key"
[profile.device]
key_types = ["p256"]
[cmp]
https = true
[cmp.label.default]
profile = "device"
forward = "nested"
[ca.above]
certificate = "above.pem"
[ca.above.upstream]
url = "http://ca.example:8445"
name = "devices"
certificate = "ra.pem"
key = "ra.key"
)";

TEST(UpstreamConfiguration, IsRead) {
    const auto read = parse(std::string{upstream_configuration} + "profile = \"slow\"\ntimeout = \"7s\"\nconcurrent_max = 9\ntrust = \"trust.pem\"\n");
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& ca = read.configuration->cas.at(0);
    ASSERT_TRUE(ca.upstream.present);
    EXPECT_EQ(ca.upstream.url.host, "ca.example");
    EXPECT_EQ(ca.upstream.name, "devices");
    EXPECT_EQ(ca.upstream.certificate.path, "/data/ra.pem");
    EXPECT_EQ(ca.upstream.key.path, "/data/ra.key");
    EXPECT_EQ(ca.upstream.trust.path, "/data/trust.pem");
    EXPECT_EQ(ca.upstream.profile, "slow");
    EXPECT_EQ(ca.upstream.timeout, std::chrono::seconds{7});
    EXPECT_EQ(ca.upstream.concurrent_max, 9u);
    EXPECT_TRUE(read.configuration->tls.ca.empty()) << "a CA above issues no TLS certificate for this server";
    EXPECT_EQ(read.configuration->cmp.server.labels.at(0).forward, cmp::Forwarding::nested);
}

TEST(UpstreamConfiguration, MayBeReachedWithoutHttp) {
    std::string text{upstream_configuration};
    text.replace(text.find("http://ca.example:8445"), 22, "tcp://ca.example");
    text.erase(text.find("name = \"devices\"\n"), 17);
    const auto read = parse(text);
    ASSERT_TRUE(read.configuration) << all_faults(read);
    EXPECT_EQ(read.configuration->cas.at(0).upstream.url.to_string(), "tcp://ca.example:829");
}

TEST(UpstreamConfiguration, ForwardNeedsACaAbove) {
    const std::string text{upstream_configuration};
    const auto read = parse(text.substr(0, text.find("[ca.above.upstream]")) + "key = \"above.key\"\n");
    EXPECT_FALSE(read.configuration);
    EXPECT_THAT(all_faults(read), HasSubstr("forward is for a profile whose CA has an [upstream] section"));
}

struct UpstreamFault {
    const char* name;
    const char* from;
    const char* to;
    const char* told;
};

class UpstreamConfigurationFault : public ::testing::TestWithParam<UpstreamFault> {};

TEST_P(UpstreamConfigurationFault, IsTold) {
    testing::expect_fault(std::string{upstream_configuration}, GetParam().from, GetParam().to, GetParam().told);
}

INSTANTIATE_TEST_SUITE_P(All, UpstreamConfigurationFault, ::testing::Values(
    UpstreamFault{"no_url", "url = \"http://ca.example:8445\"\n", "", "ca.above.upstream.url: is missing"},
    UpstreamFault{"name_over_tcp", "http://ca.example:8445\"\n", "tcp://ca.example\"\n", "has no names"},
    UpstreamFault{"no_url_at_all", "http://ca.example:8445", "nonsense://", "ca.above.upstream.url"},
    UpstreamFault{"name_beside_a_path", "ca.example:8445", "ca.example:8445/pkix/", "a name belongs behind"},
    UpstreamFault{"no_certificate", "certificate = \"ra.pem\"\n", "", "with id-kp-cmcRA"},
    UpstreamFault{"no_key", "key = \"ra.key\"\n", "", "ca.above.upstream.key: is missing"},
    UpstreamFault{"a_key_here", "certificate = \"above.pem\"", "certificate = \"above.pem\"\nkey = \"above.key\"", "the key is there or here"},
    UpstreamFault{"tls_from_above", "[tls]\n", "[tls]\nca = \"above\"\nhosts = [\"localhost\"]\n", "issues no TLS certificate"},
    UpstreamFault{"keys_made", "forward = \"nested\"", "generate_keys = true", "nothing of this server vouches"},
    UpstreamFault{"keys_that_agree", "forward = \"nested\"", "diffie_hellman = true", "issues no agreement key"},
    UpstreamFault{"unknown_way", "forward = \"nested\"", "forward = \"somehow\"", "not one of"},
    UpstreamFault{"too_many", "name = \"devices\"", "name = \"devices\"\nconcurrent_max = 0", "concurrent_max"}),
    [](const auto& wrong) { return std::string{wrong.param.name}; });

}  // namespace
}  // namespace estuary::daemon
