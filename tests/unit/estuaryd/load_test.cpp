#include <gmock/gmock.h>

#include "apps/estuaryd/load.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/server_certificate.h"
#include "apps/estuaryd/session.h"
#include "estuary/base/file.h"
#include "tests/unit/estuaryd/installation.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;
using testing::now;
using testing::read_text;
using testing::run;
using testing::TemporaryDirectory;
using testing::write_text;
using ::testing::HasSubstr;

class Check : public ::testing::Test {
public:
    static void SetUpTestSuite() {
        whole = std::make_unique<TemporaryDirectory>();
        ASSERT_EQ(run({"init", "--dir", whole->path() / "data", "--host", "localhost"}).status, 0);
    }
    static void TearDownTestSuite() { whole.reset(); }

protected:
    /// A copy to be spoilt.
    void SetUp() override {
        fs::copy(whole->path() / "data", directory, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
        fs::permissions(directory, fs::perms::owner_all);
    }
    /// What check tells.
    std::string faults(Time at = now) {
        const auto checked = run({"check", "--dir", directory}, at);
        EXPECT_EQ(checked.status, 1);
        return checked.err;
    }
    /// The line of estuary.toml on which `text` stands.
    std::string line_of(const std::string& text) const {
        const auto file = read_text(directory / "estuary.toml");
        return "estuary.toml:" + std::to_string(1 + std::count(file.begin(), file.begin() + static_cast<long>(file.find(text)), '\n')) + ": ";
    }

    static inline std::unique_ptr<TemporaryDirectory> whole;
    TemporaryDirectory temporary;
    fs::path directory = temporary.path() / "data";
};

TEST_F(Check, copy_is_good) { EXPECT_EQ(run({"check", "--dir", directory}, now).status, 0); }

TEST_F(Check, key_of_another_certificate) {
    fs::copy_file(directory / "tls/server.key", directory / "ca/issuing.key", fs::copy_options::overwrite_existing);
    EXPECT_THAT(faults(), HasSubstr(line_of("directory = \"ca\"") + "ca.issuing.directory: the key"));
}

TEST_F(Check, chain_of_another_root) {
    ASSERT_EQ(run({"init", "--dir", temporary.path() / "other", "--host", "localhost"}).status, 0);
    fs::copy_file(temporary.path() / "other/ca/root.pem", directory / "ca/root.pem", fs::copy_options::overwrite_existing);
    EXPECT_THAT(faults(), HasSubstr("chain does not verify"));
}

TEST_F(Check, key_that_others_may_read) {
    fs::permissions(directory / "ca/issuing.key", fs::perms::group_read, fs::perm_options::add);
    const auto told = faults();
    EXPECT_THAT(told, HasSubstr("ca.issuing.directory"));
    EXPECT_THAT(told, HasSubstr("issuing.key may be read by others"));
}

TEST_F(Check, directory_that_others_may_enter) {
    fs::permissions(directory, fs::perms::others_exec, fs::perm_options::add);
    EXPECT_THAT(faults(), HasSubstr("may be read by others"));
}

TEST_F(Check, damaged_password_key) {  // bug class 9: a short key would make every password guessable
    write_text(directory / "secrets/password.key", "00\n");
    EXPECT_THAT(faults(), HasSubstr("security.password_key"));
    fs::remove(directory / "secrets/password.key");
    EXPECT_THAT(faults(), HasSubstr("security.password_key"));
}

TEST_F(Check, database_that_is_none) {
    write_text(directory / "estuary.db", "this is not a database, but it is longer than the header of one would be........................");
    fs::remove(directory / "estuary.db-wal");
    EXPECT_THAT(faults(), HasSubstr("database.path"));
    fs::remove(directory / "estuary.db");
    EXPECT_THAT(faults(), HasSubstr("database.path"));
}

TEST_F(Check, missing_files_are_all_told) {
    fs::remove(directory / "ca/issuing.pem");
    auto text = read_text(directory / "estuary.toml");
    write_text(directory / "estuary.toml", text + "blocked_keys = \"none.txt\"\n[manufacturer.acme]\nanchors = \"none.pem\"\n");
    const auto told = faults();
    EXPECT_THAT(told, HasSubstr("ca.issuing.directory"));
    EXPECT_THAT(told, HasSubstr("security.blocked_keys"));
    EXPECT_THAT(told, HasSubstr("manufacturer.acme.anchors"));
}

TEST_F(Check, ca_expiry_is_seen_before_and_after) {  // bug class 37
    const auto near = run({"check", "--dir", directory}, now + Seconds{(10 * 365 - 30) * 86400LL});
    EXPECT_THAT(near.err, HasSubstr("warning: "));
    EXPECT_THAT(near.err, HasSubstr("ca rollover"));
    EXPECT_THAT(faults(now + Seconds{11 * 365 * 86400LL}), HasSubstr("chain does not verify"));
}

class ServerCertificateDue : public Check {
protected:
    void SetUp() override {
        Check::SetUp();
        auto opened = open_session(directory);
        ASSERT_TRUE(opened);
        session.emplace(std::move(*opened));
        Faults told{"estuary.toml"};
        auto config = load_authority(session->configuration, nullptr, now, told);
        ASSERT_TRUE(config);
        authority = std::move(*authority::Authority::create(std::move(*config), *session->store, clock, entropy));
    }
    std::optional<std::string> why(Time at = now) {
        auto reason = why_renew(session->configuration.tls, *authority, nullptr, at);
        EXPECT_TRUE(reason) << reason.error().detail;
        return reason ? *reason : std::optional<std::string>{};
    }

