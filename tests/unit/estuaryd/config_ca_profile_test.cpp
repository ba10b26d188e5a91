// Profiles for the certificates of other CAs, and who may name them.
#include "configuration_text.h"
#include "estuary/x509/name_constraints.h"

namespace estuary::daemon {
namespace {

using testing::all_faults;
using testing::parse;

const std::string sub_ca = R"([profile.sub-ca]
ca_certificate = true
manual_approval = true
key_types = ["p256"]
)";

const std::string cross_label = R"([cmp]
listen = ["127.0.0.1:8445"]
[cmp.label.default]
profile = "device"
)";

TEST(CaProfileConfiguration, IsRead) {
    const auto read = parse(testing::least_configuration() + sub_ca + R"(path_length = 2
[profile.sub-ca.name_constraints]
permitted = ["dns:example.com", "ip:192.0.2.0/24"]
excluded = ["dns:secret.example.com"]
)" + cross_label + "cross_certification = \"sub-ca\"\n");
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& profiles = read.configuration->profiles;
    const auto profile = std::ranges::find(profiles, "sub-ca", &authority::Profile::name);
    ASSERT_NE(profile, profiles.end());
    ASSERT_TRUE(profile->ca_certificate);
    EXPECT_EQ(profile->ca_certificate->path_length, 2u);
    ASSERT_TRUE(profile->ca_certificate->name_constraints);
    EXPECT_EQ(x509::name_subtree_text(profile->ca_certificate->name_constraints->permitted.at(1)), "ip:192.0.2.0/24");
    EXPECT_EQ(profile->ca_certificate->name_constraints->excluded.size(), 1u);
    EXPECT_EQ(read.configuration->cmp.server.labels.front().cross_certification, "sub-ca");
    EXPECT_FALSE(std::ranges::find(profiles, "device", &authority::Profile::name)->ca_certificate);
}

TEST(CaProfileConfiguration, TheLeastGivesNoCaBelowTheOther) {
    const auto read = parse(testing::least_configuration() + sub_ca);
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto profile = std::ranges::find(read.configuration->profiles, "sub-ca", &authority::Profile::name);
    EXPECT_EQ(profile->ca_certificate->path_length, 0u);
    EXPECT_FALSE(profile->ca_certificate->name_constraints);
    EXPECT_TRUE(parse(testing::least_configuration() + cross_label).configuration->cmp.server.labels.front().cross_certification.empty());
}

struct CaProfileFault {
    std::string name, text, key, message;
};
class CaProfileConfigurationFault : public ::testing::TestWithParam<CaProfileFault> {};
/// Every river's labels are among them (bug classes 4, 7).
TEST_P(CaProfileConfigurationFault, IsTold) {
    const auto read = parse(testing::least_configuration() + GetParam().text);
    EXPECT_FALSE(read.configuration);
    const auto told = std::ranges::any_of(read.faults, [](const Fault& fault) {
        return fault.place.line != 0 && fault.place.key == GetParam().key && fault.message.find(GetParam().message) != std::string::npos;
    });
    EXPECT_TRUE(told) << all_faults(read);
}
INSTANTIATE_TEST_SUITE_P(
    All, CaProfileConfigurationFault,
    ::testing::Values(
        CaProfileFault{"without_a_person", "[profile.x]\nca_certificate = true\nkey_types = [\"p256\"]\n", "profile.x.manual_approval", "must be true"},
        CaProfileFault{"key_usage", sub_ca + "key_usage = [\"digitalSignature\"]\n", "profile.sub-ca.key_usage", "end entities"},
        CaProfileFault{"ext_key_usage", sub_ca + "ext_key_usage = [\"clientAuth\"]\n", "profile.sub-ca.ext_key_usage", "end entities"},
        CaProfileFault{"passed", sub_ca + "pass_extensions = [\"1.2.3.4\"]\n", "profile.sub-ca.pass_extensions", "end entities"},
        CaProfileFault{"made_keys", sub_ca + "server_key_types = [\"p256\"]\n", "profile.sub-ca.server_key_types", "end entities"},
        CaProfileFault{"archived_keys", sub_ca + "archive_keys = true\n", "profile.sub-ca.archive_keys", "end entities"},
        CaProfileFault{"renewal", sub_ca + "renew_after_expiry = \"1d\"\n", "profile.sub-ca.renew_after_expiry", "not renewed"},
        CaProfileFault{"path_length", sub_ca + "path_length = -1\n", "profile.sub-ca.path_length", "0 to 16"},
        CaProfileFault{"nothing_constrained", sub_ca + "[profile.sub-ca.name_constraints]\n", "profile.sub-ca.name_constraints", "constrains nothing"},
        CaProfileFault{"no_subtree", sub_ca + "[profile.sub-ca.name_constraints]\npermitted = [\"example.com\"]\n", "profile.sub-ca.name_constraints.permitted",
                       "is not a subtree"},
        CaProfileFault{"empty_subject", sub_ca + "[profile.sub-ca.subject]\nmay_be_empty = true\n", "profile.sub-ca.subject.may_be_empty", "a CA has a name"},
        CaProfileFault{"fixed_subject", sub_ca + "[profile.sub-ca.subject]\nfixed = \"O=Example\"\n", "profile.sub-ca.subject.fixed", "certified as it is"},
        CaProfileFault{"length_of_an_end_entity", "[profile.x]\nkey_types = [\"p256\"]\npath_length = 1\n", "profile.x.path_length", "goes with ca_certificate"},
        CaProfileFault{"constraints_of_an_end_entity", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.name_constraints]\npermitted = [\"dns:a.example\"]\n",
                       "profile.x.name_constraints", "goes with ca_certificate"},
        CaProfileFault{"est", sub_ca + "[est.label.x]\nprofile = \"sub-ca\"\n", "est.label.x.profile", "is for CAs"},
        CaProfileFault{"cmc", sub_ca + "[cmc.label.x]\nprofile = \"sub-ca\"\npath = \"/cmc\"\n", "cmc.label.x.profile", "is for CAs"},
        CaProfileFault{"cmp", sub_ca + "[cmp]\nhttps = true\n[cmp.label.x]\nprofile = \"sub-ca\"\n", "cmp.label.x.profile", "is for CAs"},
        CaProfileFault{"cmp_more", sub_ca + cross_label + "more_profiles = [\"sub-ca\"]\n", "cmp.label.default.more_profiles", "is for CAs"},
        CaProfileFault{"cross_by_another", cross_label + "cross_certification = \"device\"\n", "cmp.label.default.cross_certification", "for end entities"},
        CaProfileFault{"cross_by_none", cross_label + "cross_certification = \"none\"\n", "cmp.label.default.cross_certification", "there is no [profile.none]"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace estuary::daemon
