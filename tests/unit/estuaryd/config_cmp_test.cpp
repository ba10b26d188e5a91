// [cmp] and its labels.
#include <gmock/gmock.h>

#include "apps/estuaryd/config.h"

namespace estuary::daemon {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view good = R"([tls]
hosts = ["localhost"]
[ca.issuing]
directory = "ca"
[profile.device]
key_types = ["p256"]
[manufacturer.acme]
anchors = "acme.pem"
[cmp]
listen = ["127.0.0.1:8445"]
[cmp.label.default]
profile = "device"
)";

ReadConfiguration parse(const std::string& text) { return parse_configuration(text, "/data", "estuary.toml"); }

std::string all_faults(const ReadConfiguration& read) {
    std::string text;
    for (const auto& fault : read.faults) text += to_string(fault) + "\n";
    return text;
}

TEST(CmpConfiguration, LabelWithoutEnrollLetsNobodyIn) {   // bug class 9
    const auto read = parse(std::string{good});
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& label = read.configuration->cmp.server.labels.at(0);
    EXPECT_EQ(label.name, "");
    EXPECT_FALSE(label.shared_secret || label.certificate_of_ours || label.registration_authority || label.generate_keys);
    EXPECT_FALSE(label.unprotected_information || label.ca_pubs);
    EXPECT_TRUE(label.manufacturers.empty());
    EXPECT_EQ(label.requests_max, 1u);
}

TEST(CmpConfiguration, AbsentMeansThatItIsNotSpoken) {
    const auto text = std::string{good};
    const auto read = parse(text.substr(0, text.find("[cmp]")));
    ASSERT_TRUE(read.configuration) << all_faults(read);
    EXPECT_FALSE(read.configuration->cmp.present);
}

TEST(CmpConfiguration, EverythingIsRead) {
    const auto read = parse(std::string{good} + R"(more_profiles = ["device"]
enroll = ["secret", "certificate", "registration authority", "manufacturer:acme"]
update = false
confirm_wait = "7m"
requests_max = 3
generate_keys = true
[cmp.label.line7]
path = "l7"
profile = "device"
)");
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& label = read.configuration->cmp.server.labels.at(0);
    EXPECT_TRUE(label.shared_secret && label.certificate_of_ours && label.registration_authority && label.generate_keys);
    EXPECT_EQ(label.manufacturers, std::vector<std::string>{"acme"});
    EXPECT_FALSE(label.update);
    EXPECT_EQ(label.confirm_wait, Seconds{420});
    EXPECT_EQ(label.requests_max, 3u);
    EXPECT_EQ(read.configuration->cmp.server.labels.at(1).name, "l7");
}

struct CmpFault {
    std::string name, from, to, message;
};
class CmpConfigurationFault : public testing::TestWithParam<CmpFault> {};

TEST_P(CmpConfigurationFault, IsTold) {
    auto text = std::string{good};
    const auto at = text.find(GetParam().from);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, GetParam().from.size(), GetParam().to);
    const auto read = parse(text);
    EXPECT_FALSE(read.configuration);
    EXPECT_THAT(all_faults(read), HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(Section, CmpConfigurationFault, testing::Values(
    CmpFault{"nowhere", "listen = [\"127.0.0.1:8445\"]\n", "", "is missing: say where CMP is spoken"},
    CmpFault{"no_label", "[cmp.label.default]\nprofile = \"device\"\n", "", "CMP needs a label"},
    CmpFault{"unknown_profile", "[cmp.label.default]\nprofile = \"device\"", "[cmp.label.default]\nprofile = \"none\"", "there is no [profile.none]"},
    CmpFault{"unknown_proof", "[cmp.label.default]\n", "[cmp.label.default]\nenroll = [\"basic\"]\n", "'basic' is not one of"},
    CmpFault{"unknown_manufacturer", "[cmp.label.default]\n", "[cmp.label.default]\nenroll = [\"manufacturer:x\"]\n", "there is no [manufacturer.x]"},
    CmpFault{"path_of_two", "[cmp.label.default]\n", "[cmp.label.default]\npath = \"a/b\"\n", "is not one segment"},
    CmpFault{"legacy_path", "[cmp]\n", "[cmp]\nlegacy_paths = [\"pkix\"]\n", "does not begin with a path"},
    CmpFault{"legacy_label", "[cmp]\n", "[cmp]\nlegacy_paths = [\"/pkix=x\"]\n", "there is no enabled label"},
    CmpFault{"signer", "[cmp]\n", "[cmp]\nsigner = \"x\"\n", "is not one of: own, ca"},
    CmpFault{"reserved_profile", "[profile.device]", "[profile.\"estuaryd-cmp:x\"]\n[profile.device]", "estuaryd's own profile"},
    CmpFault{"same_path", "[cmp.label.default]\n", "[cmp.label.x]\npath = \"\"\nprofile = \"device\"\n[cmp.label.default]\n", "another label's path"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace estuary::daemon
