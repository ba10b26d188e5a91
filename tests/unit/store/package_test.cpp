// Packages, their downloads and receipts: guards, and what each client's query finds.
#include "support.h"

namespace estuary::store {
namespace {

PackageRecord package(std::string recipient_key, std::uint8_t content = 1) {
    PackageRecord record;
    record.type = "0026";
    record.label = "factory";
    record.recipient = recipient_key;
    record.recipient_key = std::move(recipient_key);
    record.media_type = "application/cms; encapsulatingContent=signedData";
    record.receipt_wanted = true;
    record.digest.fill(content);
    record.content = ByteVec(100, content);
    record.size = 100;
    record.note = "a note";
    record.created_at = record.available_from = noon;
    return record;
}

PackageQuery query(std::vector<std::string> keys, std::string client = "client") {
    PackageQuery out;
    out.label = "factory";
    out.client = std::move(client);
    out.recipient_keys = std::move(keys);
    out.available_at = noon;
    return out;
}

PackageReceipt receipt(std::optional<std::int64_t> of, std::string client = "client", std::uint8_t content = 9) {
    PackageReceipt record;
    record.package = of;
    record.operation = "firmware";
    record.client = std::move(client);
    record.requester = "certificate:issuing/01";
    record.label = "factory";
    record.content_type = "firmwareLoadReceipt";
    record.signer = "CN=device";
    record.digest.fill(content);
    record.content = {content};
    record.size = 1;
    record.received_at = noon + day;
    return record;
}

class Packages : public testing::Test {
protected:
    template <class... Writes>
    std::string commit(Writes... writes) {
        return outcome(store->commit(unit(std::move(writes)...)));
    }
    std::int64_t added(PackageRecord record) {
        EXPECT_EQ(commit(InsertPackage{std::move(record)}), "ok");
        return reads->packages()->back().id;
    }
    std::vector<std::int64_t> found(const PackageQuery& asked) {
        std::vector<std::int64_t> ids;
        const auto waiting = reads->waiting_packages(asked).value();
        for (const auto& one : waiting) ids.push_back(one.record.id);
        return ids;
    }
    using Ids = std::vector<std::int64_t>;

    TemporaryDirectory directory;
    std::unique_ptr<Store> store = open_or_fail(directory / "store.db");
    PackageReads* reads = store->package_reads();
};

TEST_F(Packages, AreStoredWholeAndOnce) {
    auto record = package("any");
    record.available_until = noon + day;
    record.encrypted = true;
    const auto id = added(record);
    const auto whole = reads->package(id).value();
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->content, record.content);
    EXPECT_EQ(whole->type, "0026");
    EXPECT_EQ(whole->label, "factory");
    EXPECT_EQ(whole->media_type, record.media_type);
    EXPECT_TRUE(whole->encrypted);
    EXPECT_TRUE(whole->receipt_wanted);
    EXPECT_EQ(whole->digest, record.digest);
    EXPECT_EQ(whole->note, "a note");
    EXPECT_EQ(whole->available_until, record.available_until);
    EXPECT_TRUE(reads->packages()->front().content.empty()) << "lists are without content";
    EXPECT_EQ(commit(InsertPackage{record}), "conflict");
    record.label.reset();
    EXPECT_EQ(commit(InsertPackage{record}), "ok") << "another label is another package";
    EXPECT_FALSE(reads->packages()->back().label);
    EXPECT_FALSE(*reads->package(99));
}

TEST_F(Packages, AreFoundByRecipientLabelTypeAndTime) {  // bug class 7
    const auto own = added(package("certificate:issuing/01"));
    const auto anybodys = added(package("any", 2));
    added(package("certificate:issuing/02", 3));
    auto elsewhere = package("any", 4);
    elsewhere.label = "other";
    added(elsewhere);
    auto everywhere = package("any", 5);
    everywhere.label.reset();
    everywhere.type = "0024";
    const auto every = added(everywhere);
    EXPECT_EQ(found(query({"any", "certificate:issuing/01"})), (Ids{own, anybodys, every}));
    EXPECT_EQ(found(query({"any"})), (Ids{anybodys, every}));
    EXPECT_EQ(found(query({})), Ids{});
    auto by_type = query({"any"});
    by_type.types = {"0024", "0025"};
    EXPECT_EQ(found(by_type), Ids{every});
    auto by_id = query({"any", "certificate:issuing/01"});
    by_id.id = own;
    EXPECT_EQ(found(by_id), Ids{own});
    auto others = query({"any"});
    others.id = own;
    EXPECT_EQ(found(others), Ids{});
    auto later = query({"any"});
    later.after_id = anybodys;
    EXPECT_EQ(found(later), Ids{every});
    auto newest = query({"any"});
    newest.newest_first = true;
    newest.count_max = 1;
    EXPECT_EQ(found(newest), Ids{every});
}

TEST_F(Packages, AreThereBetweenTheirTimes) {
    auto record = package("any");
    record.available_from = noon + day;
    record.available_until = noon + 2 * day;
    const auto id = added(record);
    const std::vector<std::pair<Time, bool>> cases{
        {noon + day - Seconds{1}, false}, {noon + day, true}, {noon + 2 * day - Seconds{1}, true}, {noon + 2 * day, false}};
    for (const auto& [at, there] : cases) {
        auto asked = query({"any"});
        asked.available_at = at;
        EXPECT_EQ(found(asked).size(), there ? 1u : 0u) << to_iso8601(at);
    }
    auto whenever = query({"any"});
    whenever.available_at.reset();
    EXPECT_EQ(found(whenever), Ids{id});
}

TEST_F(Packages, DownloadsAreOfOneClientEach) {
    const auto id = added(package("any"));
    EXPECT_EQ(commit(RecordDownload{id, "client", noon}), "ok");
    EXPECT_EQ(commit(RecordDownload{id, "client", noon + day}), "ok");
    EXPECT_EQ(commit(RecordDownload{id, "other", noon}), "ok");
    EXPECT_EQ(commit(RecordDownload{id + 1, "client", noon}), "conflict") << "the package is gone";
    const auto downloads = reads->package_downloads(id).value();
    ASSERT_EQ(downloads.size(), 2u);
    EXPECT_EQ(downloads[0].client, "client");
    EXPECT_EQ(downloads[0].first_at, noon);
    EXPECT_EQ(downloads[0].last_at, noon + day);
    EXPECT_EQ(downloads[0].count, 2);
    auto asked = query({"any"});
    asked.downloaded = false;
    EXPECT_EQ(found(asked), Ids{});
    asked.downloaded = true;
    EXPECT_EQ(found(asked), Ids{id});
    EXPECT_EQ(reads->waiting_packages(asked)->front().downloaded_at, noon + day);
    asked.client = "third";
    EXPECT_EQ(found(asked), Ids{});
}

TEST_F(Packages, ReceiptsAreKeptOnceAndOutliveTheirPackage) {
    const auto id = added(package("any"));
    EXPECT_EQ(commit(InsertReceipt{receipt(id)}), "ok");
    EXPECT_EQ(commit(InsertReceipt{receipt(id)}), "conflict");
    EXPECT_EQ(commit(InsertReceipt{receipt(id, "other")}), "ok");
    EXPECT_EQ(commit(InsertReceipt{receipt(std::nullopt, "client", 8)}), "ok");
    EXPECT_TRUE(reads->waiting_packages(query({"any"}))->front().receipted);
    EXPECT_FALSE(reads->waiting_packages(query({"any"}, "third"))->front().receipted);
    EXPECT_EQ(reads->count_receipts("client", id).value(), 1);
    EXPECT_EQ(reads->count_receipts("client", std::nullopt).value(), 1);
    EXPECT_TRUE(reads->has_receipt("client", receipt(id).digest).value());
    EXPECT_FALSE(reads->has_receipt("third", receipt(id).digest).value());
    EXPECT_EQ(reads->package_receipts({id, 0, 10})->size(), 2u);
    EXPECT_EQ(reads->package_receipts({std::nullopt, 1, 10})->size(), 2u);
    const auto whole = reads->package_receipt(1).value();
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->content, ByteVec{9});
    EXPECT_EQ(whole->signer, "CN=device");

