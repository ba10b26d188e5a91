// Many units in one transaction, and the queue before it.
#include <atomic>
#include <latch>
#include <thread>

#include "estuary/store/group_commit.h"
#include "support.h"

namespace estuary::store {
namespace {

using sqlite::GroupCommit;

std::vector<std::string> commit(GroupCommit& group, const std::vector<UnitOfWork>& units) {
    std::vector<const UnitOfWork*> pointers;
    for (const auto& work : units) pointers.push_back(&work);
    std::vector<std::string> outcomes;
    for (const auto& result : group.commit(pointers)) outcomes.push_back(outcome(result));
    return outcomes;
}

TEST(GroupCommit, ConflictLeavesTheOthersAlone) {  // bug class 35
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    ASSERT_EQ(outcome(store->commit(enrollment(2))), "ok");

    GroupCommit group{directory / "store.db", {}};
    std::vector<UnitOfWork> units;
    units.push_back(enrollment(1));
    units.push_back(enrollment(2));                                                          // fails before it wrote
    units.push_back(unit(PutSetting{"half", "x"}, InsertCertificate{certificate(2), {}}));   // fails after it wrote
    units.push_back(enrollment(3));
    units.push_back(enrollment(3));                                                          // of the same batch
    units.push_back(unit(RemoveCredential{"nobody"}));
    units.push_back(enrollment(4));
    EXPECT_EQ(commit(group, units),
              (std::vector<std::string>{"ok", "conflict", "conflict", "ok", "conflict", "conflict", "ok"}));
    EXPECT_EQ(*store->count_certificates(), 4);
    EXPECT_FALSE(*store->setting("half"));
    EXPECT_EQ(store->audit(0, 100)->size(), 4u);
    EXPECT_TRUE(*store->certificate("issuing", serial(4)));
}

TEST(GroupCommit, AuthorityOfAConflictingUnitIsNotRemembered) {
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    GroupCommit group{directory / "store.db", {}};
    auto first = certificate(1);
    first.ca = "fresh";
    std::vector<UnitOfWork> units;
    units.push_back(unit(InsertCertificate{first, {}}, RemoveCredential{"nobody"}));
    units.push_back(unit(PutSetting{"a", "b"}));
    EXPECT_EQ(commit(group, units), (std::vector<std::string>{"conflict", "ok"}));
    units.clear();
    units.push_back(unit(InsertCertificate{certificate(1), {}}));
    units.push_back(unit(InsertCertificate{first, {}}));
    EXPECT_EQ(commit(group, units), (std::vector<std::string>{"ok", "ok"}));
    EXPECT_EQ((*store->certificate("fresh", serial(1)))->ca, "fresh");
    EXPECT_EQ((*store->certificate("issuing", serial(1)))->ca, "issuing");
}

TEST(GroupCommit, ManyThreadsAllSeeTheirOwnWrites) {
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    constexpr std::uint64_t threads = 8, each = 50;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> all;
    for (std::uint64_t t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < each; ++i) {
                const auto number = t * 1000 + i;
                if (!store->commit(enrollment(number))) ++wrong;
                const auto found = store->certificate("issuing", serial(number));  // read after write
                if (!found || !*found) ++wrong;
            }
        });
    for (auto& thread : all) thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(*store->count_certificates(), static_cast<std::int64_t>(threads * each));
    EXPECT_EQ(store->audit(0, 10'000)->size(), threads * each);
    EXPECT_TRUE(store->check());
}

TEST(GroupCommit, OfManyThatWantTheSameOneGetsIt) {  // bug class 23, 26
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    ASSERT_TRUE(store->commit(unit(InsertCredential{credential("once", 1)})));
    constexpr int rivals = 64;
    std::atomic<int> won = 0, lost = 0;
    std::latch done{rivals};
    for (int i = 0; i < rivals; ++i)
        store->submit(unit(AppendAudit{event("try")}, SpendCredential{1, noon}), [&](const Result<void>& result) {
            if (result) ++won;
            if (!result && result.error().code == Code::conflict) ++lost;
            done.count_down();
        });
    done.wait();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, rivals - 1);
    EXPECT_EQ(store->audit(0, 1000)->size(), 1u);
}

TEST(Writer, LoneUnitNeverLingers) {
    const TemporaryDirectory directory;
    Options options;
    options.linger = std::chrono::hours{24};  // who waits this long fails by the test's time limit
    const auto store = open_or_fail(directory / "store.db", options);
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(outcome(store->commit(enrollment(i))), "ok");
}

TEST(Writer, FullBatchEndsLingering) {
    const TemporaryDirectory directory;
    Options options;
    options.linger = std::chrono::hours{24};
    options.batch_max = 4;
    const auto store = open_or_fail(directory / "store.db", options);
    std::latch started{1}, go{1}, done{8};
    store->submit(enrollment(100), [&](const Result<void>&) {  // holds the writer until eight are waiting
        started.count_down();
        go.wait();
    });
    started.wait();
    for (std::uint64_t i = 0; i < 8; ++i) store->submit(enrollment(i), [&](const Result<void>&) { done.count_down(); });
    go.count_down();
    done.wait();
    EXPECT_EQ(*store->count_certificates(), 9);
}

TEST(Writer, FullQueueIsToldAtOnce) {  // bug class 30
    const TemporaryDirectory directory;
    Options options;
    options.queue_max = 2;
    auto store = open_or_fail(directory / "store.db", options);
    std::latch started{1}, go{1}, done{2};
    store->submit(enrollment(0), [&](const Result<void>&) {
        started.count_down();
        go.wait();
    });
    started.wait();  // the queue is empty, the writer held
    for (std::uint64_t i = 1; i <= 2; ++i)
        store->submit(enrollment(i), [&](const Result<void>& result) {
            EXPECT_TRUE(result);
            done.count_down();
        });
    std::string refused;
    auto work = enrollment(3);
    const auto lease = std::make_shared<int>();
    work.leases.push_back(lease);
    store->submit(std::move(work), [&](const Result<void>& result) {
        refused = outcome(result);
        EXPECT_EQ(lease.use_count(), 1);
    });
    EXPECT_EQ(refused, "too_busy");
    go.count_down();
    done.wait();
    EXPECT_EQ(*store->count_certificates(), 3);
}

TEST(Writer, LeasesAreReleasedBeforeTheAnswer) {
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    auto work = enrollment(1);
    const auto lease = std::make_shared<int>();
    work.leases.push_back(lease);
    std::latch done{1};
    store->submit(std::move(work), [&](const Result<void>&) {
        EXPECT_EQ(lease.use_count(), 1);
        done.count_down();
    });
    done.wait();
}

TEST(Writer, DestructionCommitsWhatIsQueued) {
    const TemporaryDirectory directory;
    std::atomic<int> committed = 0;
    {
        const auto store = open_or_fail(directory / "store.db");
        for (std::uint64_t i = 0; i < 300; ++i)
            store->submit(enrollment(i), [&](const Result<void>& result) { committed += result ? 1 : 0; });
    }
    EXPECT_EQ(committed, 300);
    EXPECT_FALSE(std::filesystem::exists(directory / "store.db-wal")) << "the last checkpoint is missing";
    EXPECT_EQ(*open_or_fail(directory / "store.db")->count_certificates(), 300);
}

TEST(Writer, LogStaysWithinItsLimit) {  // bug class 30
    const TemporaryDirectory directory;
    const auto path = directory / "store.db";
    const auto store = open_or_fail(path);
    constexpr std::uintmax_t limit = 64u << 20;
    const auto log_bytes = [&] { return std::filesystem::file_size(directory / "store.db-wal"); };
    std::uint64_t number = 0;
    const auto write_megabytes = [&](int count) {
        for (int i = 0; i < count; ++i) {
            auto record = certificate(++number);
            record.der.resize(1u << 20);
            ASSERT_EQ(outcome(store->commit(unit(InsertCertificate{std::move(record), {}}))), "ok");
        }
    };
    ASSERT_NO_FATAL_FAILURE(write_megabytes(1));
    {
        // A reader that stays where it is keeps the log from being emptied; nobody waits for it.
        auto reader = sqlite::Connection::open(path, SQLITE_OPEN_READWRITE, std::chrono::milliseconds{0});
        ASSERT_TRUE(reader && reader->execute("BEGIN; SELECT count(*) FROM certificates;"));
        ASSERT_NO_FATAL_FAILURE(write_megabytes(70));
        EXPECT_GT(log_bytes(), limit);
        ASSERT_TRUE(reader->execute("COMMIT"));
    }
    ASSERT_NO_FATAL_FAILURE(write_megabytes(20));
    EXPECT_LE(log_bytes(), limit);
    EXPECT_EQ(*store->count_certificates(), static_cast<std::int64_t>(number));
}

}  // namespace
}  // namespace estuary::store
