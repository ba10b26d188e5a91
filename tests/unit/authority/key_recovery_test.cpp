// Who gets an archived key back.
#include "estuary/authority/key_recovery.h"

#include "support.h"

namespace estuary::authority::test {
namespace {

using testing::HasSubstr;

struct Recovery : testing::Test {
    Recovery() {
        store::CertificateRecord record;
        record.ca = "issuing";
        record.serial_number = {0x12, 0x34};
        record.subject = "CN=lost";
        UnitOfWork work;
        store::ArchivedKey archived;
        archived.agents = "CN=agent";
        archived.envelope = {0x30, 0x00};
        work.writes.emplace_back(store::InsertCertificate{record, std::nullopt});
        work.writes.emplace_back(store::ArchiveKey{archived});
        record.serial_number = {0x56};
        work.writes.emplace_back(store::InsertCertificate{record, std::nullopt});
        EXPECT_TRUE(store->commit(std::move(work)));
    }
    KeyRecoveries recoveries(unsigned approvals = 2, std::vector<std::string> operators = {"operator:ann", "operator:bob", "operator:cyd"}) {
        return {*store, {approvals, std::move(operators), Seconds{3600}}, clock};
    }
    /// One step of somebody, committed as the programs do: also when it was refused.
    template <class Step>
    auto by(Step step) {
        UnitOfWork work;
        auto result = step(work);
        if (!work.empty()) {
            const auto done = store->commit(std::move(work));
            EXPECT_TRUE(done) << done.error().detail;
        }
        return result;
    }
    Result<void> request(const std::string& who, const ByteVec& number = {0x12, 0x34}) {
        return by([&](UnitOfWork& work) { return recoveries().request("issuing", number, who, "the disk broke", work); });
    }
    Result<void> approve(const std::string& who) {
        return by([&](UnitOfWork& work) { return recoveries().approve("issuing", serial, who, work); });
    }
    Result<store::ArchivedKey> recover(const std::string& who, unsigned approvals = 2,
                                       std::vector<std::string> operators = {"operator:ann", "operator:bob", "operator:cyd"}) {
        return by([&](UnitOfWork& work) { return recoveries(approvals, operators).recover("issuing", serial, who, work); });
    }
    std::vector<std::string> events() {
        std::vector<std::string> out;
        const auto trail = store->audit(0, 100).value();
        for (const auto& event : trail) out.push_back(event.event + " " + event.actor + " " + event.outcome);
        return out;
    }

