// What CRLs and watchers of revocations read, and the guard of publication.
#include "support.h"

namespace estuary::store {
namespace {

class Revocations : public testing::Test {
protected:
    template <class... Writes>
    std::string commit(Writes... writes) {
        return outcome(store->commit(unit(std::move(writes)...)));
    }
    void issue(std::uint64_t number, unsigned shard = 0, Time not_after = noon + 90 * day) {
        auto record = certificate(number);
        record.shard = shard;
        record.not_after = not_after;
        ASSERT_EQ(commit(InsertCertificate{record, std::nullopt}), "ok");
    }
    std::int64_t id_of(std::uint64_t number) { return (*store->certificate("issuing", serial(number)))->id; }
    void revoke(std::uint64_t number, RevocationReason reason = RevocationReason::superseded, std::optional<Time> invalid = {}) {
        ASSERT_EQ(commit(RevokeCertificate{id_of(number), {noon + day, reason, invalid}}), "ok");
    }
    /// "7:superseded 9:good": what a CRL would tell.
    std::string told(const RevokedQuery& query) {
        std::string text;
        const auto position = store->visit_revoked(query, [&](const RevokedCertificate& entry) {
            text += fmt::format("{}{}:{}", text.empty() ? "" : " ", entry.serial_number.back(),
                                entry.revocation ? to_string(entry.revocation->reason) : "good");
        });
        EXPECT_TRUE(position) << position.error().detail;
        last = position.value_or(-1);
        return text;
    }
    static CrlRecord crl(std::int64_t number, bool delta = false, unsigned shard = 0) {
        CrlRecord record;
        record.ca = "issuing";
        record.shard = shard;
        record.delta = delta;
        record.number = number;
        record.base_number = delta ? 1 : 0;
        record.position = 17;
        record.entries = 3;
        record.this_update = noon;
        record.next_update = noon + day;
        return record;
    }

    TemporaryDirectory directory;
    std::unique_ptr<Store> store = open_or_fail(directory / "store.db");
    std::int64_t last = 0;
};

TEST_F(Revocations, OfOneShardInOrderOfSerialNumbers) {
    for (const unsigned number : {9u, 3u, 5u, 7u}) issue(number, number == 5 ? 1 : 0);
    for (const unsigned number : {7u, 9u, 5u}) revoke(number);
    EXPECT_EQ(told({.ca = "issuing"}), "7:superseded 9:superseded");
    EXPECT_EQ(last, 3);
    EXPECT_EQ(told({.ca = "issuing", .shard = 1}), "5:superseded");
    EXPECT_EQ(told({.ca = "another"}), "");
}

TEST_F(Revocations, ExpiredOnesAreLeftOut) {
    issue(1, 0, noon + 10 * day);
    issue(2, 0, noon + 20 * day);
    revoke(1);
    revoke(2);
    EXPECT_EQ(told({.ca = "issuing", .not_expired_at = noon + 10 * day}), "1:superseded 2:superseded") << "notAfter is inclusive";
    EXPECT_EQ(told({.ca = "issuing", .not_expired_at = noon + 10 * day + Seconds{1}}), "2:superseded");
}

TEST_F(Revocations, SinceAPositionOnlyWhatChanged) {
    for (const unsigned number : {1u, 2u, 3u}) issue(number);
    revoke(1);
    revoke(2, RevocationReason::certificate_hold);
    told({.ca = "issuing"});
    const auto base = last;
    EXPECT_EQ(told({.ca = "issuing", .since = base}), "");
    revoke(3);
    EXPECT_EQ(commit(RevokeCertificate{id_of(2), {noon, RevocationReason::remove_from_crl}}), "ok");
    EXPECT_EQ(told({.ca = "issuing", .since = base}), "2:good 3:superseded");
    EXPECT_EQ(told({.ca = "issuing"}), "1:superseded 3:superseded");
    revoke(2, RevocationReason::key_compromise);
    EXPECT_EQ(told({.ca = "issuing", .since = base}), "2:keyCompromise 3:superseded") << "changed twice, told once";
}

TEST_F(Revocations, InvalidityDateIsKept) {
    issue(1);
    revoke(1, RevocationReason::key_compromise, noon - day);
    const auto record = store->certificate("issuing", serial(1));
    ASSERT_TRUE(record && *record && (*record)->revocation);
    EXPECT_EQ((*record)->revocation->invalidity_date, noon - day);
    std::optional<Time> visited;
    ASSERT_TRUE(store->visit_revoked({.ca = "issuing"}, [&](const auto& entry) { visited = entry.revocation->invalidity_date; }));
    EXPECT_EQ(visited, noon - day);
}

TEST_F(Revocations, ChangesTellWhichShardToPublishAnew) {
    issue(1, 4);
    issue(2, 0);
    revoke(2);
    revoke(1);
    const auto changes = store->revocation_changes(0, 10);
    ASSERT_TRUE(changes);
    ASSERT_EQ(changes->size(), 2u);
    EXPECT_EQ((*changes)[0].serial_number, serial(2));
    EXPECT_EQ((*changes)[1].shard, 4u);
    EXPECT_EQ((*changes)[1].ca, "issuing");
    EXPECT_EQ(*store->last_revocation_change(), (*changes)[1].position);
    EXPECT_EQ(store->revocation_changes((*changes)[0].position, 10)->size(), 1u);
    EXPECT_EQ(store->revocation_changes(0, 1)->size(), 1u);
}

TEST_F(Revocations, CrlNumbersOnlyGrow) {  // bug class 18
    EXPECT_EQ(commit(PublishCrl{crl(5)}), "ok");
    EXPECT_EQ(commit(PublishCrl{crl(5)}), "conflict");
    EXPECT_EQ(commit(PublishCrl{crl(5, true)}), "conflict") << "complete and delta CRLs share their numbers";
    EXPECT_EQ(commit(PublishCrl{crl(6, true)}), "ok");
    EXPECT_EQ(commit(PublishCrl{crl(6)}), "conflict");
    EXPECT_EQ(commit(PublishCrl{crl(1, false, 2)}), "ok") << "another shard counts for itself";
    store.reset();
    store = open_or_fail(directory / "store.db");
    EXPECT_EQ(commit(PublishCrl{crl(6)}), "conflict") << "also after a restart";
}

TEST_F(Revocations, NewestCrlOfEachKindIsKept) {
    ASSERT_EQ(commit(PublishCrl{crl(1)}, PublishCrl{crl(2, true)}, PublishCrl{crl(3, false, 1)}), "ok");
    ASSERT_EQ(commit(PublishCrl{crl(4)}), "ok");
    const auto complete = store->crl("issuing", 0, false);
    ASSERT_TRUE(complete && *complete);
    EXPECT_EQ((*complete)->number, 4);
    EXPECT_EQ((*complete)->position, 17);
    EXPECT_EQ((*complete)->entries, 3);
    EXPECT_EQ((*complete)->next_update, noon + day);
    EXPECT_EQ((*store->crl("issuing", 0, true))->base_number, 1);
    EXPECT_FALSE(*store->crl("issuing", 7, false));
    const auto all = store->crls();
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 3u);
    EXPECT_EQ((*all)[0].number, 4);
    EXPECT_TRUE((*all)[1].delta);
    EXPECT_EQ((*all)[2].shard, 1u);
}

}  // namespace
}  // namespace estuary::store
