// State between the messages of a transaction, and certificates that wait for their confirmation.
#include "tests/unit/store/support.h"

namespace estuary::store {
namespace {

class Transactions : public ::testing::Test {
protected:
    Result<void> commit(std::vector<Write> writes) {
        UnitOfWork work;
        work.writes = std::move(writes);
        return store->commit(std::move(work));
    }
    TransactionRecord record(std::int64_t revision, std::string_view state) const {
        return {"cmp", key(1), revision, to_vec(as_bytes(state)), noon};
    }
    TemporaryDirectory directory;
    std::unique_ptr<Store> store = open_sqlite(directory / "estuary.db").value();
};

TEST_F(Transactions, GoOnFromTheStateThatWasReadOnly) {
    ASSERT_TRUE(commit({PutTransaction{record(0, "first")}}));
    EXPECT_EQ(commit({PutTransaction{record(0, "again")}}).error().code, Code::conflict);
    auto stored = store->transaction("cmp", key(1)).value().value();
    EXPECT_EQ(stored.revision, 1);
    EXPECT_EQ(as_text(stored.state), "first");
    EXPECT_EQ(stored.expires_at, noon);
    ASSERT_TRUE(commit({PutTransaction{record(stored.revision, "second")}}));
    EXPECT_EQ(commit({PutTransaction{record(stored.revision, "late")}}).error().code, Code::conflict);
    stored = store->transaction("cmp", key(1)).value().value();
    EXPECT_EQ(stored.revision, 2);
    EXPECT_EQ(as_text(stored.state), "second");
}

TEST_F(Transactions, AreOfOneProtocol) {
    ASSERT_TRUE(commit({PutTransaction{record(0, "cmp's")}}));
    EXPECT_FALSE(store->transaction("cmc", key(1)).value());
    EXPECT_FALSE(store->transaction("cmp", key(2)).value());
    EXPECT_EQ(commit({RemoveTransaction{"cmc", key(1)}}).error().code, Code::conflict);
    EXPECT_TRUE(commit({RemoveTransaction{"cmp", key(1)}}));
    EXPECT_FALSE(store->transaction("cmp", key(1)).value());
}

TEST_F(Transactions, EndByTheClock) {
    std::vector<Write> writes;
    for (unsigned i = 0; i < 1'200; ++i)
        writes.emplace_back(PutTransaction{{"cmp", key(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)), 0, {},
                                            i % 2 == 0 ? noon : noon + day}});
    ASSERT_TRUE(commit(std::move(writes)));
    EXPECT_EQ(store->end_transactions(noon).value(), 0U);
    EXPECT_EQ(store->end_transactions(noon + Seconds{1}).value(), 600U);
    EXPECT_EQ(store->end_transactions(noon + Seconds{1}).value(), 0U);
    EXPECT_EQ(store->end_transactions(noon + 2 * day).value(), 600U);
}

TEST_F(Transactions, AnUnconfirmedCertificateIsSettledOnce) {
    EXPECT_EQ(commit({AwaitConfirmation{noon}}).error().code, Code::internal);
    ASSERT_TRUE(commit({InsertCertificate{certificate(1), {}}, AwaitConfirmation{noon}}));
    ASSERT_TRUE(commit({InsertCertificate{certificate(2), {}}}));
    const auto waiting = store->unconfirmed("issuing", serial(1)).value().value();
    EXPECT_EQ(waiting.until, noon);
    EXPECT_EQ(waiting.requester, "credential:line-1");
    EXPECT_FALSE(store->unconfirmed("issuing", serial(2)).value());
    EXPECT_FALSE(store->unconfirmed("other", serial(1)).value());
    EXPECT_EQ(store->unconfirmed(noon, 10).value().size(), 0U);
    EXPECT_EQ(store->unconfirmed(noon + Seconds{1}, 10).value().size(), 1U);
    EXPECT_TRUE(commit({SettleConfirmation{waiting.id}}));
    EXPECT_EQ(commit({SettleConfirmation{waiting.id}}).error().code, Code::conflict);
    EXPECT_FALSE(store->unconfirmed("issuing", serial(1)).value());
}

}  // namespace
}  // namespace estuary::store
