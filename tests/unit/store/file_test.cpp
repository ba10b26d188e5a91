// The file: modes, files of others, older and newer schemas, backup.
#include <fstream>

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "estuary/store/schema.h"
#include "support.h"

namespace estuary::store {
namespace {

using sqlite::Connection;

Connection connect(const std::filesystem::path& path) {
    auto connection =
        Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, std::chrono::milliseconds{1000});
    if (!connection) std::abort();
    return std::move(*connection);
}

unsigned mode_of(const std::filesystem::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

class Umask {
public:
    explicit Umask(mode_t mask) : before_{::umask(mask)} {}
    ~Umask() { ::umask(before_); }

private:
    mode_t before_;
};

TEST(File, OnlyItsOwnerMayRead) {  // bug class 12
    const TemporaryDirectory directory;
    const Umask lax{0};
    const auto store = open_or_fail(directory / "store.db");
    ASSERT_TRUE(store->commit(enrollment(1)));
    for (const auto* name : {"store.db", "store.db-wal", "store.db-shm"}) EXPECT_EQ(mode_of(directory / name), 0600u) << name;
}

TEST(File, StrangersLoseTheirAccess) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    open_or_fail(path).reset();
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    const auto store = open_or_fail(path);
    ASSERT_TRUE(store->commit(enrollment(1)));
    for (const auto* name : {"store.db", "store.db-wal", "store.db-shm"}) EXPECT_EQ(mode_of(directory / name), 0600u) << name;
}

TEST(File, AbsentIsNotFoundUnlessToBeCreated) {
    const TemporaryDirectory directory;
    EXPECT_EQ(outcome(open_sqlite(directory / "store.db", {}, false)), "not_found");
    EXPECT_FALSE(std::filesystem::exists(directory / "store.db"));
    EXPECT_EQ(outcome(open_sqlite(directory / "no" / "store.db")), "not_found");
    EXPECT_EQ(outcome(open_sqlite(directory / "store.db", {}, true)), "ok");
    EXPECT_EQ(outcome(open_sqlite(directory / "store.db", {}, false)), "ok");
}

TEST(File, OthersFilesAreRefusedAndLeftAlone) {
    const TemporaryDirectory directory;
    const auto text = directory / "text", database = directory / "database", folder = directory / "folder";
    std::ofstream{text} << std::string(5000, 'x');
    ASSERT_TRUE(connect(database).execute("CREATE TABLE theirs (a); PRAGMA user_version = 1"));
    std::filesystem::create_directory(folder);
    for (const auto& path : {text, database, folder}) {
        const auto mode = mode_of(path);
        const auto store = open_sqlite(path);
        ASSERT_FALSE(store) << path;
        EXPECT_EQ(store.error().code, Code::unsupported) << path;
        EXPECT_NE(store.error().detail.find(path.string()), std::string::npos);
        EXPECT_EQ(mode_of(path), mode);
    }
    EXPECT_EQ(*connect(database).text("PRAGMA journal_mode"), "delete");
}

TEST(File, ReadOnlyDirectoryIsUnavailable) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    const auto child = ::fork();
    if (child == 0) {  // root may write everywhere, so the child is nobody
        const bool root = ::geteuid() == 0;
        if (::chmod(directory.path().c_str(), 0555) != 0) ::_exit(10);
        if (root && (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(11);
        const auto store = open_sqlite(path);
        ::_exit(!store && store.error().code == Code::unavailable ? 0 : 12);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    ::chmod(directory.path().c_str(), 0700);
}

TEST(Schema, NewDatabaseHasTheLatest) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    open_or_fail(path).reset();
    const auto connection = connect(path);
    EXPECT_EQ(*connection.integer("PRAGMA application_id"), 0x45535455);
    EXPECT_EQ(*connection.integer("PRAGMA user_version"), sqlite::migrations().back().version);
    EXPECT_EQ(*connection.text("PRAGMA journal_mode"), "wal");
}

TEST(Schema, VersionsCountFromOneWithoutGaps) {
    std::int64_t version = 0;
    for (const auto& step : sqlite::migrations()) EXPECT_EQ(step.version, ++version);
}

TEST(Schema, NewerIsRefusedAndLeftAlone) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    open_or_fail(path).reset();
    ASSERT_TRUE(connect(path).execute("PRAGMA user_version = 1000"));
    const auto store = open_sqlite(path);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Code::unsupported);
    EXPECT_NE(store.error().detail.find("newer"), std::string::npos);
    EXPECT_EQ(*connect(path).integer("PRAGMA user_version"), 1000);
}

