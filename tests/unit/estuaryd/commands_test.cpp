#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "apps/estuaryd/session.h"
#include "estuary/base/file.h"
#include "tests/unit/estuaryd/installed_suite.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;
using testing::now;
using testing::run;
using ::testing::HasSubstr;
using ::testing::Not;

class Commands : public testing::InstalledSuite<Commands> {
public:
    /// As a server would have written it.
    static store::CertificateRecord insert(ByteVec serial_number, std::string subject, Time not_after) {
        store::CertificateRecord record;
        record.ca = "issuing";
        record.serial_number = std::move(serial_number);
        record.der = {0x30, 0x00};
        record.subject = std::move(subject);
        record.not_before = now - Seconds{86400};
        record.not_after = not_after;
        record.profile = "device";
        record.requester = "credential:x";
        record.issued_at = now;
        auto session = open_session(directory());
        store::UnitOfWork work;
        work.writes.emplace_back(store::InsertCertificate{record, std::nullopt});
        EXPECT_TRUE(session->store->commit(std::move(work)));
        return record;
    }
};

TEST_F(Commands, wrong_command_lines_are_usage_errors) {
    EXPECT_EQ(run({}).status, 2);
    EXPECT_EQ(run({"frobnicate"}).status, 2);
    EXPECT_EQ(run({"credential", "add"}).status, 2);
    EXPECT_EQ(run({"serve", "--listen"}).status, 2);
    EXPECT_EQ(run({"request", "approve", "seven"}).status, 2);
    EXPECT_EQ(run({"credential", "add", "x", "--password-stdin", "--password-file", "y"}).status, 2);
    EXPECT_EQ(estuaryd({"serve", "--listen", "nowhere"}).status, 2);
}

TEST_F(Commands, help_teaches_by_examples) {
    const auto program = run({"--help"});
    EXPECT_EQ(program.status, 0);
    EXPECT_THAT(program.out, HasSubstr("estuaryd init --name"));
    EXPECT_THAT(program.out, HasSubstr("Exit status"));
    EXPECT_THAT(run({"credential", "add", "--help"}).out, HasSubstr("--uses 500"));
    EXPECT_THAT(run({"--version"}).out, ::testing::MatchesRegex("estuaryd [0-9.]+\n"));
}

TEST_F(Commands, without_an_installation_nothing_is_found) {
    const auto ran = run({"cert", "list", "--dir", "/nonexistent"});
    EXPECT_EQ(ran.status, 3);
    EXPECT_THAT(ran.err, HasSubstr("estuaryd init"));
}

TEST_F(Commands, credential_is_single_use_and_expires_unless_told_otherwise) {
    ASSERT_EQ(estuaryd({"credential", "add", "usual"}).status, 0);
    const auto session = open_session(directory());
    const auto record = session->store->credential("usual");
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->uses_left, 1);
    EXPECT_EQ((*record)->expires_at, now + Seconds{7 * 86400});
    EXPECT_EQ((*record)->profile, "device");
    EXPECT_EQ((*record)->digest_ha1, "");
    EXPECT_THAT((*record)->password_hash, ::testing::StartsWith("$hmac-sha256$"));
}

TEST_F(Commands, generated_password_stands_alone_on_stdout_and_nowhere_else) {  // bug class 12
    const auto added = estuaryd({"credential", "add", "canary", "--quiet"});
    ASSERT_EQ(added.status, 0) << added.err;
    EXPECT_EQ(added.err, "");
    ASSERT_THAT(added.out, ::testing::MatchesRegex("[0-9A-Z-]{26,32}\n"));
    const auto password = added.out.substr(0, added.out.size() - 1);
    const auto list = estuaryd({"credential", "list", "--json"}).out + estuaryd({"credential", "list"}).out;
    const auto trail = estuaryd({"audit", "list"}).out;
    for (const auto& text : {list, trail, testing::read_text(directory() + "/estuary.db"), testing::read_text(directory() + "/estuary.db-wal")})
        EXPECT_THAT(text, Not(HasSubstr(password)));
    EXPECT_THAT(list, HasSubstr("canary"));
    EXPECT_THAT(trail, HasSubstr("credential.added"));
}

