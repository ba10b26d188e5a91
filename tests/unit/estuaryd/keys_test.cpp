// Keys that are made for others: what the configuration says of them, and the commands for archived and shared ones.
#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "apps/estuaryd/config_keys.h"
#include "apps/estuaryd/session.h"
#include "estuary/base/encoding.h"
#include "tests/unit/estuaryd/configuration_text.h"
#include "tests/unit/estuaryd/installed_suite.h"

namespace estuary::daemon {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view keys_configuration = R"([tls]
hosts = ["localhost"]
[ca.issuing]
directory = "ca"
[profile.device]
key_types = ["p256", "rsa2048"]
)";
constexpr std::string_view label_that_makes_keys = R"([est.label.default]
profile = "device"
serverkeygen = ["basic"]
)";

ReadConfiguration parse_keys(const std::string& more) { return testing::parse(std::string{keys_configuration} + more); }

std::string keys_faults(const std::string& more) { return testing::all_faults(parse_keys(more)); }

TEST(KeysConfiguration, NothingIsOfferedUnlessItIsSaid) {   // bug class 9
    const auto read = parse_keys("[est.label.default]\nprofile = \"device\"\nenroll = [\"basic\"]\n");
    ASSERT_TRUE(read.configuration);
    EXPECT_FALSE(read.configuration->est.labels.at(0).serverkeygen.anything());
    EXPECT_FALSE(makes_keys(*read.configuration, "issuing"));
    EXPECT_TRUE(read.configuration->keys.pool.ready.empty());
    EXPECT_FALSE(read.configuration->profiles.at(0).archive_keys);
}

TEST(KeysConfiguration, SlowKeysOfLabelsThatMakeThemAreKeptReady) {
    const auto read = parse_keys(std::string{label_that_makes_keys});
    ASSERT_TRUE(read.configuration) << keys_faults(std::string{label_that_makes_keys});
    EXPECT_TRUE(makes_keys(*read.configuration, "issuing"));
    EXPECT_FALSE(makes_keys(*read.configuration, "other"));
    EXPECT_EQ(read.configuration->keys.pool.ready, (std::map<std::string, std::size_t>{{"rsa2048", 4}}));
    EXPECT_EQ(read.configuration->keys.pool.threads, 1u);
}

TEST(KeysConfiguration, IsRead) {
    const auto read = parse_keys(std::string{label_that_makes_keys} + "serverkeygen_encrypted = true\n" + R"([keys]
threads = 2
direct_max = 0
[keys.ready]
rsa3072 = 8
[keys.recovery]
agents = "agents.pem"
approvals = 3
operators = ["ann", "bob", "cyd"]
expires = "2d"
)");
    ASSERT_TRUE(read.configuration);
    const auto& keys = read.configuration->keys;
    EXPECT_EQ(keys.pool.ready, (std::map<std::string, std::size_t>{{"rsa3072", 8}}));
    EXPECT_EQ(keys.pool.threads, 2u);
    EXPECT_EQ(keys.pool.direct_max, 0u);
    EXPECT_EQ(keys.recovery_agents.path, "/data/agents.pem");
    EXPECT_EQ(keys.recovery.approvals, 3u);
    EXPECT_EQ(keys.recovery.operators, (std::vector<std::string>{"operator:ann", "operator:bob", "operator:cyd"}));
    EXPECT_EQ(keys.recovery.expires, Seconds{2 * 86400});
    EXPECT_TRUE(read.configuration->est.labels.at(0).serverkeygen_encrypted);
}

TEST(KeysConfiguration, ServerKeysNeedNotSign) {
    auto text = std::string{keys_configuration};
    text.replace(text.find("[profile.device]\n"), 17, "[profile.device]\nserver_key_types = [\"x25519\", \"p384\"]\n");
    const auto read = parse_configuration(text, "/data", "estuary.toml");
    ASSERT_TRUE(read.configuration);
    EXPECT_EQ(read.configuration->profiles.at(0).generated_key_types, (std::vector<std::string>{"x25519", "p384"}));
}

TEST(KeysConfiguration, FaultsAreTold) {
    EXPECT_THAT(keys_faults("[keys.ready]\np256 = 3\n"), HasSubstr("in no time"));
    EXPECT_THAT(keys_faults("[keys.ready]\nrsa1 = 3\n"), HasSubstr("unknown key"));
    EXPECT_THAT(keys_faults("[keys.recovery]\napprovals = 1\noperators = [\"ann\"]\n"), HasSubstr("keys.recovery.agents: is missing"));
    EXPECT_THAT(keys_faults("[keys.recovery]\nagents = \"a.pem\"\noperators = [\"ann\"]\n"), HasSubstr("nobody could recover"));
    EXPECT_THAT(keys_faults("[keys.recovery]\nagents = \"a.pem\"\noperators = [\"ann\", \"ann\"]\n"), HasSubstr("twice"));
    const std::string recovery = "[keys.recovery]\nagents = \"a.pem\"\noperators = [\"ann\", \"bob\"]\n";
    EXPECT_THAT(keys_faults(recovery + "online_agent_certificate = \"a.pem\"\n"), HasSubstr("online_agent_key: is missing"));
    EXPECT_THAT(keys_faults(recovery + "online_agent_key = \"pkcs11:object=agent\"\n"), HasSubstr("online_agent_certificate: is missing"));
    EXPECT_THAT(keys_faults("[keys.recovery]\nagents = \"a.pem\"\noperators = [\"operator:ann\", \"b\"]\n"), HasSubstr("not the name of an account"));
    auto text = std::string{keys_configuration};
    text.replace(text.find("[profile.device]\n"), 17, "[profile.device]\narchive_keys = true\n");
    const auto read = parse_configuration(text, "/data", "estuary.toml");
    ASSERT_EQ(read.faults.size(), 1u);
    EXPECT_THAT(to_string(read.faults[0]), HasSubstr("profile.device.archive_keys: is true, but there is no [keys.recovery]"));
}

