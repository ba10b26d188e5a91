#include <gmock/gmock.h>

#include <sys/stat.h>

#include "apps/estuaryd/load.h"
#include "estuary/base/file.h"
#include "estuary/x509/path.h"
#include "tests/unit/estuaryd/installation.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;
using testing::read_text;
using testing::run;
using testing::TemporaryDirectory;
using testing::write_text;
using ::testing::HasSubstr;

unsigned mode_of(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

/// The first certificate of a file: tls/server.pem holds its chain too.
x509::Certificate certificate_in(const fs::path& path) {
    return x509::parse_certificates(as_bytes(read_text(path))).value().at(0);
}

TEST(Init, makes_an_installation_that_check_finds_good) {
    const TemporaryDirectory temporary;
    const auto directory = (temporary.path() / "data").string();
    const auto made = run({"init", "--dir", directory, "--name", "Example", "--host", "est.example", "--host", "192.0.2.1"});
    ASSERT_EQ(made.status, 0) << made.err;
    const auto root = certificate_in(directory + "/ca/root.pem");
    EXPECT_THAT(made.out, HasSubstr(root.sha256_fingerprint()));
    EXPECT_THAT(made.out, HasSubstr("mv " + directory + "/ca/root.key"));
    EXPECT_EQ(root.subject().to_text(), "CN=Example Root CA");
    for (const auto* key : {"ca/root.key", "ca/issuing.key", "tls/server.key", "secrets/password.key", "estuary.db"})
        EXPECT_EQ(mode_of(fs::path{directory} / key), 0600u) << key;
    EXPECT_EQ(mode_of(directory), 0700u);
    EXPECT_FALSE(fs::is_symlink(directory + "/ca/root.key")) << "mv would move the link only";
    const auto checked = run({"check", "--dir", directory});
    EXPECT_EQ(checked.status, 0) << checked.err;
    EXPECT_EQ(checked.err, "");
    // Nothing is left beside it.
    EXPECT_EQ(std::distance(fs::directory_iterator{temporary.path()}, fs::directory_iterator{}), 1);
}

TEST(Init, server_certificate_is_for_the_hosts_and_verifies) {
    const TemporaryDirectory temporary;
    const auto directory = temporary.path() / "data";
    ASSERT_EQ(run({"init", "--dir", directory, "--host", "est.example", "--host", "192.0.2.1"}).status, 0);
    const auto server = certificate_in(directory / "tls/server.pem");
    const auto names = server.subject_alt_names();
    ASSERT_TRUE(names);
    ASSERT_EQ(names->size(), 2u);
    EXPECT_EQ((*names)[0].to_text(), "dns:est.example");
    EXPECT_EQ((*names)[1].to_text(), "ip:192.0.2.1");
    EXPECT_TRUE(server.has_ext_key_usage(x509::oid::kp_server_auth));
    EXPECT_TRUE(server.has_ext_key_usage(x509::oid::kp_cmc_ra));  // RFC 7030 3.6.1
    x509::PathOptions options;
    options.at = server.not_before() + Seconds{3600};
    const auto path = x509::validate_path(server, {certificate_in(directory / "ca/issuing.pem")},
                                          {certificate_in(directory / "ca/root.pem")}, options);
    EXPECT_TRUE(path) << path.error().detail;
}

TEST(Init, never_overwrites_an_installation) {
    const TemporaryDirectory temporary;
    const auto directory = (temporary.path() / "data").string();
    ASSERT_EQ(run({"init", "--dir", directory}).status, 0);
    const auto before = testing::snapshot(temporary.path());
    const auto again = run({"init", "--dir", directory});
    EXPECT_EQ(again.status, 3);
    EXPECT_THAT(again.err, HasSubstr("already"));
    EXPECT_EQ(testing::snapshot(temporary.path()), before);
}

TEST(Init, changes_nothing_where_anything_is) {
    const TemporaryDirectory temporary;
    fs::create_directory(temporary.path() / "other");
    write_text(temporary.path() / "other/thesis.txt", "years of work");
    write_text(temporary.path() / "file", "x");
    fs::create_symlink("nowhere", temporary.path() / "dangling");
    const auto before = testing::snapshot(temporary.path());
    for (const auto* target : {"other", "file", "dangling"}) {
        const auto refused = run({"init", "--dir", temporary.path() / target});
        EXPECT_EQ(refused.status, 3) << target;
        EXPECT_THAT(refused.err, HasSubstr("nothing was changed"));
    }
    EXPECT_EQ(testing::snapshot(temporary.path()), before);
}

TEST(Init, fills_an_empty_directory) {
    const TemporaryDirectory temporary;
    const auto directory = temporary.path() / "data";
    fs::create_directory(directory);
    ASSERT_EQ(run({"init", "--dir", directory}).status, 0);
    EXPECT_EQ(mode_of(directory), 0700u);
    EXPECT_EQ(run({"check", "--dir", directory}).status, 0);
}

TEST(Init, encrypts_every_key_by_the_passphrase) {
    const TemporaryDirectory temporary;
    const auto directory = temporary.path() / "data";
    const auto passphrase = temporary.path() / "passphrase";
    ASSERT_TRUE(file::write_atomically(passphrase, as_bytes("correct horse\n"), file::Access::owner_only));
    const auto made = run({"init", "--dir", directory, "--passphrase-file", passphrase});
    ASSERT_EQ(made.status, 0) << made.err;
    for (const auto* key : {"ca/root.key", "ca/issuing.key", "tls/server.key"})
        EXPECT_THAT(read_text(directory / key), ::testing::StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----")) << key;
    EXPECT_EQ(run({"check", "--dir", directory}).status, 0) << "estuary.toml names the file";
    write_text(passphrase, "wrong\n");
    EXPECT_EQ(run({"check", "--dir", directory}).status, 1);
}

TEST(Init, passphrase_that_others_may_read_is_refused) {
    const TemporaryDirectory temporary;
    const auto passphrase = temporary.path() / "passphrase";
    ASSERT_TRUE(file::write_atomically(passphrase, as_bytes("open secret\n"), file::Access::everyone_reads));
    EXPECT_EQ(run({"init", "--dir", temporary.path() / "data", "--passphrase-file", passphrase}).status, 3);
    EXPECT_FALSE(fs::exists(temporary.path() / "data"));
}

struct WrongOption {
    std::string name, option, value;
};
class InitOption : public ::testing::TestWithParam<WrongOption> {};
TEST_P(InitOption, is_refused_before_anything_is_made) {
    const TemporaryDirectory temporary;
    const auto made = run({"init", "--dir", temporary.path() / "data", GetParam().option, GetParam().value});
    EXPECT_NE(made.status, 0);
    EXPECT_TRUE(fs::is_empty(temporary.path()));
}
INSTANTIATE_TEST_SUITE_P(Wrong, InitOption,
                         ::testing::Values(WrongOption{"key_type", "--key-type", "rsa512"}, WrongOption{"host", "--host", "a b"},
                                           WrongOption{"name", "--name", ""}, WrongOption{"control", "--name", "a\nb"},
                                           WrongOption{"passphrase", "--passphrase-file", "/nonexistent"}),
                         [](const auto& test) { return test.param.name; });

TEST(Init, other_key_types) {
    const TemporaryDirectory temporary;
    for (const auto* type : {"p384", "ed25519"}) {
        const auto directory = temporary.path() / type;
        const auto made = run({"init", "--dir", directory, "--key-type", type});
        ASSERT_EQ(made.status, 0) << type << made.err;
        EXPECT_EQ(run({"check", "--dir", directory}).status, 0) << type;
    }
}

}  // namespace
}  // namespace estuary::daemon