TEST_F(Commands, chosen_password_is_stored_slow) {
    const auto file = fs::path{directory()} / "password";
    ASSERT_TRUE(file::write_atomically(file, as_bytes("correct horse battery\n"), file::Access::owner_only));
    const auto added = estuaryd({"credential", "add", "chosen", "--password-file", file, "--uses", "unlimited", "--expires", "never", "--digest"});
    ASSERT_EQ(added.status, 0) << added.err;
    EXPECT_EQ(added.out, "");
    const auto session = open_session(directory());
    const auto record = session->store->credential("chosen");
    ASSERT_TRUE(record && *record);
    EXPECT_TRUE(crypto::is_slow_hash((*record)->password_hash));
    const auto verified = crypto::verify_password(crypto::Secret{std::string_view{"correct horse battery"}}, (*record)->password_hash, crypto::Secret{});
    EXPECT_TRUE(verified && *verified);
    EXPECT_FALSE((*record)->uses_left);
    EXPECT_FALSE((*record)->expires_at);
    EXPECT_EQ((*record)->digest_ha1, crypto::digest_ha1("chosen", "estuary", crypto::Secret{std::string_view{"correct horse battery"}}));
}

TEST_F(Commands, credential_twice_is_refused) {
    ASSERT_EQ(estuaryd({"credential", "add", "twin"}).status, 0);
    const auto again = estuaryd({"credential", "add", "twin"});
    EXPECT_EQ(again.status, 3);
    EXPECT_EQ(again.out, "") << "no password that is good for nothing";
    EXPECT_EQ(estuaryd({"credential", "remove", "twin"}).status, 0);
    EXPECT_EQ(estuaryd({"credential", "remove", "twin"}).status, 3);
}

struct WrongCredential {
    std::string name;
    std::vector<std::string> words;
};
class CredentialOption : public Commands, public ::testing::WithParamInterface<WrongCredential> {};
TEST_P(CredentialOption, is_refused) {
    auto words = GetParam().words;
    words.insert(words.begin(), {"credential", "add"});
    const auto ran = estuaryd(words);
    EXPECT_NE(ran.status, 0);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err, "");
}
INSTANTIATE_TEST_SUITE_P(Wrong, CredentialOption,
                         ::testing::Values(WrongCredential{"colon", {"a:b"}}, WrongCredential{"control", {"a\nb"}},
                                           WrongCredential{"empty", {""}}, WrongCredential{"zero_uses", {"x", "--uses", "0"}},
                                           WrongCredential{"negative_uses", {"x", "--uses=-1"}}, WrongCredential{"uses", {"x", "--uses", "1x"}},
                                           WrongCredential{"expires", {"x", "--expires", "soon"}},
                                           WrongCredential{"profile", {"x", "--profile", "nosuch"}},
                                           WrongCredential{"san", {"x", "--san", "ip:300.0.0.0/8"}},
                                           WrongCredential{"password_file", {"x", "--password-file", "/nonexistent"}}),
                         [](const auto& test) { return test.param.name; });

TEST_F(Commands, credential_for_any_host_is_pointed_out) {
    EXPECT_THAT(estuaryd({"credential", "add", "open", "--profile", "server"}).err, HasSubstr("any host"));
    EXPECT_THAT(estuaryd({"credential", "add", "bound", "--profile", "server", "--san", "dns:a.example"}).err, Not(HasSubstr("any host")));
}

TEST_F(Commands, hostile_subject_is_escaped_in_every_view) {  // bug class 38
    insert({0x51, 0x01}, "CN=evil\x1b]0;owned\x07\nFAKE", now + Seconds{86400});
    for (const auto& view : {estuaryd({"cert", "list"}).out, estuaryd({"cert", "show", "5101"}).out,
                             estuaryd({"cert", "list", "--json"}).out, estuaryd({"cert", "show", "5101", "--json"}).out}) {
        EXPECT_THAT(view, HasSubstr("evil"));
        EXPECT_THAT(view, Not(HasSubstr("\x1b")));
        EXPECT_THAT(view, Not(HasSubstr("\x07")));
        EXPECT_THAT(view, Not(HasSubstr("\nFAKE")));
    }
}

TEST_F(Commands, cert_list_filters) {
    insert({0x61, 0x01}, "CN=filter-soon", now + Seconds{5 * 86400});
    insert({0x61, 0x02}, "CN=filter-late", now + Seconds{50 * 86400});
    insert({0x61, 0x03}, "CN=filter-gone", now - Seconds{5});
    const auto subjects = [](std::vector<std::string> filter) {
        filter.insert(filter.begin(), {"cert", "list", "--json", "--subject", "filter-"});
        const auto ran = estuaryd(filter);
        EXPECT_EQ(ran.status, 0) << ran.err;
        std::vector<std::string> found;
        const auto listed = boost::json::parse(ran.out);   // a temporary would not outlive the loop's head
        for (const auto& entry : listed.as_array())
            found.push_back(boost::json::value_to<std::string>(entry.at("subject")).substr(10));
        std::ranges::sort(found);
        return found;
    };
    using List = std::vector<std::string>;
    EXPECT_EQ(subjects({}), (List{"gone", "late", "soon"}));
    EXPECT_EQ(subjects({"--status", "valid"}), (List{"late", "soon"}));
    EXPECT_EQ(subjects({"--status", "expired"}), (List{"gone"}));
    EXPECT_EQ(subjects({"--expiring-within", "7d"}), (List{"soon"}));
    EXPECT_EQ(subjects({"--serial", "61:02"}), (List{"late"}));
    EXPECT_EQ(subjects({"--serial", "006102"}), (List{"late"}));
    EXPECT_EQ(subjects({"--ca", "none"}), List{});
    EXPECT_EQ(subjects({"--requester", "credential:x", "--status", "expired"}), (List{"gone"}));
    EXPECT_EQ(subjects({"--limit", "2"}).size(), 2u);
    EXPECT_EQ(estuaryd({"cert", "list", "--status", "odd"}).status, 1);
    EXPECT_EQ(estuaryd({"cert", "list", "--expiring-before", "tomorrow"}).status, 1);
}

