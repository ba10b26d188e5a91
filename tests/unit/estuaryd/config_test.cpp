#include "tests/unit/estuaryd/configuration_text.h"

namespace estuary::daemon {
namespace {

using testing::all_faults;
using testing::least_configuration;
using testing::parse;
using ::testing::HasSubstr;

TEST(Configuration, reads_the_least_and_fills_in_the_rest) {
    const auto read = parse(least_configuration());
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& configuration = *read.configuration;
    ASSERT_EQ(configuration.listen.size(), 1u);
    EXPECT_EQ(to_string(configuration.listen[0]), "127.0.0.1:8443");
    EXPECT_EQ(configuration.tls.ca, "issuing");
    EXPECT_EQ(configuration.tls.certificate.path, "/data/tls/server.pem");
    EXPECT_EQ(configuration.database.path, "/data/estuary.db");
    EXPECT_EQ(configuration.profiles.at(0).ca, "issuing");
    EXPECT_FALSE(configuration.metrics);
}

TEST(Configuration, label_without_enroll_lets_nobody_in) {  // bug class 9
    const auto read = parse(least_configuration());
    ASSERT_TRUE(read.configuration);
    const auto& label = read.configuration->est.labels.at(0);
    EXPECT_EQ(label.name, "");
    for (const auto* allowed : {&label.enroll, &label.renew}) {
        EXPECT_FALSE(allowed->basic || allowed->digest || allowed->certificate_of_ours);
        EXPECT_TRUE(allowed->manufacturers.empty());
    }
}

TEST(Configuration, new_installation_is_read_without_a_fault) {
    const auto text = new_configuration_text({"Ex \"ample\"", {"localhost", "::1", "est.example"}, "p384", "/etc/pass"});
    const auto read = parse(text);
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& configuration = *read.configuration;
    EXPECT_EQ(configuration.tls.hosts, (std::vector<std::string>{"dns:localhost", "ip:::1", "dns:est.example"}));
    EXPECT_EQ(configuration.tls.key_type, "p384");
    EXPECT_EQ(configuration.security.passphrase_file.path, "/etc/pass");
    ASSERT_EQ(configuration.est.labels.size(), 2u);
    EXPECT_TRUE(configuration.est.labels[0].enroll.basic);
    EXPECT_TRUE(configuration.est.labels[0].renew.certificate_of_ours);
    EXPECT_FALSE(configuration.est.labels[0].enroll.digest);
}

TEST(Configuration, new_installation_says_what_the_device_profile_is) {
    const auto read = parse(new_configuration_text({"x", {"localhost"}, "p256", ""}));
    ASSERT_TRUE(read.configuration) << all_faults(read);
    EXPECT_EQ(read.configuration->profiles.at(0).digest(), authority::default_device_profile("issuing").digest());
}

/// The commented keys are lessons too: none of them may be wrong.
TEST(Configuration, new_installation_with_every_commented_key_is_good) {
    auto text = new_configuration_text({"x", {"localhost"}, "p256", ""});
    std::string uncommented;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        auto line = text.substr(at, end - at);
        if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.erase(0, 1);
        uncommented += line + "\n";
        at = end + 1;
    }
    const auto read = parse(uncommented);
    ASSERT_TRUE(read.configuration) << all_faults(read) << uncommented;
    EXPECT_TRUE(read.configuration->metrics);
    EXPECT_EQ(read.configuration->manufacturers.size(), 1u);
}

TEST(Configuration, certificates_of_manufacturers_are_checked_softly_unless_it_says_otherwise) {
    const auto read = parse(least_configuration() + "[manufacturer.a]\nanchors = \"a.pem\"\n[manufacturer.b]\nanchors = \"b.pem\"\n"
                                                "check_status = \"hard\"\ncheck_addresses = \"any\"\n");
    ASSERT_TRUE(read.configuration) << all_faults(read);
    const auto& [a, b] = std::tie(read.configuration->manufacturers[0], read.configuration->manufacturers[1]);
    EXPECT_EQ(a.check_status, ocsp::PeerCheck::soft);
    EXPECT_TRUE(a.public_addresses_only);
    EXPECT_EQ(b.check_status, ocsp::PeerCheck::hard);
    EXPECT_FALSE(b.public_addresses_only);
}

TEST(Configuration, server_profile_gives_no_registration_authority) {
    const auto read = parse(new_configuration_text({"x", {"localhost"}, "p256", ""}));
    ASSERT_TRUE(read.configuration);
    for (const auto& profile : read.configuration->profiles)
        EXPECT_EQ(std::ranges::count(profile.ext_key_usage, x509::oid::kp_cmc_ra), 0) << profile.name;
}

TEST(Configuration, all_faults_are_told_at_once_in_the_order_of_the_file) {
    const auto read = parse(least_configuration() + "[log]\nlevel = 7\n[server]\nlisten = [\"nowhere\"]\nlimit = 1\n");
    EXPECT_FALSE(read.configuration);
    ASSERT_EQ(read.faults.size(), 3u) << all_faults(read);
    EXPECT_EQ(read.faults[0].place.line, 10u);
    EXPECT_EQ(read.faults[1].place.line, 12u);
    EXPECT_EQ(read.faults[2].place.line, 13u);
}

struct FaultCase {
    std::string name;
    std::string text;     ///< appended to least_configuration(), whose last line is 8
    unsigned line;
    std::string key, message;
};
class ConfigurationFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(ConfigurationFault, is_told_with_its_line) {
    const auto& wanted = GetParam();
    const auto read = parse(least_configuration() + wanted.text);
    EXPECT_FALSE(read.configuration);
    for (const auto& fault : read.faults) {
        if (fault.place.line != wanted.line || fault.place.key != wanted.key) continue;
        EXPECT_THAT(fault.message, HasSubstr(wanted.message));
        return;
    }
    ADD_FAILURE() << all_faults(read);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, ConfigurationFault,
    ::testing::Values(
        FaultCase{"syntax", "[log\n", 9, "", "column"},
        FaultCase{"twice", "[profile.device]\n", 9, "", "column"},
        FaultCase{"unknown_section", "[logs]\n", 9, "logs", "did you mean 'log'"},
        FaultCase{"unknown_key", "linking_requird = true\n", 9, "est.label.default.linking_requird", "did you mean 'linking_required'"},
        FaultCase{"unknown_far", "[log]\nzzzzzzzz = 1\n", 10, "log.zzzzzzzz", "known here: level"},
        FaultCase{"section_is_a_value", "[est.label]\nx = 1\n", 10, "est.label.x", "takes a table"},
        FaultCase{"not_a_number", "[server]\nio_threads = \"2\"\n", 10, "server.io_threads", "takes a number"},
        FaultCase{"past_a_limit", "[server.limits]\nbody_bytes_max = 1\n", 10, "server.limits.body_bytes_max", "4096 to"},
        FaultCase{"not_a_duration", "[server.limits]\nidle_timeout = \"long\"\n", 10, "server.limits.idle_timeout", "not a duration"},
        FaultCase{"over_a_day", "[server.limits]\nidle_timeout = \"2d\"\n", 10, "server.limits.idle_timeout", "longer than a day"},
        FaultCase{"port", "[server]\nlisten = [\"127.0.0.1:99999\"]\n", 10, "server.listen", "not an address and port"},
        FaultCase{"bare_ipv6", "[server]\nlisten = [\n\"::1:8443\"]\n", 11, "server.listen", "not an address and port"},
        FaultCase{"host_name_to_listen", "[server]\nlisten = [\"example.com:8443\"]\n", 10, "server.listen", "not an IP address"},
        FaultCase{"control_character", "[est]\nrealm = \"a\\u0007b\"\n", 10, "est.realm", "control"},
        FaultCase{"realm_with_quote", "[est]\nrealm = \"a\\\"b\"\n", 10, "est.realm", "quotes"},
        FaultCase{"list_of_numbers", "enroll = [1]\n", 9, "est.label.default.enroll", "a number in a list of texts"},
        FaultCase{"unknown_proof", "enroll = [\"kerberos\"]\n", 9, "est.label.default.enroll", "not one of: certificate"},
        FaultCase{"unknown_manufacturer", "enroll = [\"manufacturer:acme\"]\n", 9, "est.label.default.enroll", "no [manufacturer.acme]"},
        FaultCase{"both_of_one", "enroll = [\"basic\"]\nenroll_needs = \"certificate and password\"\n", 10, "est.label.default.enroll_needs", "asks for both"},
        FaultCase{"label_of_no_profile", "[est.label.x]\nprofile = \"none\"\n", 10, "est.label.x.profile", "no [profile.none]"},
        FaultCase{"label_without_profile", "[est.label.x]\nenabled = true\n", 9, "est.label.x.profile", "is missing"},
        FaultCase{"label_like_an_operation", "[est.label.simpleenroll]\nprofile = \"device\"\n", 9, "est.label.simpleenroll.path", "name of an operation"},
        FaultCase{"label_with_slash", "[est.label.x]\nprofile = \"device\"\npath = \"a/b\"\n", 11, "est.label.x.path", "one segment"},
        FaultCase{"label_twice", "[est.label.x]\nprofile = \"device\"\npath = \"\"\n", 11, "est.label.x.path", "another label's"},
        FaultCase{"profile_of_no_ca", "[profile.x]\nkey_types = [\"p256\"]\nca = \"none\"\n", 9, "profile.x.ca", "no [ca.none]"},
        FaultCase{"profile_reserved", "[profile.estuaryd]\nkey_types = [\"p256\"]\n", 9, "profile.estuaryd", "choose another"},
        FaultCase{"no_key_types", "[profile.x]\nvalidity = \"1d\"\n", 9, "profile.x.key_types", "is missing"},
        FaultCase{"unknown_key_type", "[profile.x]\nkey_types = [\"p257\"]\n", 10, "profile.x.key_types", "p257"},
        FaultCase{"ca_key_usage", "[profile.x]\nkey_types = [\"p256\"]\nkey_usage = [\"keyCertSign\"]\n", 11, "profile.x.key_usage", "for CAs"},
        FaultCase{"unknown_eku", "[profile.x]\nkey_types = [\"p256\"]\next_key_usage = [\"teaAuth\"]\n", 11, "profile.x.ext_key_usage", "teaAuth"},
        // bug class 4
        FaultCase{"passes_basic_constraints", "[profile.x]\nkey_types = [\"p256\"]\npass_extensions = [\"2.5.29.19\"]\n", 11, "profile.x.pass_extensions", "for the CA to decide"},
        FaultCase{"attribute_type", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.subject]\nallowed = [\"Colour\"]\n", 12, "profile.x.subject.allowed", "Colour"},
        FaultCase{"attribute_injection", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.subject]\nallowed = [\"CN=a,O\"]\n", 12, "profile.x.subject.allowed", "not an attribute type"},
        FaultCase{"required_not_allowed", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.subject]\nallowed = [\"CN\"]\nrequired = [\"O\"]\n", 13, "profile.x.subject.required", "'allowed' does not have"},
        FaultCase{"fixed_subject", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.subject]\nfixed = \"nonsense\"\n", 12, "profile.x.subject.fixed", ""},
        FaultCase{"nobody_named", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.subject]\nmay_be_empty = true\n", 9, "profile.x.subject.may_be_empty", "would name nobody"},
        FaultCase{"san_kind", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.san]\nallowed = [\"phone\"]\n", 12, "profile.x.san.allowed", "phone"},
        FaultCase{"san_pattern", "[profile.x]\nkey_types = [\"p256\"]\n[profile.x.san]\npatterns = [\"ip:300.0.0.0/8\"]\n", 12, "profile.x.san.patterns", ""},
        FaultCase{"unwanted", "[profile.x]\nkey_types = [\"p256\"]\nother_extensions = \"keep\"\n", 11, "profile.x.other_extensions", "not one of: refuse, drop"},
        FaultCase{"renewal_window", "[profile.x]\nkey_types = [\"p256\"]\nvalidity = \"10d\"\nrenew_before_expiry = \"10d\"\n", 12, "profile.x.renew_before_expiry", "not shorter"},
        FaultCase{"two_cas_one_nameless_profile", "[ca.second]\ndirectory = \"ca2\"\n", 5, "profile.device.ca", "several CAs"},
        FaultCase{"ca_of_nothing", "[ca.second]\n", 9, "ca.second.certificate", "is missing"},
        FaultCase{"ca_without_key", "[ca.second]\ncertificate = \"x.pem\"\n", 9, "ca.second.key", "is missing"},
        FaultCase{"ca_of_both", "[ca.second]\ndirectory = \"ca2\"\nkey = \"x.key\"\n", 10, "ca.second.directory", "beside single files"},
        FaultCase{"manufacturer", "[manufacturer.acme]\n", 9, "manufacturer.acme.anchors", "is missing"},
        FaultCase{"manufacturer_check", "[manufacturer.acme]\nanchors = \"a.pem\"\ncheck_status = \"often\"\n", 11, "manufacturer.acme.check_status", "not one of: off, soft, hard"},
        FaultCase{"manufacturer_addresses", "[manufacturer.acme]\nanchors = \"a.pem\"\ncheck_addresses = \"mine\"\n", 11, "manufacturer.acme.check_addresses", "not one of: public, any"},
        FaultCase{"empty_file_name", "[database]\npath = \"\"\n", 10, "database.path", "is empty"},
        FaultCase{"log_level", "[log]\nlevel = \"loud\"\n", 10, "log.level", "not a log level"},
        FaultCase{"slow_hashes", "[security]\nslow_hashes_max = 0\n", 10, "security.slow_hashes_max", "1 to 64"}),
    [](const auto& test) { return test.param.name; });