    const ByteVec serial{0x12, 0x34};
    TemporaryDirectory directory;
    ManualClock clock{start};
    std::unique_ptr<store::Store> store = store::open_sqlite(directory.path() / "estuary.db").value();
};

TEST_F(Recovery, TakesSeveralPeopleAndIsAudited) {
    ASSERT_TRUE(request("operator:dan"));
    EXPECT_EQ(code_of(request("operator:ann")), Code::conflict);
    EXPECT_EQ(code_of(recover("operator:dan")), Code::not_authorised);
    EXPECT_EQ(code_of(approve("operator:dan")), Code::not_authorised);  // none of those named
    ASSERT_TRUE(approve("operator:ann"));
    EXPECT_EQ(code_of(approve("operator:ann")), Code::conflict);
    EXPECT_EQ(code_of(recover("operator:dan")), Code::not_authorised);
    ASSERT_TRUE(approve("operator:bob"));
    const auto key = recover("operator:dan");
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_EQ(key->envelope, (ByteVec{0x30, 0x00}));
    EXPECT_EQ(code_of(recover("operator:dan")), Code::not_found);  // once
    EXPECT_THAT(events(), testing::ElementsAre("key.recovery_requested operator:dan ok", "key.recovered operator:dan not_authorised",
                                               "key.recovery_approved operator:dan not_authorised", "key.recovery_approved operator:ann ok",
                                               "key.recovery_approved operator:ann conflict", "key.recovered operator:dan not_authorised",
                                               "key.recovery_approved operator:bob ok", "key.recovered operator:dan ok"));
    EXPECT_THAT(store->audit(0, 100).value().back().detail, HasSubstr("approved_by=operator:ann,operator:bob"));
    ASSERT_TRUE(request("operator:dan"));  // another time, from the beginning
    EXPECT_EQ(code_of(recover("operator:dan")), Code::not_authorised);
}

TEST_F(Recovery, WhoAsksDoesNotApprove) {
    ASSERT_TRUE(request("operator:ann"));
    EXPECT_EQ(code_of(approve("operator:ann")), Code::not_authorised);
    ASSERT_TRUE(approve("operator:bob"));
    ASSERT_TRUE(approve("operator:cyd"));
    EXPECT_TRUE(recover("operator:ann"));
}

TEST_F(Recovery, Expires) {
    ASSERT_TRUE(request("operator:dan"));
    ASSERT_TRUE(approve("operator:ann"));
    ASSERT_TRUE(approve("operator:bob"));
    clock.advance(Seconds{3600});
    EXPECT_EQ(code_of(recover("operator:dan")), Code::not_found);
    EXPECT_EQ(code_of(approve("operator:cyd")), Code::not_found);
}

// bug class 22: the rules of the moment count, not only those of the day when it was asked for
TEST_F(Recovery, StricterRulesCountAtOnce) {
    ASSERT_TRUE(request("operator:dan"));
    ASSERT_TRUE(approve("operator:ann"));
    ASSERT_TRUE(approve("operator:bob"));
    EXPECT_EQ(code_of(recover("operator:dan", 3)), Code::not_authorised);
    EXPECT_EQ(code_of(recover("operator:dan", 2, {"operator:ann", "operator:cyd"})), Code::not_authorised);
    EXPECT_TRUE(recover("operator:dan"));
}

TEST_F(Recovery, OnlyOfArchivedKeys) {
    EXPECT_EQ(code_of(request("operator:dan", {0x56})), Code::not_found);
    EXPECT_EQ(code_of(request("operator:dan", {0x78})), Code::not_found);
    EXPECT_EQ(code_of(by([&](UnitOfWork& work) { return recoveries().request("other", serial, "operator:dan", "", work); })), Code::not_found);
    EXPECT_EQ(code_of(approve("operator:ann")), Code::not_found);
    EXPECT_TRUE(request("operator:dan", {0x00, 0x12, 0x34}));  // as certificates write it
}

TEST_F(Recovery, WhatIsDeniedIsOver) {
    const auto deny = [&](const std::string& who) {
        return by([&](UnitOfWork& work) { return recoveries().deny("issuing", serial, who, "who is that?", work); });
    };
    EXPECT_EQ(code_of(deny("operator:ann")), Code::not_found);
    ASSERT_TRUE(request("operator:dan"));
    ASSERT_TRUE(approve("operator:ann"));
    ASSERT_TRUE(approve("operator:bob"));
    EXPECT_EQ(code_of(deny("operator:eve")), Code::not_authorised);
    ASSERT_TRUE(deny("operator:cyd"));
    EXPECT_EQ(code_of(deny("operator:cyd")), Code::not_found);
    EXPECT_EQ(code_of(recover("operator:dan")), Code::not_found);
    EXPECT_EQ(code_of(approve("operator:cyd")), Code::not_found);
    ASSERT_TRUE(request("operator:dan"));
    ASSERT_TRUE(deny("operator:dan")) << "taken back by who asked";
    EXPECT_THAT(events(), testing::ElementsAre("key.recovery_requested operator:dan ok", "key.recovery_approved operator:ann ok",
                                               "key.recovery_approved operator:bob ok", "key.recovery_denied operator:eve not_authorised",
                                               "key.recovery_denied operator:cyd ok", "key.recovery_requested operator:dan ok",
                                               "key.recovery_denied operator:dan ok"));
    EXPECT_EQ(store->key_reads()->key_recoveries().value().back().denial, "who is that?");
}

TEST_F(Recovery, WhatAClientAskedForIsNotForOthers) {   // bug class 8
    ASSERT_TRUE(request("credential:dev"));
    ASSERT_TRUE(approve("operator:ann"));
    ASSERT_TRUE(approve("operator:bob"));
    EXPECT_EQ(code_of(recover("operator:dan")), Code::not_authorised);
    EXPECT_EQ(code_of(recover("operator:ann")), Code::not_authorised);
    EXPECT_FALSE(store->key_reads()->key_recoveries().value().front().recovered_at);
}

}  // namespace
}  // namespace estuary::authority::test
