// Archived keys and who gets them back; keys that requesters may name.
#include "tests/unit/store/support.h"

namespace estuary::store {
namespace {

class Keys : public ::testing::Test {
protected:
    Result<void> commit(std::vector<Write> writes) {
        UnitOfWork work;
        work.writes = std::move(writes);
        return store->commit(std::move(work));
    }
    Code refusal(std::vector<Write> writes) {
        const auto done = commit(std::move(writes));
        return done ? Code::internal : done.error().code;
    }
    static ArchiveKey archive() {
        ArchivedKey record;
        record.agents = "CN=agent";
        record.archived_at = noon;
        record.envelope = {0x30, 0x00};
        return {record};
    }
    /// A certificate with an archived key, and a recovery of it that needs `needed` approvals.
    KeyRecovery recovery(std::int64_t needed = 2) {
        EXPECT_TRUE(commit({InsertCertificate{certificate(1), std::nullopt}, archive()}));
        KeyRecovery record;
        record.certificate = reads.archived_key("issuing", certificate(1).serial_number).value().value().certificate;
        record.requested_by = "operator:ann";
        record.reason = "lost";
        record.requested_at = noon;
        record.expires_at = noon + day;
        record.approvals_needed = needed;
        EXPECT_TRUE(commit({RequestKeyRecovery{record}}));
        return reads.key_recoveries().value().at(0);
    }
    TemporaryDirectory directory;
    std::unique_ptr<Store> store = open_sqlite(directory / "estuary.db").value();
    KeyReads& reads = *store->key_reads();
};

TEST_F(Keys, AreArchivedWithTheirCertificateOrNotAtAll) {
    EXPECT_EQ(refusal({archive()}), Code::internal);
    ASSERT_TRUE(commit({InsertCertificate{certificate(1), std::nullopt}, archive()}));
    const auto kept = reads.archived_key("issuing", certificate(1).serial_number).value();
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->envelope, (ByteVec{0x30, 0x00}));
    EXPECT_EQ(kept->agents, "CN=agent");
    EXPECT_EQ(kept->subject, certificate(1).subject);
    EXPECT_EQ(kept->archived_at, noon);
    EXPECT_FALSE(reads.archived_key("other", certificate(1).serial_number).value());
    EXPECT_FALSE(reads.archived_key("issuing", certificate(2).serial_number).value());
    // The same serial number again: neither certificate nor key.
    EXPECT_EQ(refusal({InsertCertificate{certificate(1), std::nullopt}, archive()}), Code::conflict);
}

TEST_F(Keys, RecoveryNeedsAnArchivedKey) {
    ASSERT_TRUE(commit({InsertCertificate{certificate(1), std::nullopt}}));
    KeyRecovery record;
    record.certificate = store->certificate("issuing", certificate(1).serial_number).value()->id;
    record.approvals_needed = 1;
    EXPECT_EQ(refusal({RequestKeyRecovery{record}}), Code::conflict);
}

TEST_F(Keys, RecoveryNeedsDifferentPeople) {
    const auto id = recovery().id;
    EXPECT_EQ(refusal({RecoverKey{id, "operator:ann", noon}}), Code::conflict);
    EXPECT_EQ(refusal({ApproveKeyRecovery{id, "operator:ann", noon}}), Code::conflict);  // who asks does not approve
    ASSERT_TRUE(commit({ApproveKeyRecovery{id, "operator:bob", noon}}));
    EXPECT_EQ(refusal({ApproveKeyRecovery{id, "operator:bob", noon + Seconds{1}}}), Code::conflict);
    EXPECT_EQ(refusal({RecoverKey{id, "operator:ann", noon}}), Code::conflict);  // one of two
    ASSERT_TRUE(commit({ApproveKeyRecovery{id, "operator:cyd", noon + Seconds{1}}}));
    EXPECT_EQ(refusal({RecoverKey{id + 1, "operator:ann", noon}}), Code::conflict);
    ASSERT_TRUE(commit({RecoverKey{id, "operator:ann", noon + Seconds{2}}}));
    const auto done = reads.key_recovery(id).value().value();
    EXPECT_EQ(done.recovered_by, "operator:ann");
    EXPECT_EQ(done.recovered_at, noon + Seconds{2});
    EXPECT_EQ(done.reason, "lost");
    EXPECT_EQ(done.serial_number, certificate(1).serial_number);
    ASSERT_EQ(done.approvals.size(), 2U);
    EXPECT_EQ(done.approvals[0].by, "operator:bob");
    // Handed out once; what is over cannot be approved.
    EXPECT_EQ(refusal({RecoverKey{id, "operator:ann", noon + Seconds{3}}}), Code::conflict);
    EXPECT_EQ(refusal({ApproveKeyRecovery{id, "operator:dan", noon + Seconds{3}}}), Code::conflict);
}

TEST_F(Keys, RecoveryExpires) {
    const auto open = recovery(1);
    EXPECT_EQ(refusal({ApproveKeyRecovery{open.id, "operator:bob", open.expires_at}}), Code::conflict);
    ASSERT_TRUE(commit({ApproveKeyRecovery{open.id, "operator:bob", open.expires_at - Seconds{1}}}));
    EXPECT_EQ(refusal({RecoverKey{open.id, "operator:ann", open.expires_at}}), Code::conflict);
    EXPECT_FALSE(reads.key_recovery(open.id + 1).value());
}

TEST_F(Keys, WhatIsDeniedIsOver) {
    const auto open = recovery(1);
    ASSERT_TRUE(commit({ApproveKeyRecovery{open.id, "operator:bob", noon}}));
    EXPECT_EQ(refusal({DenyKeyRecovery{open.id, "operator:cyd", "late", open.expires_at}}), Code::conflict);
    ASSERT_TRUE(commit({DenyKeyRecovery{open.id, "operator:cyd", "who?", noon}}));
    EXPECT_EQ(refusal({DenyKeyRecovery{open.id, "operator:bob", "", noon}}), Code::conflict);
    EXPECT_EQ(refusal({ApproveKeyRecovery{open.id, "operator:dan", noon}}), Code::conflict);
    EXPECT_EQ(refusal({RecoverKey{open.id, "operator:ann", noon}}), Code::conflict);
    const auto denied = reads.key_recovery(open.id).value().value();
    EXPECT_EQ(denied.denied_by, "operator:cyd");
    EXPECT_EQ(denied.denial, "who?");
    EXPECT_EQ(denied.denied_at, noon);
    auto again = open;
    EXPECT_TRUE(commit({RequestKeyRecovery{again}}));
    EXPECT_EQ(refusal({RequestKeyRecovery{again}}), Code::conflict) << "one at a time";
    again.requested_at = open.expires_at;
    EXPECT_TRUE(commit({RequestKeyRecovery{again}})) << "the former one's time is over";
}

TEST_F(Keys, ArchivedOnesAreFoundByWhoseTheyAre) {   // bug class 7
    const auto make = [&](unsigned number, const std::string& label, const std::string& requester, const std::string& subject, bool archived = true) {
        auto record = certificate(number);
        record.label = label;
        record.requester = requester;
        record.subject = subject;
        std::vector<Write> writes{InsertCertificate{record, std::nullopt}};
        if (archived) writes.emplace_back(archive());
        ASSERT_TRUE(commit(std::move(writes)));
    };
    make(1, "cmp:", "credential:ann", "CN=one");
    make(2, "cmp:", "credential:ann", "CN=two");
    make(3, "cmp:", "credential:ann", "CN=one", false);
    make(4, "cmp:line", "credential:ann", "CN=one");
    make(5, "cmp:", "credential:bob", "CN=one");
    make(6, "cmp:", "credential:annabel", "CN=on%");
    const auto found = [&](std::string_view requester, std::string_view subject, std::size_t count_max = 100, std::string_view ca = "issuing",
                           std::string_view label = "cmp:") {
        std::string serials;
        const auto records = reads.archived_certificates(ca, label, requester, subject, count_max).value();
        for (const auto& record : records) serials += record.requester + " " + record.subject + ",";
        return serials;
    };
    EXPECT_EQ(found("credential:ann", ""), "credential:ann CN=two,credential:ann CN=one,");
    EXPECT_EQ(found("certificate:x", "CN=one"), "credential:bob CN=one,credential:ann CN=one,");
    EXPECT_EQ(found("credential:bob", "CN=two", 1), "credential:bob CN=one,");
    EXPECT_EQ(found("credential:an%", "CN=on_"), "");
    EXPECT_EQ(found("credential:ann", "CN=one", 100, "other"), "");
    EXPECT_EQ(found("credential:ann", "", 100, "issuing", "cmp:line"), "credential:ann CN=one,");
}

TEST_F(Keys, DecryptionKeysAreFoundByKindAndIdentifier) {
    DecryptionKey shared;
    shared.identifier = {1, 2};
    shared.credential = "dev";
    shared.subject_pattern = "CN=dev-*";
    shared.sealed_key = {9};
    shared.created_at = noon;
    DecryptionKey certified;
    certified.identifier = {1, 2};
    certified.certificate = {0x30, 0x00};
    ASSERT_TRUE(commit({InsertDecryptionKey{shared}, InsertDecryptionKey{certified}}));
    EXPECT_EQ(refusal({InsertDecryptionKey{shared}}), Code::conflict);
    EXPECT_EQ(refusal({InsertDecryptionKey{certified}}), Code::conflict);
    const auto found = reads.shared_decryption_key(ByteVec{1, 2}).value().value();
    EXPECT_EQ(found.sealed_key, shared.sealed_key);
    EXPECT_EQ(found.credential, "dev");
    EXPECT_EQ(found.subject_pattern, "CN=dev-*");
    EXPECT_EQ(reads.certified_decryption_key(ByteVec{1, 2}).value()->certificate, certified.certificate);
    EXPECT_FALSE(reads.shared_decryption_key(ByteVec{1}).value());
    EXPECT_EQ(reads.decryption_keys().value().size(), 2U);
    ASSERT_TRUE(commit({RemoveDecryptionKey{{1, 2}}}));
    EXPECT_TRUE(reads.decryption_keys().value().empty());
    EXPECT_EQ(refusal({RemoveDecryptionKey{{1, 2}}}), Code::conflict);
}

TEST_F(Keys, CertificatesAreFoundByTheirKeys) {
    EXPECT_EQ(refusal({NameEncryptionKey{{7}}}), Code::internal);
    ASSERT_TRUE(commit({InsertCertificate{certificate(1), std::nullopt}, NameEncryptionKey{{7}}}));
    ASSERT_TRUE(commit({InsertCertificate{certificate(2), std::nullopt}, NameEncryptionKey{{7}}}));
    EXPECT_EQ(reads.certificate_of_key("issuing", ByteVec{7}).value()->serial_number, certificate(2).serial_number);  // the newest
    EXPECT_FALSE(reads.certificate_of_key("other", ByteVec{7}).value());
    EXPECT_FALSE(reads.certificate_of_key("issuing", ByteVec{8}).value());
}

}  // namespace
}  // namespace estuary::store
