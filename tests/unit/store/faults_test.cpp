// Disks that are full, read-only or broken: nothing is reported that is not there, and the store recovers by itself.
#include <csignal>

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "estuary/store/group_commit.h"
#include "faulty_disk.h"
#include "support.h"

namespace estuary::store {
namespace {

struct FaultCase {
    std::string name;
    int code;
};
class Faults : public testing::TestWithParam<FaultCase> {};

INSTANTIATE_TEST_SUITE_P(Sqlite, Faults, testing::Values(
    FaultCase{"full", SQLITE_FULL},
    FaultCase{"write", SQLITE_IOERR_WRITE},
    FaultCase{"flush", SQLITE_IOERR_FSYNC},
    FaultCase{"readonly", SQLITE_READONLY},
    FaultCase{"corrupt", SQLITE_CORRUPT}), [](const auto& test) { return test.param.name; });

std::vector<std::string> commit_two(sqlite::GroupCommit& group, std::uint64_t first) {
    const UnitOfWork units[] = {enrollment(first), enrollment(first + 1)};
    const UnitOfWork* const pointers[] = {&units[0], &units[1]};
    std::vector<std::string> outcomes;
    for (const auto& result : group.commit(pointers)) outcomes.push_back(outcome(result));
    return outcomes;
}

// bug class 24, 31: every operation on the disk fails once; after each the batch is there whole, or not at all and said so.
TEST_P(Faults, EveryStepOnce) {
    const TemporaryDirectory directory;
    FaultyDisk disk;
    const auto path = directory / "store.db";
    open_or_fail(path).reset();
    sqlite::GroupCommit group{path, {}};
    const std::vector<std::string> ok(2, "ok"), unavailable(2, "unavailable");
    ASSERT_EQ(commit_two(group, 0), ok);
    disk.mend();
    ASSERT_EQ(commit_two(group, 2), ok);
    const int steps = disk.operations();
    ASSERT_GT(steps, 2);

    auto reader = sqlite::Connection::open(path, SQLITE_OPEN_READWRITE, std::chrono::milliseconds{0});
    ASSERT_TRUE(reader);
    std::int64_t expected = 4;
    for (int step = 0; step < steps; ++step) {
        const auto first = static_cast<std::uint64_t>(100 + 10 * step);
        disk.fail_at(step, GetParam().code);
        const auto outcomes = commit_two(group, first);
        disk.mend();
        ASSERT_TRUE(outcomes == ok || outcomes == unavailable) << "step " << step << ": " << outcomes[0];
        if (outcomes == ok) expected += 2;
        EXPECT_EQ(*reader->integer("SELECT count(*) FROM certificates"), expected) << "step " << step;
        ASSERT_EQ(commit_two(group, first + 5), ok) << "not recovered after step " << step;
        expected += 2;
        EXPECT_EQ(*reader->integer("SELECT count(*) FROM certificates"), expected) << "step " << step;
        EXPECT_EQ(*reader->integer("SELECT count(*) FROM audit"), expected) << "step " << step;
    }
    EXPECT_EQ(*reader->text("PRAGMA integrity_check"), "ok");
}

TEST_P(Faults, StoreRecoversWhenTheDiskDoes) {  // bug class 31
    const TemporaryDirectory directory;
    FaultyDisk disk;
    const auto path = directory / "store.db";
    {
        const auto store = open_or_fail(path);
        ASSERT_EQ(outcome(store->commit(enrollment(1))), "ok");
        disk.fail_always(GetParam().code);
        for (std::uint64_t i = 10; i < 13; ++i) {
            const auto result = store->commit(enrollment(i));
            ASSERT_EQ(outcome(result), "unavailable");
            EXPECT_NE(result.error().cause.find("sqlite"), std::string::npos);
            EXPECT_GT(result.error().retry_after_s, 0u);
        }
        EXPECT_EQ(*store->count_certificates(), 1) << "reading goes on";
        disk.mend();
        EXPECT_EQ(outcome(store->commit(enrollment(2))), "ok");
        EXPECT_EQ(*store->count_certificates(), 2);
        EXPECT_TRUE(store->check());
    }
    EXPECT_EQ(*open_or_fail(path)->count_certificates(), 2);
}

TEST(Fault, OpeningFailsWithItsReason) {
    const TemporaryDirectory directory;
    FaultyDisk disk;
    disk.fail_always(SQLITE_FULL);
    EXPECT_EQ(outcome(open_sqlite(directory / "store.db")), "unavailable");
    disk.mend();
    EXPECT_EQ(outcome(open_sqlite(directory / "store.db")), "ok") << "the empty file is taken for what it is";
}

TEST(Fault, LockHeldByAnotherIsUnavailable) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    Options options;
    options.busy_timeout = std::chrono::milliseconds{1};
    const auto store = open_or_fail(path, options);
    auto other = sqlite::Connection::open(path, SQLITE_OPEN_READWRITE, std::chrono::milliseconds{0});
    ASSERT_TRUE(other && other->execute("BEGIN IMMEDIATE"));
    EXPECT_EQ(outcome(store->commit(enrollment(1))), "unavailable");
    ASSERT_TRUE(other->execute("ROLLBACK"));
    EXPECT_EQ(outcome(store->commit(enrollment(1))), "ok");
}

/// The file's page with the root of a table.
long root_page(const std::filesystem::path& path, const std::string& table) {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    long page = 0;
    const auto take = [](void* to, int, char** columns, char**) { return *static_cast<long*>(to) = std::atol(columns[0]), 0; };
    EXPECT_EQ(sqlite3_exec(database, ("SELECT rootpage FROM sqlite_schema WHERE name = '" + table + "'").c_str(), take, &page, nullptr), SQLITE_OK);
    sqlite3_close(database);
    return page;
}

TEST(Fault, DamagedFileIsFound) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    {
        const auto store = open_or_fail(path);
        for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(store->commit(enrollment(i)));
        EXPECT_TRUE(store->check());
    }
    const auto root = root_page(path, "certificates");
    ASSERT_GT(root, 1);
    {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "r+b"), std::fclose};
        ASSERT_TRUE(file);
        ASSERT_EQ(std::fseek(file.get(), 4096 * (root - 1) + 8, SEEK_SET), 0);
        const std::string noise(3000, '\xAA');
        ASSERT_EQ(std::fwrite(noise.data(), 1, noise.size(), file.get()), noise.size());
    }
    const auto store = open_sqlite(path);
    ASSERT_TRUE(store);
    EXPECT_FALSE((*store)->check());
}

