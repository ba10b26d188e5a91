#include <thread>

#include "apps/estuaryd/status_config.h"
#include "estuary/store/schema.h"
#include "estuary/x509/crl_encoder.h"
#include "tests/unit/estuaryd/status_fixture.h"

namespace estuary::daemon {
namespace {

using namespace std::chrono_literals;
using authority::CrlKind;
using testing::StatusInstallation;

/// The publisher with a time of its own for pauses.
struct Publishing {
    explicit Publishing(StatusInstallation& where) : installation{where} { publisher.emplace(*where.store, where.clock); }
    void step(std::chrono::milliseconds later = 5s) {
        moment += later;
        publisher->step(installation.service, *installation.files, moment);
    }
    void restart() {
        publisher.emplace(*installation.store, installation.clock);
        installation.files = std::make_unique<CrlFiles>(installation.files->directory());
    }
    std::int64_t number(bool delta = false, unsigned shard = 0, const std::string& base = "issuing") const {
        const auto record = installation.store->crl(base, shard, delta).value();
        return record ? record->number : 0;
    }
    /// The file's own number; 0 if there is no file.
    std::int64_t file_number(const std::string& name) const {
        const auto found = installation.files->find(name);
        if (!found) return 0;
        std::int64_t number = 0;
        for (const auto octet : (*found)->list.crl_number()->octets) number = number * 256 + octet;
        return number;
    }
    bool lists(const ByteVec& serial_number, const std::string& name = "issuing-0.crl") const {
        const auto found = installation.files->find(name).value();
        auto entries = found->list.entries();
        while (const auto entry = entries.next())
            if (StatusInstallation::without_zeros(entry->serial_number) == serial_number) return true;
        return false;
    }

