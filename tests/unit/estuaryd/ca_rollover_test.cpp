#include <gmock/gmock.h>

#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/load.h"
#include "apps/estuaryd/server_certificate.h"
#include "apps/estuaryd/session.h"
#include "estuary/x509/path.h"
#include "tests/unit/estuaryd/installation.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;
using testing::now;
using testing::run;
using testing::TemporaryDirectory;
using ::testing::HasSubstr;

class Rollover : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(run({"init", "--dir", directory, "--name", "Example", "--host", "localhost"}).status, 0);
        old = *read_ca_directory(directory / "ca");
    }
    TemporaryDirectory temporary;
    fs::path directory = temporary.path() / "data";
    CaFiles old;
    ManualClock clock{now};
    crypto::SystemEntropy entropy;
};

x509::PathOptions at_now() {
    x509::PathOptions options;
    options.at = now;
    return options;
}

TEST_F(Rollover, turns_the_link_and_keeps_the_configuration) {
    const auto configuration = testing::read_text(directory / "estuary.toml");
    const auto ran = run({"ca", "rollover", "--dir", directory}, now);
    ASSERT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("kill -HUP"));
    const auto next = read_ca_directory(directory / "ca");
    ASSERT_TRUE(next) << next.error().detail;
    EXPECT_EQ(next->directory.filename(), "ca.2");
    EXPECT_EQ(testing::read_text(directory / "estuary.toml"), configuration);
    EXPECT_NE(next->root, old.root);
    EXPECT_TRUE(fs::exists(directory / "ca.1/root.key")) << "nothing is thrown away";
    // RFC 7030 4.1.3: OldWithNew and NewWithOld; and the former CA, whose certificates still renew.
    ASSERT_EQ(next->rollover.size(), 4u);
    EXPECT_TRUE(same(next->rollover[0].spki(), old.root.spki()));
    EXPECT_TRUE(next->rollover[0].verify_signed_by(*next->root.public_key()));
    EXPECT_TRUE(same(next->rollover[1].spki(), next->root.spki()));
    EXPECT_TRUE(next->rollover[1].verify_signed_by(*old.root.public_key()));
    EXPECT_EQ(next->rollover[2], old.issuing);
    EXPECT_EQ(next->rollover[3], old.root);
}

TEST_F(Rollover, as_many_cas_may_follow_below_as_before_or_as_it_is_said) {
    EXPECT_EQ(old.issuing.path_length(), 0u);
    ASSERT_EQ(run({"ca", "rollover", "--dir", directory, "--path-length", "2"}, now).status, 0);
    EXPECT_EQ(read_ca_directory(directory / "ca")->issuing.path_length(), 2u);
    ASSERT_EQ(run({"ca", "rollover", "--dir", directory}, now).status, 0);
    EXPECT_EQ(read_ca_directory(directory / "ca")->issuing.path_length(), 2u);
    EXPECT_NE(run({"ca", "rollover", "--dir", directory, "--path-length", "-1"}, now).status, 0);
}

TEST_F(Rollover, server_certificate_follows_and_old_anchors_still_verify_it) {
    ASSERT_EQ(run({"ca", "rollover", "--dir", directory}, now).status, 0);
    auto session = open_session(directory);
    ASSERT_TRUE(session);
    Faults faults{"estuary.toml"};
    auto config = load_authority(session->configuration, nullptr, now, faults);
    ASSERT_TRUE(config);
    const auto cas = config->cas;
    const auto authority = authority::Authority::create(std::move(*config), *session->store, clock, entropy);
    ASSERT_TRUE(authority);
    const auto& tls = session->configuration.tls;
    const auto why = why_renew(tls, **authority, nullptr, now);
    ASSERT_TRUE(why && *why);
    EXPECT_THAT(**why, HasSubstr("new certificate"));
    ASSERT_TRUE(issue_server_certificate(tls, **authority, *session->store, nullptr));
    const auto again = why_renew(tls, **authority, nullptr, now);
    EXPECT_TRUE(again && !*again);

    const auto certificate = load_server_certificate(tls, nullptr);
    ASSERT_TRUE(certificate);
    const auto identity = tls_identity(tls, cas, {}, *certificate);
    std::vector<x509::Certificate> sent;
    for (const auto& der : identity.chain) sent.push_back(*x509::Certificate::parse(der));
    const auto end_entity = sent.front();
    sent.erase(sent.begin());
    EXPECT_TRUE(x509::validate_path(end_entity, sent, {old.root}, at_now())) << "who trusts the old root only";
    EXPECT_TRUE(x509::validate_path(end_entity, sent, {cas[0].chain.back()}, at_now())) << "who trusts the new root only";
    // Clients' certificates of both generations.
    EXPECT_EQ(identity.client_anchors, (std::vector<ByteVec>{to_vec(cas[0].certificate.der()), to_vec(old.issuing.der())}));
}

TEST_F(Rollover, twice_keeps_every_former_generation) {
    ASSERT_EQ(run({"ca", "rollover", "--dir", directory}, now).status, 0);
    const auto second = *read_ca_directory(directory / "ca");
    ASSERT_EQ(run({"ca", "rollover", "--dir", directory}, now).status, 0);
    const auto third = *read_ca_directory(directory / "ca");
    EXPECT_EQ(third.directory.filename(), "ca.3");
    for (const auto& former : {old.issuing, second.issuing, old.root, second.root})
        EXPECT_EQ(std::ranges::count(third.rollover, former), 1);
    // From the oldest root to the newest issuing CA by the links alone.
    const auto links = links_to_former_roots(third.root, third.rollover);
    EXPECT_EQ(links.size(), 2u);
    EXPECT_TRUE(x509::validate_path(third.issuing, links, {old.root}, at_now()));
    EXPECT_EQ(run({"check", "--dir", directory}, now).status, 0);
}

TEST_F(Rollover, without_the_old_root_key_changes_nothing) {
    const auto elsewhere = temporary.path() / "root.key";
    fs::rename(directory / "ca/root.key", elsewhere);
    const auto refused = run({"ca", "rollover", "--dir", directory}, now);
    EXPECT_EQ(refused.status, 3);
    EXPECT_THAT(refused.err, HasSubstr("--root-key"));
    EXPECT_EQ(read_ca_directory(directory / "ca")->root, old.root);
    EXPECT_EQ(run({"check", "--dir", directory}, now).status, 0) << "a root's key in a safe is no fault";
    EXPECT_EQ(run({"ca", "rollover", "--dir", directory, "--root-key", elsewhere}, now).status, 0);
}

TEST_F(Rollover, with_another_key_changes_nothing) {
    EXPECT_NE(run({"ca", "rollover", "--dir", directory, "--root-key", directory / "ca/issuing.key"}, now).status, 0);
    EXPECT_EQ(read_ca_directory(directory / "ca")->root, old.root);
}

TEST_F(Rollover, ca_show_prints_fingerprints) {
    const auto shown = run({"ca", "show", "--dir", directory}, now);
    EXPECT_EQ(shown.status, 0);
    EXPECT_THAT(shown.out, HasSubstr(old.root.sha256_fingerprint()));
    EXPECT_EQ(run({"ca", "rollover", "--dir", directory, "--ca", "none"}, now).status, 3);
}

}  // namespace
}  // namespace estuary::daemon