std::vector<sqlite::Migration> with_next(const char* sql) {
    std::vector<sqlite::Migration> steps{sqlite::migrations().begin(), sqlite::migrations().end()};
    steps.push_back({sqlite::migrations().back().version + 1, sql});
    return steps;
}

TEST(Schema, MigrationKeepsWhatIsThere) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    {
        const auto store = open_or_fail(path);
        ASSERT_TRUE(store->commit(enrollment(1)));
    }
    const auto connection = connect(path);
    const auto steps = with_next("ALTER TABLE certificates ADD COLUMN note TEXT NOT NULL DEFAULT 'none';"
                                 "CREATE INDEX notes ON certificates (note);");
    ASSERT_TRUE(sqlite::identify(connection, path, steps));
    ASSERT_TRUE(sqlite::migrate(connection, steps));
    ASSERT_TRUE(sqlite::migrate(connection, steps)) << "a second time there is nothing to do";
    EXPECT_EQ(*connection.integer("PRAGMA user_version"), steps.back().version);
    EXPECT_EQ(*connection.text("SELECT note FROM certificates"), "none");
    EXPECT_EQ(outcome(sqlite::identify(connection, path)), "unsupported") << "the program of before refuses it now";
}

TEST(Schema, RevocationsOfTheFirstSchemaGoIntoTheNextCrl) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    {
        const auto connection = connect(path);
        ASSERT_TRUE(sqlite::migrate(connection, sqlite::migrations().first(1)));
        ASSERT_TRUE(connection.execute(
            "INSERT INTO authorities (name) VALUES ('issuing'); INSERT INTO certificates (ca, not_after, revoked_at, "
            "revocation_reason, serial_number, not_before, issued_at, subject, subject_alt_names, profile, label, requester, der) "
            "VALUES (1, 1990000000, 1900000000, 4, x'07', 0, 0, 'CN=a', '', 'device', '', 'operator', x'3000')"));
    }
    const auto store = open_or_fail(path);
    EXPECT_EQ(store->revocation_changes(0, 10)->size(), 1u);
    int visited = 0;
    ASSERT_TRUE(store->visit_revoked({.ca = "issuing"}, [&](const RevokedCertificate& entry) {
        ++visited;
        EXPECT_EQ(entry.revocation->reason, RevocationReason::superseded);
    }));
    EXPECT_EQ(visited, 1);
}

TEST(Schema, FailedMigrationChangesNothing) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    open_or_fail(path).reset();
    const auto connection = connect(path);
    EXPECT_FALSE(sqlite::migrate(connection, with_next("CREATE TABLE half (a); INSERT INTO nowhere VALUES (1);")));
    EXPECT_FALSE(connection.in_transaction());
    EXPECT_EQ(*connection.integer("PRAGMA user_version"), sqlite::migrations().back().version);
    EXPECT_EQ(*connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
    EXPECT_EQ(outcome(open_sqlite(path)), "ok");
}

TEST(Backup, IsACopyThatOpens) {
    const TemporaryDirectory directory;
    const auto copy = directory / "copy.db";
    const Umask lax{0};
    const auto store = open_or_fail(directory / "store.db");
    for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(store->commit(enrollment(i)));
    ASSERT_EQ(outcome(store->backup(copy)), "ok");
    EXPECT_EQ(mode_of(copy), 0600u);
    ASSERT_TRUE(store->commit(enrollment(1000)));
    const auto restored = open_sqlite(copy, {}, false);
    ASSERT_TRUE(restored);
    EXPECT_TRUE((*restored)->check());
    EXPECT_EQ(*(*restored)->count_certificates(), 100);
    EXPECT_EQ((*(*restored)->certificate("issuing", serial(42)))->subject, "CN=device-42");
    EXPECT_EQ(outcome((*restored)->commit(enrollment(1000))), "ok");
}

TEST(Backup, NeverOverwritesAndLeavesNoLitter) {
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    const auto taken = directory / "taken";
    std::ofstream{taken} << "precious";
    EXPECT_EQ(outcome(store->backup(taken)), "conflict");
    EXPECT_EQ(std::filesystem::file_size(taken), 8u);
    EXPECT_EQ(outcome(store->backup(directory / "store.db")), "conflict");
    EXPECT_EQ(outcome(store->backup(directory / "no" / "copy")), "unavailable");
    for (const auto& entry : std::filesystem::directory_iterator{directory.path()}) {
        const auto name = entry.path().filename().string();
        EXPECT_TRUE(name == "taken" || name.starts_with("store.db")) << name;
        EXPECT_EQ(name.find("store.db."), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace estuary::store