    StatusInstallation& installation;
    std::optional<CrlPublisher> publisher;
    CrlPublisher::Moment moment{std::chrono::steady_clock::now()};
};

TEST(CrlPublisher, publishes_at_start_and_then_by_the_schedule) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    EXPECT_EQ(p.number(), 1);
    EXPECT_EQ(p.file_number("issuing-0.crl"), 1);
    p.step();
    installation.clock.advance(Seconds{86'399});
    p.step();
    EXPECT_EQ(p.number(), 1) << "not due";
    installation.clock.advance(Seconds{1});
    p.step();
    EXPECT_EQ(p.number(), 2);
    EXPECT_EQ(p.file_number("issuing-0.crl"), 2);
}

TEST(CrlPublisher, tells_a_revocation_at_once_and_a_release) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    const auto serial_number = installation.issue();
    installation.revoke(serial_number, store::RevocationReason::certificate_hold);
    p.step();
    EXPECT_EQ(p.number(), 2);
    EXPECT_TRUE(p.lists(serial_number));
    installation.revoke(serial_number, store::RevocationReason::remove_from_crl);
    p.step();
    EXPECT_EQ(p.number(), 3);
    EXPECT_FALSE(p.lists(serial_number));
    p.step();
    EXPECT_EQ(p.number(), 3);
}

TEST(CrlPublisher, coalesces_a_storm) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    for (int i = 0; i < 10; ++i) {
        installation.revoke(installation.issue());
        p.step(50ms);
    }
    EXPECT_LE(p.number(), 2) << "ten revocations in half a second";
    const auto last = installation.issue();
    installation.revoke(last);
    p.step(1500ms);
    EXPECT_TRUE(p.lists(last));
    EXPECT_LE(p.number(), 3);
}

TEST(CrlPublisher, only_the_shard_that_it_concerns) {
    StatusInstallation installation{"shards = 4"};
    Publishing p{installation};
    p.step();
    const auto serial_number = installation.issue();
    const auto shard = installation.store->certificate("issuing", serial_number).value()->shard;
    installation.revoke(serial_number);
    p.step();
    for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(p.number(false, i), i == shard ? 2 : 1);
    EXPECT_TRUE(p.lists(serial_number, crl_file_name("issuing", shard, false)));
}

TEST(CrlPublisher, deltas_come_with_each_complete_list_and_at_once) {
    StatusInstallation installation{"deltas = true\ndelta_interval = \"1h\""};
    Publishing p{installation};
    p.step();
    EXPECT_EQ(p.number(false), 1);
    EXPECT_EQ(p.number(true), 2);
    const auto serial_number = installation.issue();
    installation.revoke(serial_number);
    p.step();
    EXPECT_EQ(p.number(false), 1) << "the complete list keeps its schedule";
    EXPECT_EQ(p.number(true), 3);
    EXPECT_TRUE(p.lists(serial_number, "issuing-0-delta.crl"));
    EXPECT_FALSE(p.lists(serial_number));
    installation.clock.advance(Seconds{3600});
    p.step();
    EXPECT_EQ(p.number(true), 4) << "its own schedule";
    installation.clock.advance(Seconds{86'400});
    p.step();
    EXPECT_EQ(p.number(false), 5);
    EXPECT_EQ(p.number(true), 6);
    EXPECT_EQ(installation.store->crl("issuing", 0, true).value()->base_number, 5);
    EXPECT_TRUE(p.lists(serial_number));
    EXPECT_FALSE(p.lists(serial_number, "issuing-0-delta.crl"));
}

TEST(CrlPublisher, mends_a_missing_or_former_file_with_a_new_number) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    const auto path = installation.files->path("issuing-0.crl");
    std::filesystem::remove(path);
    p.step(61s);
    EXPECT_EQ(p.file_number("issuing-0.crl"), 2);
    const auto former = testing::read_text(path);
    installation.clock.advance(Seconds{86'400});
    p.step();
    EXPECT_EQ(p.file_number("issuing-0.crl"), 3);
    testing::write_text(path, former);  // a fall between the record and the release leaves this
    p.restart();
    p.step();
    EXPECT_EQ(p.number(), 4);
    EXPECT_EQ(p.file_number("issuing-0.crl"), 4);
    testing::write_text(path, "not a list");
    p.step(61s);
    EXPECT_EQ(p.file_number("issuing-0.crl"), 5);
}

TEST(CrlPublisher, tells_after_a_restart_what_was_revoked_meanwhile) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    const auto serial_number = installation.issue();
    installation.revoke(serial_number);
    p.restart();
    p.step();
    EXPECT_TRUE(p.lists(serial_number));
    p.restart();
    p.step();
    EXPECT_EQ(p.number(), 2) << "nothing new";
}

TEST(CrlPublisher, takes_turns_with_another_publisher) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    const auto serial_number = installation.issue();
    installation.revoke(serial_number);
    // As `crl publish` does beside it.
    ASSERT_TRUE(publish_crl(installation.service->issuers().front(), 0, CrlKind::complete, *installation.files, *installation.store));
    p.step();
    p.step();
    EXPECT_EQ(p.file_number("issuing-0.crl"), p.number());
    EXPECT_TRUE(p.lists(serial_number));
}

TEST(CrlPublisher, nothing_is_released_before_it_is_recorded) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    // The unit of work is refused: its number was taken in between.
    store::UnitOfWork work;
    const auto made = installation.generation->authority->make_crl("issuing", 0, CrlKind::complete, work);
    ASSERT_TRUE(made);
    ASSERT_TRUE(publish_crl(installation.service->issuers().front(), 0, CrlKind::complete, *installation.files, *installation.store));
    EXPECT_EQ(installation.store->commit(std::move(work)).error().code, Code::conflict);
    EXPECT_EQ(p.file_number("issuing-0.crl"), 2);
}

TEST(CrlPublisher, tries_on_where_the_directory_cannot_be_written) {
    StatusInstallation installation;
    Publishing p{installation};
    std::filesystem::remove_all(installation.file("crl"));
    testing::write_text(installation.file("crl"), "a file in the way");
    p.step();
    EXPECT_EQ(p.number(), 0) << "not recorded either";
    std::filesystem::remove(installation.file("crl"));
    p.step(500ms);
    EXPECT_EQ(p.number(), 0) << "a pause first";
    p.step(1s);
    EXPECT_EQ(p.number(), 1);
}

TEST(CrlPublisher, former_generations_tell_in_their_own_name) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    const auto serial_number = installation.issue();
    ASSERT_EQ(testing::run({"ca", "rollover", "--dir", installation.directory()}, StatusInstallation::start).status, 0);
    installation.open();
    p.step();
    installation.revoke(serial_number);
    p.step();
    EXPECT_TRUE(p.lists(serial_number, "issuing-0.crl"));
    EXPECT_TRUE(p.lists(serial_number, "issuing.2-0.crl"));
    const auto& issuers = installation.service->issuers();
    ASSERT_EQ(issuers.size(), 2u);
    for (const auto& issuer : issuers) {
        const auto found = installation.files->find(crl_file_name(issuer.base, 0, false)).value();
        EXPECT_TRUE(found->list.verify_issued_by(issuer.config().certificate)) << issuer.base;
    }
    const auto number = p.number(), next_number = p.number(false, 0, "issuing.2");
    p.step();
    p.step(61s);
    EXPECT_EQ(p.number(), number) << "both are there: nothing is due";
    EXPECT_EQ(p.number(false, 0, "issuing.2"), next_number);
}