TEST_F(Commands, revoke_once_with_a_reason) {
    insert({0x71, 0x01}, "CN=lost", now + Seconds{86400});
    EXPECT_EQ(estuaryd({"cert", "revoke", "7101", "--reason", "lostIt"}).status, 1);
    const auto revoked = estuaryd({"cert", "revoke", "7101", "--reason", "keyCompromise"});
    ASSERT_EQ(revoked.status, 0) << revoked.err;
    const auto shown = boost::json::parse(estuaryd({"cert", "show", "7101", "--json"}).out);
    EXPECT_EQ(shown.at("status"), "revoked");
    EXPECT_EQ(shown.at("revocation").at("reason"), "keyCompromise");
    EXPECT_EQ(estuaryd({"cert", "revoke", "7101"}).status, 3) << "already";
    EXPECT_EQ(estuaryd({"cert", "revoke", "7199"}).status, 3) << "none";
    EXPECT_THAT(estuaryd({"audit", "list"}).out, HasSubstr("certificate.revoked"));
}

TEST_F(Commands, requests_are_decided_once) {
    store::PendingRequest pending;
    pending.key[0] = 7;
    pending.operation = "enroll";
    pending.profile = "device";
    pending.requester = "credential:x";
    pending.subject = "CN=waits";
    pending.created_at = now;
    pending.expires_at = now + Seconds{86400};
    {
        auto session = open_session(directory());
        store::UnitOfWork work;
        work.writes.emplace_back(store::InsertPendingRequest{pending});
        ASSERT_TRUE(session->store->commit(std::move(work)));
    }
    const auto list = boost::json::parse(estuaryd({"request", "list", "--json"}).out).as_array();
    ASSERT_EQ(list.size(), 1u);
    const auto id = std::to_string(list[0].at("id").as_int64());
    EXPECT_THAT(estuaryd({"request", "show", id}).out, HasSubstr("CN=waits"));
    EXPECT_EQ(estuaryd({"request", "approve", id}).status, 0);
    EXPECT_EQ(estuaryd({"request", "deny", id}).status, 3);
    EXPECT_EQ(estuaryd({"request", "approve", "999"}).status, 3);
    EXPECT_EQ(estuaryd({"request", "list", "--json"}).out, "[]\n");
    EXPECT_THAT(estuaryd({"request", "list", "--state", "approved"}).out, HasSubstr("CN=waits"));
}

TEST_F(Commands, audit_is_followed_by_number) {
    ASSERT_EQ(estuaryd({"credential", "add", "audited"}).status, 0);
    const auto all = estuaryd({"audit", "list", "--json"}).out;
    const auto first = boost::json::parse(all.substr(0, all.find('\n')));
    EXPECT_EQ(first.at("event"), "ca.created");
    const auto rest = estuaryd({"audit", "list", "--json", "--after", std::to_string(first.at("id").as_int64())}).out;
    EXPECT_EQ(rest, all.substr(all.find('\n') + 1));
    EXPECT_EQ(std::ranges::count(estuaryd({"audit", "list", "--limit", "2"}).out, '\n'), 2);
}

TEST_F(Commands, backup_is_a_whole_database) {
    const auto target = directory() + "/copy.db";
    ASSERT_EQ(estuaryd({"backup", target}).status, 0);
    const auto copy = store::open_sqlite(target, {}, false);
    ASSERT_TRUE(copy);
    EXPECT_TRUE((*copy)->check());
    EXPECT_EQ((*copy)->count_certificates().value_or(-1), open_session(directory())->store->count_certificates().value_or(-2));
    EXPECT_EQ(estuaryd({"backup", target}).status, 3) << "never overwrites";
}

}  // namespace
}  // namespace estuary::daemon
