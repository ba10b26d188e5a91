// estuaryd cert revoke, cert release, crl publish, crl show; keys of [status]; expiry.
#include <boost/json.hpp>

#include "apps/estuaryd/expiry.h"
#include "apps/estuaryd/status_config.h"
#include "estuary/base/encoding.h"
#include "tests/unit/estuaryd/configuration_text.h"
#include "tests/unit/estuaryd/status_fixture.h"

namespace estuary::daemon {
namespace {

using testing::StatusInstallation;
using ::testing::HasSubstr;
using ::testing::Not;

class StatusCommands : public ::testing::Test {
protected:
    testing::Ran estuaryd(std::vector<std::string> words, Seconds later = Seconds{0}) {
        words.insert(words.end(), {"--dir", installation.directory()});
        return testing::run(std::move(words), StatusInstallation::start + later);
    }
    std::string root_file() const {
        return crl_file_name(root_base(installation.generation->authority->ca("issuing")->chain.back()), 0, false);
    }
    x509::RevocationList root_list() const {
        return x509::RevocationList::from_bytes(file::read(installation.file("crl/" + root_file())).value()).value();
    }
    StatusInstallation installation;
};

TEST_F(StatusCommands, revoke_says_what_follows) {
    const auto serial = to_hex(installation.issue());
    const auto done = estuaryd({"cert", "revoke", serial, "--reason", "keyCompromise", "--invalidity-date", "2026-11-01"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("is revoked (keyCompromise)"));
    EXPECT_THAT(done.err, HasSubstr("http://localhost:8442/ocsp"));
    EXPECT_THAT(done.err, HasSubstr("http://localhost:8442/crl/issuing-0.crl"));
    EXPECT_THAT(done.err, HasSubstr("estuaryd crl publish --ca issuing --shard 0"));
    EXPECT_THAT(estuaryd({"cert", "show", serial}).out, HasSubstr("2026-11-01T00:00:00Z"));
    EXPECT_EQ(estuaryd({"cert", "revoke", serial}).status, 3) << "twice";
}

TEST_F(StatusCommands, the_certificate_itself_says_which_is_meant) {
    const auto serial = to_hex(installation.issue());
    const auto pem = installation.file("device.pem"), root = installation.file("ca/root.pem");
    testing::write_text(pem, estuaryd({"cert", "show", serial, "--pem"}).out);
    EXPECT_EQ(estuaryd({"cert", "revoke", pem.string(), "--reason", "superseded"}).status, 0);
    EXPECT_THAT(estuaryd({"cert", "show", pem.string()}).out, HasSubstr("superseded"));
    // One of that serial number by somebody else is not meant.
    auto der = to_vec(x509::parse_certificates(file::read(pem).value()).value().front().der());
    der.back() ^= 1;
    testing::write_text(pem, to_pem("CERTIFICATE", der));
    EXPECT_EQ(estuaryd({"cert", "show", pem.string()}).status, 3);
    testing::write_text(pem, "no certificate");
    EXPECT_EQ(estuaryd({"cert", "revoke", pem.string()}).status, 1);
    EXPECT_EQ(estuaryd({"cert", "show", root.string()}).status, 0) << "what the CA's own making recorded";
}

TEST_F(StatusCommands, an_issuing_ca_of_another_installation_is_recorded_when_its_root_revokes_it) {
    const testing::TemporaryDirectory temporary;
    const auto made = temporary.path() / "made";
    ASSERT_EQ(testing::run({"init", "--dir", made, "--host", "localhost"}, StatusInstallation::start).status, 0);
    std::filesystem::copy(made / "ca.1", installation.file("second.1"));
    std::filesystem::create_directory_symlink("second.1", installation.file("second"));
    auto text = testing::read_text(installation.file("estuary.toml"));
    testing::write_text(installation.file("estuary.toml"), text + "\n[ca.second]\ndirectory = \"second\"\n");
    const auto issuing = installation.file("second/issuing.pem").string();
    EXPECT_EQ(estuaryd({"cert", "revoke", issuing}).status, 3) << "no CA of ours issued it";
    EXPECT_EQ(estuaryd({"cert", "revoke", "0123456789", "--ca", "root"}).status, 3) << "nor did a root";
    const auto done = estuaryd({"cert", "revoke", issuing, "--ca", "root"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(estuaryd({"cert", "revoke", issuing, "--ca", "root"}).status, 3) << "twice";
    ASSERT_EQ(estuaryd({"crl", "publish", "--root", "--ca", "second"}).status, 0);
    const auto certificate = x509::parse_certificates(file::read(issuing).value()).value().front();
    const auto root = x509::parse_certificates(file::read(installation.file("second/root.pem")).value()).value().front();
    const auto list = x509::RevocationList::from_bytes(file::read(installation.file("crl/" + crl_file_name(root_base(root), 0, false))).value()).value();
    EXPECT_TRUE(list.verify_issued_by(root));
    EXPECT_TRUE(list.find(certificate.serial_number()));
}

TEST_F(StatusCommands, who_has_fetched_the_former_list_may_go_by_it) {
    ASSERT_EQ(estuaryd({"crl", "publish"}).status, 0);
    const auto done = estuaryd({"cert", "revoke", to_hex(installation.issue())});
    EXPECT_THAT(done.err, HasSubstr("who has fetched number 1 may go by it until " + to_iso8601(StatusInstallation::start + Seconds{7 * 86'400})));
}

TEST_F(StatusCommands, only_a_hold_is_released) {
    const auto serial = to_hex(installation.issue());
    EXPECT_EQ(estuaryd({"cert", "release", serial}).status, 3);
    EXPECT_EQ(estuaryd({"cert", "revoke", serial, "--reason", "certificateHold"}).status, 0);
    const auto released = estuaryd({"cert", "release", serial});
    EXPECT_EQ(released.status, 0) << released.err;
    EXPECT_THAT(released.err, HasSubstr("valid again"));
    EXPECT_THAT(estuaryd({"cert", "show", serial}).out, HasSubstr("valid"));
    EXPECT_THAT(estuaryd({"audit", "list"}).out, HasSubstr("certificate.hold_lifted"));
    EXPECT_NE(estuaryd({"cert", "revoke", serial, "--invalidity-date", "2099-01-01"}).status, 0) << "in the future";
    EXPECT_NE(estuaryd({"cert", "revoke", serial, "--reason", "because"}).status, 0);
}

TEST_F(StatusCommands, publish_and_show) {
    const auto published = estuaryd({"crl", "publish"});
    EXPECT_EQ(published.status, 0) << published.err;
    EXPECT_THAT(published.out, HasSubstr("issuing-0.crl  number 1, 0 entries"));
    EXPECT_EQ(estuaryd({"crl", "publish", "--root", "--validity", "90d"}).status, 0);
    const auto rows = boost::json::parse(estuaryd({"crl", "show", "--json"}).out).as_array();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].at("file").as_string(), (installation.file("crl/issuing-0.crl")).string());
    EXPECT_EQ(rows[0].at("state").as_string(), "published");
    EXPECT_EQ(rows[1].at("uri").as_string(), "http://localhost:8442/crl/" + root_file());
    EXPECT_EQ(rows[1].at("number").as_int64(), 2) << "init made the first";
    EXPECT_EQ(rows[1].at("next_update").as_string(), to_iso8601(StatusInstallation::start + Seconds{90 * 86'400}));
    EXPECT_TRUE(root_list().verify_issued_by(installation.generation->authority->ca("issuing")->chain.back()));
    std::filesystem::remove(installation.file("crl/issuing-0.crl"));
    EXPECT_THAT(estuaryd({"crl", "show"}).out, HasSubstr("file missing"));
}

TEST_F(StatusCommands, publish_refuses_what_is_not_there) {
    EXPECT_EQ(estuaryd({"crl", "publish", "--shard", "1"}).status, 3);
    EXPECT_EQ(estuaryd({"crl", "publish", "--ca", "other"}).status, 3);
    EXPECT_EQ(estuaryd({"crl", "publish", "--delta"}).status, 3) << "no complete one yet";
    EXPECT_EQ(estuaryd({"crl", "publish", "--delta", "--complete"}).status, 2);
    EXPECT_EQ(estuaryd({"crl", "publish", "--root", "--root-key", installation.file("ca/issuing.key").string()}).status, 1);
}

TEST_F(StatusCommands, revoked_issuing_ca_stands_on_the_roots_list) {
    const auto& ca = installation.generation->authority->ca("issuing")->certificate;
    const auto done = estuaryd({"cert", "revoke", ca.serial_hex(), "--ca", "root", "--reason", "cACompromise"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("estuaryd crl publish --root"));
    ASSERT_EQ(estuaryd({"crl", "publish", "--root"}).status, 0);
    EXPECT_TRUE(root_list().find(ca.serial_number()));
}

TEST_F(StatusCommands, each_root_has_a_list_of_its_own) {
    const auto former_root = installation.generation->authority->ca("issuing")->chain.back();
    const auto former_file = root_file();
    EXPECT_TRUE(root_list().verify_issued_by(former_root)) << "made by init";
    const auto uris = [](const x509::Certificate& certificate) { return x509::crl_uris(certificate.extensions()).value(); };
    const std::string base = "http://localhost:8442/crl/";
    EXPECT_EQ(uris(installation.generation->authority->ca("issuing")->certificate), std::vector{base + former_file});
    ASSERT_EQ(estuaryd({"ca", "rollover"}).status, 0);
    installation.open();
    const auto& ca = *installation.generation->authority->ca("issuing");
    EXPECT_NE(root_file(), former_file);
    EXPECT_TRUE(root_list().verify_issued_by(ca.chain.back()));
    EXPECT_EQ(uris(ca.certificate), std::vector{base + root_file()});
    EXPECT_EQ(uris(ca.rollover[0]), std::vector{base + root_file()}) << "OldWithNew is the new root's work";
    EXPECT_EQ(uris(ca.rollover[1]), std::vector{base + former_file}) << "NewWithOld is the old root's";
    // The key says whose list is meant.
    ASSERT_EQ(estuaryd({"crl", "publish", "--root", "--root-key", installation.file("ca.1/root.key").string()}).status, 0);
    const auto list = x509::RevocationList::from_bytes(file::read(installation.file("crl/" + former_file)).value()).value();
    EXPECT_TRUE(list.verify_issued_by(former_root));
    EXPECT_EQ(list.crl_number(), x509::CrlNumber{3}) << "init, rollover, and now";
    ASSERT_EQ(estuaryd({"crl", "publish"}).status, 0);
    const auto rows = boost::json::parse(estuaryd({"crl", "show", "--json"}).out).as_array();
    std::vector<std::string> names;
    for (const auto& row : rows) names.emplace_back(row.at("ca").as_string());
    EXPECT_THAT(names, ::testing::UnorderedElementsAre("issuing", "issuing.2", root_base(former_root), root_base(ca.chain.back())));
    EXPECT_EQ(estuaryd({"check"}).err, "");
}

TEST_F(StatusCommands, a_revocation_is_told_by_the_list_of_its_generation) {
    const auto serial = to_hex(installation.issue());
    ASSERT_EQ(estuaryd({"ca", "rollover"}).status, 0);
    installation.open();
    const auto later = to_hex(installation.issue());
    EXPECT_THAT(estuaryd({"cert", "revoke", serial}).err, HasSubstr("/crl/issuing-0.crl"));
    EXPECT_THAT(estuaryd({"cert", "revoke", later}).err, HasSubstr("/crl/issuing.2-0.crl"));
}

TEST_F(StatusCommands, check_tells_what_ends) {
    ASSERT_EQ(estuaryd({"crl", "publish"}).status, 0);
    EXPECT_EQ(estuaryd({"check"}).err, "");
    const auto soon = estuaryd({"check"}, Seconds{5 * 86'400LL});
    EXPECT_EQ(soon.status, 0);
    EXPECT_THAT(soon.err, HasSubstr("CRL issuing-0.crl expires on"));
    const auto late = estuaryd({"check"}, Seconds{31 * 86'400LL});
    EXPECT_THAT(late.err, HasSubstr("CRL issuing-0.crl expired on"));
    EXPECT_THAT(late.err, HasSubstr("OCSP signer CN=issuing OCSP expired on"));
}

TEST(Expiry, grows_more_urgent) {
    using Urgency = Expiry::Urgency;
    Expiry expiry;
    expiry.at = Time{Seconds{1'000'000}};
    expiry.notice = Seconds{1000};
    expiry.urgent = Seconds{100};
    EXPECT_EQ(expiry.urgency(Time{Seconds{999'000}}), Urgency::none);
    EXPECT_EQ(expiry.urgency(Time{Seconds{999'001}}), Urgency::notice);
    EXPECT_EQ(expiry.urgency(Time{Seconds{999'901}}), Urgency::urgent);
    EXPECT_EQ(expiry.urgency(Time{Seconds{1'000'001}}), Urgency::past);
}

std::string status_faults(const std::string& more) { return testing::all_faults(testing::parse(testing::least_configuration() + more)); }

TEST(StatusConfiguration, each_fault_has_its_line_and_key) {
    EXPECT_THAT(status_faults("[status]\nurl = \"https://ca.example\"\n"), HasSubstr("estuary.toml:10: status.url: "));
    EXPECT_THAT(status_faults("[status]\nurl = \"http://ca.example/?x\"\n"), HasSubstr("status.url"));
    EXPECT_THAT(status_faults("[status]\nlisten = [\"nowhere\"]\n"), HasSubstr("estuary.toml:10: status.listen"));
    EXPECT_THAT(status_faults("[status]\nurls = \"x\"\n"), HasSubstr("did you mean 'url'?"));
    EXPECT_THAT(status_faults("[status]\nnever_issued = \"good\"\n"), HasSubstr("estuary.toml:10: status.never_issued"));
    EXPECT_THAT(status_faults("[status]\narchive = \"-1d\"\n"), HasSubstr("estuary.toml:10: status.archive"));
    EXPECT_THAT(status_faults("[status]\n[ca.issuing.crl]\nshards = 2\n"), HasSubstr("estuary.toml:11: ca.issuing.crl.shards: is more than 1"));
    EXPECT_THAT(status_faults("[status]\n[ca.issuing.crl]\nshards = 0\n"), HasSubstr("takes 1 to 4096"));
    EXPECT_THAT(status_faults("[status]\n[ca.issuing.crl]\nvalidity = \"1d\"\ninterval = \"1d\"\n"), HasSubstr("12: ca.issuing.crl.interval"));
    EXPECT_THAT(status_faults("[status]\n[ca.issuing.crl]\nvalidity = \"5s\"\n"), HasSubstr("ca.issuing.crl.validity"));
    EXPECT_THAT(status_faults("[status]\n[ca.issuing.ocsp]\nkey_type = \"x25519\"\n"), HasSubstr("ca.issuing.ocsp.key_type"));
    EXPECT_THAT(status_faults("[status]\n[ca.issuing.ocsp]\nvalidity = \"90d\"\n"), HasSubstr("ca.issuing.ocsp.validity"));
    EXPECT_THAT(status_faults("[ca.issuing.crl]\nshards = 2\n"), HasSubstr("there is no [status]"));
    EXPECT_THAT(status_faults("[status]\n[ca.\"issuing.2\"]\ndirectory = \"x\"\n"), HasSubstr("generation 2 of 'issuing'"));
    EXPECT_THAT(status_faults("[status]\n[ca.root-1]\ndirectory = \"x\"\n"), HasSubstr("offline roots"));
    EXPECT_THAT(status_faults("[status]\n[ca.\"my ca\"]\ndirectory = \"x\"\n"), HasSubstr("only letters, digits"));
    EXPECT_THAT(status_faults("[status]\n[profile.\"estuaryd-ocsp:issuing\"]\nkey_types = [\"p256\"]\n"), HasSubstr("choose another"));
}

TEST(StatusConfiguration, defaults_and_uris) {
    const auto read = testing::parse(testing::least_configuration() +
                                     "[status]\nurl = \"http://ca.example/pki/\"\n[ca.issuing.crl]\nvalidity = \"2h\"\n");
    ASSERT_TRUE(read.configuration) << to_string(read.faults.front());
    const auto& ca = read.configuration->cas.front();
    EXPECT_EQ(ca.crl.interval, Seconds{3600}) << "half of a short validity";
    EXPECT_TRUE(read.configuration->status.listen.empty());
    EXPECT_EQ(read.configuration->status.directory.path, "/data/crl");
    const auto status = status_config(*read.configuration, ca, "issuing");
    EXPECT_EQ(status.crl_uris, std::vector<std::string>{"http://ca.example/pki/crl/issuing-{shard}.crl"});
    EXPECT_EQ(status.ocsp_uris, std::vector<std::string>{"http://ca.example/pki/ocsp"});
    EXPECT_EQ(status.ca_issuer_uris, std::vector<std::string>{"http://ca.example/pki/ca/issuing.cer"});
    EXPECT_TRUE(status.delta_uris.empty());
    const auto without = testing::parse(testing::least_configuration());
    EXPECT_TRUE(status_config(*without.configuration, without.configuration->cas.front(), "issuing").crl_uris.empty());
}

}  // namespace
}  // namespace estuary::daemon
