#include <thread>

#include <sqlite3.h>

#include "faulty_disk.h"
#include "support.h"

namespace estuary::store {
namespace {

/// `count` certificates with request keys, a day apart.
void fill(Store& store, int count) {
    std::vector<UnitOfWork> units;
    UnitOfWork work;
    for (int i = 0; i < count; ++i) {
        auto record = certificate(static_cast<std::uint64_t>(i));
        record.issued_at = noon + i * day;
        record.der.resize(10);
        RequestKey request_key{};
        request_key[0] = static_cast<std::uint8_t>(i * 37);
        request_key[1] = static_cast<std::uint8_t>(i >> 8);
        request_key[2] = static_cast<std::uint8_t>(i);
        work.writes.emplace_back(InsertCertificate{std::move(record), request_key});
    }
    ASSERT_EQ(outcome(store.commit(std::move(work))), "ok");
}

std::int64_t keys_in(const std::filesystem::path& path) {
    sqlite3* database = nullptr;
    sqlite3_stmt* statement = nullptr;
    sqlite3_open(path.c_str(), &database);
    sqlite3_prepare_v2(database, "SELECT count(*) FROM request_keys", -1, &statement, nullptr);
    sqlite3_step(statement);
    const auto count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return count;
}

TEST(Tidy, DeletesWhatHasNoMoreUseAndNothingElse) {
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    ASSERT_NO_FATAL_FAILURE(fill(*store, 10));
    const Time before = noon + 5 * day;

    auto old_request = pending(key(1)), new_request = pending(key(2));
    old_request.expires_at = before - Seconds{1};
    new_request.expires_at = before;
    auto expired = credential("expired"), valid = credential("valid"), spent = credential("spent", 1),
         just_spent = credential("just-spent", 1), unspent = credential("unspent", 1), for_ever = credential("for-ever");
    expired.expires_at = before - Seconds{1};
    valid.expires_at = before;
    ASSERT_TRUE(store->commit(unit(InsertPendingRequest{old_request}, InsertPendingRequest{new_request},
                                   InsertCredential{expired}, InsertCredential{valid}, InsertCredential{spent},
                                   InsertCredential{just_spent}, InsertCredential{unspent}, InsertCredential{for_ever})));
    ASSERT_TRUE(store->commit(unit(SpendCredential{3, before - Seconds{1}}, SpendCredential{4, before})));

    const auto gone = store->tidy(before);
    ASSERT_TRUE(gone);
    EXPECT_EQ(*gone, 5u + 1u + 2u);
    EXPECT_EQ(keys_in(directory / "store.db"), 5);
    EXPECT_EQ(*store->count_certificates(), 10);
    EXPECT_FALSE(*store->pending_request(key(1)));
    EXPECT_TRUE(*store->pending_request(key(2)));
    std::vector<std::string> names;
    const auto left = *store->credentials();
    for (const auto& record : left) names.push_back(record.name);
    EXPECT_EQ(names, (std::vector<std::string>{"for-ever", "just-spent", "unspent", "valid"}));
    EXPECT_EQ(*store->tidy(before), 0u);
}

TEST(Tidy, TableOfManySteps) {  // bug class 36
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    ASSERT_NO_FATAL_FAILURE(fill(*store, 5500));
    EXPECT_EQ(*store->tidy(noon + 5000 * day), 5000u);
    EXPECT_EQ(keys_in(directory / "store.db"), 500);
}

TEST(Tidy, EmptyStore) {
    const TemporaryDirectory directory;
    EXPECT_EQ(*open_or_fail(directory / "store.db")->tidy(noon), 0u);
}

TEST(Tidy, InterruptedGoesOnLater) {  // bug class 36
    const TemporaryDirectory directory;
    FaultyDisk disk;
    const auto store = open_or_fail(directory / "store.db");
    ASSERT_NO_FATAL_FAILURE(fill(*store, 5500));
    std::size_t interrupted = 0;
    for (int step = 0; step < 12; step += 3) {
        disk.fail_at(step, SQLITE_FULL, true);
        const auto result = store->tidy(noon + 5000 * day);
        disk.mend();
        if (!result) {
            ++interrupted;
            EXPECT_EQ(result.error().code, Code::unavailable);
        }
        EXPECT_TRUE(store->check());
    }
    EXPECT_GT(interrupted, 0u);
    ASSERT_TRUE(store->tidy(noon + 5000 * day));
    EXPECT_EQ(keys_in(directory / "store.db"), 500);
    EXPECT_EQ(*store->count_certificates(), 5500);
}

TEST(Tidy, OthersWriteMeanwhile) {
    const TemporaryDirectory directory;
    const auto store = open_or_fail(directory / "store.db");
    ASSERT_NO_FATAL_FAILURE(fill(*store, 3000));
    std::thread other{[&] {
        for (std::uint64_t i = 10'000; i < 10'050; ++i) EXPECT_TRUE(store->commit(enrollment(i)));
    }};
    EXPECT_EQ(*store->tidy(noon + 4000 * day), 3000u);
    other.join();
    EXPECT_EQ(*store->count_certificates(), 3050);
}

}  // namespace
}  // namespace estuary::store
