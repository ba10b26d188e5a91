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

TEST(UpstreamConfiguration, BatchesAndOriginalsAreRead) {
    std::string text{upstream_configuration};
    const std::string forward = "forward = \"nested\"";
    text.replace(text.find(forward), forward.size(), "forward = \"replaced\"\noriginal = false\nbatch_max = 60\nbatch_linger_ms = 7\nbatch_bytes_max = 20000");
    const auto read = parse(text);
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& label = read.configuration->cmp.server.labels.at(0);
    EXPECT_FALSE(label.original);
    EXPECT_EQ(label.batch_max, 60u);
    EXPECT_EQ(label.batch_linger, std::chrono::milliseconds{7});
    EXPECT_EQ(label.batch_bytes_max, 20000u);
    EXPECT_GE(read.configuration->worker_threads, 61u) << "each of them waits on a thread";
    const auto without = parse(upstream_configuration);
    ASSERT_TRUE(without.configuration) << all_faults(without);
    EXPECT_TRUE(without.configuration->cmp.server.labels.at(0).original);
    EXPECT_EQ(without.configuration->cmp.server.labels.at(0).batch_max, 1u);
    EXPECT_EQ(without.configuration->worker_threads, 0u);
}

struct UpstreamFault {
    const char* name;
    const char* from;
    const char* to;
    const char* told;
};

TEST(UpstreamConfiguration, ABatchNeedsThreads) {
    std::string text = "[server]\nworker_threads = 2\n" + std::string{upstream_configuration};
    EXPECT_TRUE(parse(text).configuration);
    text.replace(text.find("forward = \"nested\""), 18, "forward = \"nested\"\nbatch_max = 2");
    EXPECT_THAT(all_faults(parse(text)), HasSubstr("3 or more, or leave it out"));
}

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
    UpstreamFault{"passphrases", "forward = \"nested\"", "revocation_passphrases = true", "issues no agreement key"},
    UpstreamFault{"keys_that_agree", "forward = \"nested\"", "diffie_hellman = true", "issues no agreement key"},
    UpstreamFault{"unknown_way", "forward = \"nested\"", "forward = \"somehow\"", "not one of"},
    UpstreamFault{"original_of_what", "forward = \"nested\"", "forward = \"nested\"\noriginal = true", "original: goes with forward"},
    UpstreamFault{"batch_of_what", "forward = \"nested\"", "batch_max = 2", "batch_max: is for a label with forward"},
    UpstreamFault{"large_batch", "forward = \"nested\"", "forward = \"nested\"\nbatch_max = 65", "it takes 1 to 64"},
    UpstreamFault{"slow_batch", "forward = \"nested\"", "forward = \"nested\"\nbatch_max = 2\nbatch_linger_ms = 1001", "it takes 0 to 1000"},
    UpstreamFault{"too_many", "name = \"devices\"", "name = \"devices\"\nconcurrent_max = 0", "concurrent_max"}),
    [](const auto& wrong) { return std::string{wrong.param.name}; });

}  // namespace
}  // namespace estuary::daemon