/// The numbers of every list that was recorded, in order, by name and shard ("issuing.2/0").
std::map<std::string, std::vector<std::int64_t>> numbers_published(store::Store& store) {
    std::map<std::string, std::vector<std::int64_t>> all;
    const auto events = store.audit(0, 100'000).value();
    for (const auto& event : events) {
        if (event.event != "crl.published") continue;
        const auto at = event.detail.find("number=") + 7;
        all[event.object].push_back(std::stoll(event.detail.substr(at)));
    }
    return all;
}

TEST(CrlPublisher, every_generations_lists_are_recorded_before_they_are_released) {
    StatusInstallation installation{"deltas = true"};
    Publishing p{installation};
    p.step();
    ASSERT_EQ(testing::run({"ca", "rollover", "--dir", installation.directory()}, StatusInstallation::start).status, 0);
    installation.open();
    for (int i = 0; i < 3; ++i) {
        installation.revoke(installation.issue());
        p.step();
        for (const auto* base : {"issuing", "issuing.2"})
            for (const bool delta : {false, true})
                EXPECT_EQ(p.file_number(crl_file_name(base, 0, delta)), p.number(delta, 0, base)) << base << delta;
        if (i == 1) p.restart();
    }
    EXPECT_EQ(p.number(false, 0, "issuing.2"), 1) << "a sequence of its own (RFC 5280 5.2.3)";
}

TEST(CrlPublisher, two_processes_and_two_generations_never_use_a_number_twice) {  // bug class 18
    StatusInstallation installation{"deltas = true"};
    ASSERT_EQ(testing::run({"ca", "rollover", "--dir", installation.directory()}, StatusInstallation::start).status, 0);
    installation.open();
    StatusInstallation beside{StatusInstallation::Beside{installation}};
    const auto work = [](StatusInstallation& process) {
        Publishing p{process};
        for (int round = 0; round < 12; ++round) {
            process.revoke(process.issue());
            p.step();
            p.step();
            if (round == 6) p.restart();
        }
    };
    std::thread other{[&] { work(beside); }};
    work(installation);
    other.join();
    Publishing p{installation};
    p.step();
    const auto all = numbers_published(*installation.store);
    ASSERT_EQ(all.size(), 4u) << "two generations and their roots";
    for (const auto& [name, numbers] : all) {
        EXPECT_GE(numbers.size(), name.starts_with(root_base_prefix) ? 1u : 12u) << name;
        EXPECT_EQ(std::ranges::adjacent_find(numbers, std::greater_equal<>{}), numbers.end()) << name;
    }
    for (const auto* base : {"issuing", "issuing.2"})
        for (const bool delta : {false, true}) EXPECT_EQ(p.file_number(crl_file_name(base, 0, delta)), p.number(delta, 0, base)) << base;
}

TEST(CrlPublisher, numbers_go_on_from_the_files_where_the_database_was_restored) {  // bug class 18
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    const auto backup = installation.file("backup.db"), database = installation.file("estuary.db");
    ASSERT_TRUE(installation.store->backup(backup));
    for (int i = 0; i < 3; ++i) {
        installation.revoke(installation.issue());
        p.step();
    }
    ASSERT_EQ(p.number(), 4);
    installation.store.reset();
    for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(database.string() + suffix);
    std::filesystem::copy_file(backup, database, std::filesystem::copy_options::overwrite_existing);
    installation.open();
    Publishing again{installation};
    ASSERT_EQ(again.number(), 1);
    const auto serial_number = installation.issue();
    installation.revoke(serial_number);
    again.step();
    EXPECT_EQ(again.number(), 5);
    EXPECT_TRUE(again.lists(serial_number));
}

/// A database as the program of before left it: one revoked certificate, complete list 41, delta 42.
void write_former_database(const std::filesystem::path& path) {
    const auto connection = store::sqlite::Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 1s).value();
    ASSERT_TRUE(store::sqlite::migrate(connection, store::sqlite::migrations().first(2)));
    ASSERT_TRUE(connection.execute(
        "INSERT INTO authorities (name) VALUES ('issuing'); INSERT INTO certificates (ca, not_after, revoked_at, revocation_reason, "
        "serial_number, not_before, issued_at, subject, subject_alt_names, profile, label, requester, der) "
        "VALUES (1, 1990000000, 1790000000, 4, x'07', 0, 0, 'CN=a', '', 'device', '', 'operator', x'3000'); "
        "INSERT INTO revocation_changes (certificate) VALUES (1); "
        "INSERT INTO crls VALUES (1, 0, 0, 41, 0, 1, 1, 1794990000, 1795600000), (1, 0, 1, 42, 41, 1, 0, 1794990000, 1795600000)"));
}