/// Runs `body` in a child process; its result is the child's exit status.
int in_child(const std::function<int()>& body) {
    const auto child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// bug class 31: the kernel itself refuses to let files grow.
TEST(Fault, FileSizeLimit) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    EXPECT_EQ(in_child([&] {
                  ::signal(SIGXFSZ, SIG_IGN);
                  const auto limit = [](rlim_t bytes) {
                      const rlimit limits{bytes, RLIM_INFINITY};
                      return ::setrlimit(RLIMIT_FSIZE, &limits) == 0;
                  };
                  const auto store = open_or_fail(path);
                  if (!limit(400'000)) return 10;
                  std::int64_t written = 0;
                  for (std::uint64_t i = 0; i < 2000; ++i) {
                      const auto result = store->commit(enrollment(i));
                      if (!result && result.error().code != Code::unavailable) return 11;
                      if (!result) break;
                      ++written;
                  }
                  if (written == 0 || written == 2000 || *store->count_certificates() != written) return 12;
                  if (!limit(RLIM_INFINITY)) return 13;
                  if (!store->commit(enrollment(5000))) return 14;
                  return *store->count_certificates() == written + 1 && store->check() ? 0 : 15;
              }),
              0);
    EXPECT_TRUE(open_or_fail(path)->check());
}

// bug class 31: a file system without space.
TEST(Fault, FullFileSystem) {
    const TemporaryDirectory directory;
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=1m,mode=700") != 0)
        GTEST_SKIP() << "may not mount a small file system here";
    {
        const auto store = open_or_fail(directory / "store.db");
        std::int64_t written = 0;
        Result<void> result;
        for (std::uint64_t i = 0; i < 5000 && result; ++i)
            if ((result = store->commit(enrollment(i)))) ++written;
        EXPECT_EQ(outcome(result), "unavailable");
        EXPECT_EQ(*store->count_certificates(), written);
        ASSERT_EQ(::mount("tmpfs", directory.path().c_str(), "tmpfs", MS_REMOUNT, "size=16m,mode=700"), 0);
        EXPECT_EQ(outcome(store->commit(enrollment(9000))), "ok");
        EXPECT_EQ(*store->count_certificates(), written + 1);
        EXPECT_TRUE(store->check());
    }
    ::umount(directory.path().c_str());
}

}  // namespace
}  // namespace estuary::store