    ManualClock clock{now};
    crypto::SystemEntropy entropy;
    std::optional<Session> session;
    std::unique_ptr<authority::Authority> authority;
};

TEST_F(ServerCertificateDue, in_its_last_third) {  // bug class 37
    EXPECT_FALSE(why());
    EXPECT_FALSE(why(now + Seconds{59 * 86400}));
    EXPECT_TRUE(why(now + Seconds{61 * 86400}));
    EXPECT_TRUE(why(now + Seconds{400 * 86400})) << "also long after it expired";
}

TEST_F(ServerCertificateDue, when_hosts_change) {
    session->configuration.tls.hosts = {"dns:localhost", "dns:new.example"};
    ASSERT_TRUE(why());
    ASSERT_TRUE(issue_server_certificate(session->configuration.tls, *authority, *session->store, nullptr));
    EXPECT_FALSE(why());
}

TEST_F(ServerCertificateDue, when_files_are_damaged_or_torn) {
    fs::copy_file(directory / "ca/root.key", directory / "tls/server.key", fs::copy_options::overwrite_existing);
    EXPECT_TRUE(why()) << "a fall between two renames";
    fs::remove(directory / "tls/server.pem");
    EXPECT_TRUE(why());
    ASSERT_TRUE(issue_server_certificate(session->configuration.tls, *authority, *session->store, nullptr));
    EXPECT_FALSE(why());
}

TEST_F(ServerCertificateDue, never_in_place_of_one_that_an_operator_brought) {
    const TemporaryDirectory elsewhere;
    ASSERT_EQ(run({"init", "--dir", elsewhere.path() / "other", "--name", "Other"}, now).status, 0);
    for (const auto* file : {"tls/server.pem", "tls/server.key"})
        fs::copy_file(elsewhere.path() / "other" / file, directory / file, fs::copy_options::overwrite_existing);
    const auto reason = why_renew(session->configuration.tls, *authority, nullptr, now + Seconds{400 * 86400});
    ASSERT_FALSE(reason);
    EXPECT_THAT(reason.error().detail, HasSubstr("was not issued by [ca.issuing]"));
}

TEST_F(ServerCertificateDue, new_one_has_a_new_key_and_is_on_record) {
    const auto before = load_server_certificate(session->configuration.tls, nullptr);
    ASSERT_TRUE(issue_server_certificate(session->configuration.tls, *authority, *session->store, nullptr));
    const auto after = load_server_certificate(session->configuration.tls, nullptr);
    ASSERT_TRUE(before && after);
    EXPECT_FALSE(same(before->key.public_key().spki(), after->key.public_key().spki()));
    const auto record = session->store->certificate("issuing", after->chain.front().serial_number());  // bug class 24
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->requester, "operator");
}

TEST(Passphrase, order_of_sources) {
    const TemporaryDirectory temporary;
    const auto write = [&](const char* name, std::string_view text) {
        EXPECT_TRUE(file::write_atomically(temporary.path() / name, as_bytes(text), file::Access::owner_only));
        return (temporary.path() / name).string();
    };
    const auto option = write("option", "from the option\n");
    const FileName configured{write("configured", "from the file\r\n"), {}};
    ::unsetenv("CREDENTIALS_DIRECTORY");
    const auto none = passphrase("");
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->has_value());
    EXPECT_EQ((*passphrase("", configured))->reveal_text(), "from the file");
    ::setenv("CREDENTIALS_DIRECTORY", temporary.path().c_str(), 1);
    EXPECT_EQ((*passphrase("", configured))->reveal_text(), "from the file") << "no such credential";
    write("estuary-passphrase", "from systemd");
    EXPECT_EQ((*passphrase("", configured))->reveal_text(), "from systemd");
    EXPECT_EQ((*passphrase(option, configured))->reveal_text(), "from the option");
    EXPECT_FALSE(passphrase((temporary.path() / "absent").string()));
    write("empty", "\n");
    EXPECT_FALSE(passphrase((temporary.path() / "empty").string()));
    ::unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace estuary::daemon