class KeyCommands : public testing::InstalledSuite<KeyCommands> {
public:
    static std::string file(const std::string& name, const std::string& text) {
        const auto path = beside(name);
        testing::write_text(path, text);
        std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        return path.string();
    }
};

TEST_F(KeyCommands, SharedKeysAreShownOnceAndKeptSealed) {   // bug class 12
    const auto added = estuaryd({"decrypt-key", "add", "--credential", "dev", "--subject", "CN=dev-*"});
    ASSERT_EQ(added.status, 0) << added.err;
    const auto line = added.out.substr(0, added.out.size() - 1);
    ASSERT_EQ(line.size(), 32u + 1 + 64u) << line;
    const auto identifier = line.substr(0, 32), key = line.substr(33);
    const auto listed = estuaryd({"decrypt-key", "list", "--json"});
    EXPECT_THAT(listed.out, HasSubstr(identifier));
    EXPECT_EQ(listed.out.find(key), std::string::npos);
    EXPECT_THAT(listed.out, HasSubstr("CN=dev-*"));
    EXPECT_THAT(estuaryd({"decrypt-key", "list"}).out, HasSubstr("shared"));
    EXPECT_EQ(estuaryd({"audit", "list", "--json"}).out.find(key), std::string::npos);
    const auto database = testing::read_text(directory() + "/estuary.db");
    EXPECT_EQ(database.find(std::string{as_text(from_hex(key).value())}), std::string::npos);
    EXPECT_EQ(estuaryd({"decrypt-key", "remove", identifier}).status, 0);
    EXPECT_EQ(estuaryd({"decrypt-key", "remove", identifier}).status, 3);
}

TEST_F(KeyCommands, GivenKeysAreChecked) {
    const auto good_line = file("good", "0102:" + std::string(32, 'a') + "\n");
    EXPECT_EQ(estuaryd({"decrypt-key", "add", "--key-file", good_line}).out, "");
    EXPECT_EQ(estuaryd({"decrypt-key", "add", "--key-file", good_line}).status, 3);  // there already
    for (const auto* text : {"0102", "0102:", "0102:aabb", "xy:00112233445566778899aabbccddeeff", ":00112233445566778899aabbccddeeff"})
        EXPECT_NE(estuaryd({"decrypt-key", "add", "--key-file", file("bad", text)}).status, 0) << text;
    EXPECT_NE(estuaryd({"decrypt-key", "add", "--subject", "no pattern"}).status, 0);
    // A CA's certificate cannot be encrypted to.
    const auto refused = estuaryd({"decrypt-key", "add", "--certificate", directory() + "/ca/issuing.pem"});
    EXPECT_THAT(refused.err, HasSubstr("keyEncipherment"));
    EXPECT_EQ(estuaryd({"decrypt-key", "remove", "not hexadecimal"}).status, 1);
}

TEST_F(KeyCommands, RecoveryNeedsAnArchivedKey) {
    store::CertificateRecord record;
    record.ca = "issuing";
    record.serial_number = {0x4A, 0x1F};
    record.der = {0x30, 0x00};
    record.subject = "CN=lost";
    store::ArchivedKey archived;
    archived.agents = "CN=agent";
    archived.envelope = {0x30, 0x00};
    {
        auto session = open_session(directory());
        store::UnitOfWork work;
        work.writes.emplace_back(store::InsertCertificate{record, std::nullopt});
        work.writes.emplace_back(store::ArchiveKey{archived});
        record.serial_number = {0x4A, 0x20};
        work.writes.emplace_back(store::InsertCertificate{record, std::nullopt});
        ASSERT_TRUE(session->store->commit(std::move(work)));
    }
    EXPECT_EQ(estuaryd({"key", "request-recovery", "4a20", "--reason", "x"}).status, 3);
    EXPECT_EQ(estuaryd({"key", "request-recovery", "4a21", "--reason", "x"}).status, 3);
    EXPECT_EQ(estuaryd({"key", "request-recovery", "4a1f"}).status, 2);  // why?
    const auto asked = estuaryd({"key", "request-recovery", "4A:1F", "--reason", "the disk broke"});
    ASSERT_EQ(asked.status, 0) << asked.err;
    EXPECT_EQ(estuaryd({"key", "request-recovery", "4a1f", "--reason", "again"}).status, 3);
    EXPECT_EQ(estuaryd({"key", "approve", "4a1f"}).status, 3);  // not one of the operators, for there are none
    const auto early = estuaryd({"key", "recover", "4a1f"});
    EXPECT_EQ(early.status, 3);
    EXPECT_EQ(early.out, "");
    const auto listed = boost::json::parse(estuaryd({"key", "list", "--json"}).out).as_array();
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].at("state"), "open");
    EXPECT_EQ(listed[0].at("reason"), "the disk broke");
    EXPECT_THAT(estuaryd({"key", "list"}).out, HasSubstr("CN=lost"));
    EXPECT_THAT(estuaryd({"audit", "list"}).out, HasSubstr("key.recovery_requested"));
}

}  // namespace
}  // namespace estuary::daemon