struct HostFault {
    std::string name, hosts;
};
class ConfigurationHost : public ::testing::TestWithParam<HostFault> {};
TEST_P(ConfigurationHost, is_refused) {
    auto text = least_configuration();
    text.replace(text.find("\"localhost\""), 11, GetParam().hosts);
    const auto read = parse(text);
    ASSERT_FALSE(read.faults.empty());
    for (const auto& fault : read.faults) {
        EXPECT_EQ(fault.place.line, 2u) << all_faults(read);
        EXPECT_EQ(fault.place.key, "tls.hosts") << all_faults(read);
    }
}
INSTANTIATE_TEST_SUITE_P(Hosts, ConfigurationHost,
                         ::testing::Values(HostFault{"none", ""}, HostFault{"url", "\"https://x\""}, HostFault{"mail", "\"a@b\""},
                                           HostFault{"blank", "\"a b\""}),
                         [](const auto& test) { return test.param.name; });

TEST(Configuration, without_a_ca_says_so) {
    const auto read = parse("[tls]\nhosts = [\"localhost\"]\n");
    EXPECT_THAT(all_faults(read), HasSubstr("ca: is missing"));
}

TEST(Listen, text_and_value) {
    const std::vector<std::pair<std::string, std::string>> same{{"127.0.0.1:8443", "127.0.0.1:8443"}, {"[::1]:1", "[::1]:1"},
                                                                {"*:443", "*:443"},                   {":443", "*:443"},
                                                                {"localhost:0", "127.0.0.1:0"}};
    for (const auto& [text, shown] : same) {
        const auto listen = parse_listen(text);
        ASSERT_TRUE(listen) << text;
        EXPECT_EQ(to_string(*listen), shown);
    }
    for (const auto* text : {"", "8443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80"})
        EXPECT_FALSE(parse_listen(text)) << text;
}

}  // namespace
}  // namespace estuary::daemon