TEST(CrlPublisher, an_installation_from_before_goes_on_with_greater_numbers) {  // bug class 18
    for (const bool deltas : {false, true}) {
        StatusInstallation installation{deltas ? "deltas = true" : ""};
        installation.store.reset();
        for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(installation.file("estuary.db").string() + suffix);
        write_former_database(installation.file("estuary.db"));
        installation.open();
        Publishing p{installation};
        EXPECT_EQ(p.number(), 41);
        p.step();  // the files are gone with the machine of before
        EXPECT_EQ(p.file_number("issuing-0.crl"), 43);
        EXPECT_TRUE(p.lists({7})) << "what was revoked before";
        const auto serial_number = installation.issue();
        installation.revoke(serial_number);
        p.step();
        EXPECT_GT(p.number(deltas), 43);
        EXPECT_TRUE(p.lists(serial_number, crl_file_name("issuing", 0, deltas)));
    }
}

/// A list in the name of the CA, with the number 1000, by another key.
ByteVec forged_list(const x509::Certificate& ca) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    x509::CrlTemplate list;
    list.issuer = ca.subject();
    list.signature_algorithm = key.signature_algorithm().value()->identifier;
    list.this_update = StatusInstallation::start;
    list.next_update = StatusInstallation::start + Seconds{3600};
    list.number = x509::CrlNumber{1000};
    list.authority_key_id = *ca.subject_key_id();
    auto to_sign = x509::CrlEncoder{std::move(list)}.finish();
    const auto signature = key.sign(to_sign.tbs()).value();
    return std::move(to_sign).assemble(signature);
}

TEST(CrlPublisher, numbers_do_not_follow_a_file_that_somebody_else_signed) {
    StatusInstallation installation;
    Publishing p{installation};
    p.step();
    const auto forged = forged_list(installation.generation->authority->ca("issuing")->certificate);
    testing::write_text(installation.files->path("issuing-0.crl"), std::string{as_text(forged)});
    installation.revoke(installation.issue());
    p.step();
    EXPECT_EQ(p.number(), 2);
    EXPECT_EQ(p.file_number("issuing-0.crl"), 2);
}

}  // namespace
}  // namespace estuary::daemon
