// Processes that are killed, and processes that share a database.
#include <csignal>
#include <set>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

namespace estuary::store {
namespace {

/// Writes from four threads until it is killed; tells each committed number through `report`.
[[noreturn]] void write_for_ever(const std::filesystem::path& path, std::uint64_t first, int report) {
    const auto store = open_or_fail(path);
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0;; ++i) {
                const auto number = first + t * 100'000 + i;
                if (!store->commit(enrollment(number))) ::_exit(1);
                if (::write(report, &number, sizeof number) != sizeof number) ::_exit(2);
            }
        });
    for (auto& thread : threads) thread.join();
    ::_exit(3);
}

TEST(Crash, EverythingReportedIsThere) {  // bug class 24
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    std::set<std::uint64_t> reported;
    for (std::uint64_t round = 0; round < 6; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(ends[0]);
            write_for_ever(path, round * 1'000'000, ends[1]);
        }
        ::close(ends[1]);
        // Killed after a number of reports that differs by round: now in the first commits, now in the midst of many.
        const std::size_t enough = reported.size() + 1 + round * 40;
        std::uint64_t number = 0;
        while (::read(ends[0], &number, sizeof number) == sizeof number) {
            reported.insert(number);
            if (reported.size() == enough) ::kill(child, SIGKILL);
        }
        ::close(ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself: " << status;

        // Inspected in a child too: threads and forks do not mix.
        const auto inspector = ::fork();
        if (inspector == 0) {
            const auto store = open_or_fail(path);
            if (!store->check()) ::_exit(10);
            for (const auto each : reported) {
                const auto found = store->certificate("issuing", serial(each));
                if (!found || !*found) ::_exit(11);
            }
            const auto events = store->audit(0, 1'000'000);  // units are there whole or not at all
            if (!events || static_cast<std::int64_t>(events->size()) != *store->count_certificates()) ::_exit(12);
            ::_exit(0);
        }
        ASSERT_EQ(::waitpid(inspector, &status, 0), inspector);
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_EQ(WEXITSTATUS(status), 0) << "round " << round;
    }
    EXPECT_GE(reported.size(), 600u);
}

TEST(Processes, TwoMayWrite) {
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    constexpr std::uint64_t each = 100;
    std::vector<pid_t> children;
    for (std::uint64_t p = 0; p < 2; ++p) {  // both create it, too
        const auto child = ::fork();
        if (child == 0) {
            const auto store = open_or_fail(path);
            for (std::uint64_t i = 0; i < each; ++i)
                if (!store->commit(enrollment(p * 1000 + i))) ::_exit(1);
            ::_exit(0);
        }
        children.push_back(child);
    }
    for (const auto child : children) {
        int status = -1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    const auto store = open_or_fail(path);
    EXPECT_EQ(*store->count_certificates(), static_cast<std::int64_t>(2 * each));
    EXPECT_TRUE(store->check());
}

TEST(Processes, ConflictBetweenTwoIsSeen) {  // bug class 23, 35
    const TemporaryDirectory directory;
    const auto here = open_or_fail(directory / "store.db");
    const auto there = open_or_fail(directory / "store.db");  // as another process would
    EXPECT_EQ(outcome(here->commit(enrollment(1))), "ok");
    EXPECT_EQ(outcome(there->commit(enrollment(1))), "conflict");
    EXPECT_EQ(outcome(there->commit(unit(InsertCredential{credential("a", 1)}))), "ok");
    EXPECT_EQ(outcome(here->commit(unit(SpendCredential{1, noon}))), "ok");
    EXPECT_EQ(outcome(there->commit(unit(SpendCredential{1, noon}))), "conflict");
    EXPECT_EQ((*there->certificate("issuing", serial(1)))->subject, "CN=device-1");
}

}  // namespace
}  // namespace estuary::store