    EXPECT_EQ(commit(RecordDownload{id, "client", noon}), "ok");
    EXPECT_EQ(commit(RemovePackage{id}), "ok");
    EXPECT_EQ(commit(RemovePackage{id}), "conflict");
    EXPECT_TRUE(reads->package_downloads(id)->empty());
    EXPECT_EQ(reads->package_receipts({id, 0, 10})->size(), 2u);
    EXPECT_GT(added(package("any")), id) << "numbers are not used twice";
}

TEST_F(Packages, OnesWhoseTimeIsOverAreTidiedAway) {
    auto over = package("any", 1), lasting = package("any", 2);
    over.available_until = noon + day;
    lasting.available_until = noon + 3 * day;
    const auto first = added(over), second = added(lasting), third = added(package("any", 3));
    for (const auto id : {first, second}) EXPECT_EQ(commit(RecordDownload{id, "client", noon}), "ok");
    EXPECT_EQ(*store->tidy(noon + 2 * day), 2u) << "the package and what tells of its download";
    EXPECT_FALSE(*reads->package(first));
    EXPECT_TRUE(*reads->package(second));
    EXPECT_TRUE(*reads->package(third));
    EXPECT_EQ(reads->package_downloads(second)->size(), 1u);
    EXPECT_TRUE(reads->package_downloads(first)->empty());
}

TEST_F(Packages, DecidedRequestsAreOfOneRequesterAndLabel) {
    EXPECT_EQ(commit(InsertPendingRequest{pending(key(1))}), "ok");
    EXPECT_EQ(commit(InsertPendingRequest{pending(key(2))}), "ok");
    EXPECT_EQ(commit(InsertPendingRequest{pending(key(3))}), "ok");
    const auto decided = [&](std::string_view requester, std::string_view label, Time now = noon) {
        return reads->decided_requests(requester, label, now)->size();
    };
    EXPECT_EQ(decided("credential:line-1", "factory"), 0u);
    EXPECT_EQ(commit(DecideRequest{1, PendingRequest::State::approved, "operator", "", noon}), "ok");
    EXPECT_EQ(commit(DecideRequest{2, PendingRequest::State::denied, "operator", "", noon}), "ok");
    EXPECT_EQ(decided("credential:line-1", "factory"), 2u);
    EXPECT_EQ(decided("credential:line-2", "factory"), 0u);
    EXPECT_EQ(decided("credential:line-1", "other"), 0u);
    EXPECT_EQ(decided("credential:line-1", "factory", noon + 8 * day), 0u) << "expired";
}

}  // namespace
}  // namespace estuary::store
