// Each write, its guard, and what reads see of it afterwards.
#include "support.h"

namespace estuary::store {
namespace {

class Guards : public testing::Test {
protected:
    template <class... Writes>
    std::string commit(Writes... writes) {
        return outcome(store->commit(unit(std::move(writes)...)));
    }
    std::int64_t issued(std::uint64_t number, std::optional<RequestKey> request_key = std::nullopt) {
        EXPECT_EQ(commit(InsertCertificate{certificate(number), request_key}), "ok");
        return (*store->certificate("issuing", serial(number)))->id;
    }
    std::int64_t added(CredentialRecord record) {
        const auto name = record.name;
        EXPECT_EQ(commit(InsertCredential{std::move(record)}), "ok");
        return (*store->credential(name))->id;
    }
    std::int64_t waiting(const RequestKey& request_key) {
        EXPECT_EQ(commit(InsertPendingRequest{pending(request_key)}), "ok");
        return (*store->pending_request(request_key))->id;
    }

    TemporaryDirectory directory;
    std::unique_ptr<Store> store = open_or_fail(directory / "store.db");
};

TEST_F(Guards, CertificateIsStoredWhole) {
    auto record = certificate(7);
    record.revocation = Revocation{noon + day, RevocationReason::superseded};
    ASSERT_EQ(commit(InsertCertificate{record, std::nullopt}), "ok");
    const auto found = store->certificate("issuing", serial(7));
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->id, 1);
    EXPECT_EQ((*found)->ca, record.ca);
    EXPECT_EQ((*found)->serial_number, record.serial_number);
    EXPECT_EQ((*found)->der, record.der);
    EXPECT_EQ((*found)->subject, record.subject);
    EXPECT_EQ((*found)->subject_alt_names, record.subject_alt_names);
    EXPECT_EQ((*found)->not_before, record.not_before);
    EXPECT_EQ((*found)->not_after, record.not_after);
    EXPECT_EQ((*found)->profile, record.profile);
    EXPECT_EQ((*found)->label, record.label);
    EXPECT_EQ((*found)->requester, record.requester);
    EXPECT_EQ((*found)->issued_at, record.issued_at);
    ASSERT_TRUE((*found)->revocation);
    EXPECT_EQ((*found)->revocation->at, noon + day);
    EXPECT_EQ((*found)->revocation->reason, RevocationReason::superseded);
    EXPECT_EQ((*store->certificate(1))->der, record.der);
    EXPECT_EQ(*store->count_certificates(), 1);
}

TEST_F(Guards, EmptyTextsAndOctetsAreStored) {
    CertificateRecord record;
    record.ca = "issuing";
    record.serial_number = {1};
    ASSERT_EQ(commit(InsertCertificate{record, std::nullopt}), "ok");
    const auto found = store->certificate("issuing", Bytes{record.serial_number});
    ASSERT_TRUE(found && *found);
    EXPECT_TRUE((*found)->der.empty());
    EXPECT_TRUE((*found)->subject.empty());
}

TEST_F(Guards, SerialNumberIsUniquePerCa) {  // bug class 23
    issued(1);
    EXPECT_EQ(commit(InsertCertificate{certificate(1), std::nullopt}), "conflict");
    auto other = certificate(1);
    other.ca = "another";
    EXPECT_EQ(commit(InsertCertificate{other, std::nullopt}), "ok");
    EXPECT_EQ(*store->count_certificates(), 2);
    EXPECT_EQ((*store->certificate("another", serial(1)))->id, 2);
    EXPECT_FALSE(*store->certificate("third", serial(1)));
}

TEST_F(Guards, RequestKeyFindsItsCertificateOnce) {  // bug class 25
    const auto id = issued(1, key(1, 5));
    EXPECT_EQ((*store->certificate_of_request(key(1, 5)))->id, id);
    EXPECT_EQ(commit(InsertCertificate{certificate(2), key(1, 5)}), "conflict");
    EXPECT_FALSE(*store->certificate("issuing", serial(2))) << "half a unit was left behind";
    EXPECT_FALSE(*store->certificate_of_request(key(2, 5)));
}

TEST_F(Guards, RequestKeysThatShareTheirHeadAreNeverTakenForEachOther) {
    auto one = key(1), two = key(1);
    two[31] = 1;
    const auto id = issued(1, one);
    issued(2, two);
    EXPECT_EQ((*store->certificate_of_request(one))->id, id);
    EXPECT_FALSE(*store->certificate_of_request(two));
}

TEST_F(Guards, RevocationHappensOnce) {
    const auto id = issued(1);
    EXPECT_FALSE((*store->certificate_status("issuing", serial(1)))->revocation);
    const auto revoke = [&](RevocationReason reason, Time at) { return commit(RevokeCertificate{id, {at, reason}}); };
    EXPECT_EQ(revoke(RevocationReason::key_compromise, noon), "ok");
    EXPECT_EQ(revoke(RevocationReason::superseded, noon + day), "conflict");
    EXPECT_EQ(revoke(RevocationReason::certificate_hold, noon + day), "conflict");
    EXPECT_EQ(revoke(RevocationReason::remove_from_crl, noon + day), "conflict");
    const auto status = *store->certificate_status("issuing", serial(1));
    ASSERT_TRUE(status && status->revocation);
    EXPECT_EQ(status->id, id);
    EXPECT_EQ(status->not_after, noon + 90 * day);
    EXPECT_EQ(status->revocation->reason, RevocationReason::key_compromise);
    EXPECT_EQ(status->revocation->at, noon);
    EXPECT_EQ(commit(RevokeCertificate{id + 1, {noon, RevocationReason::superseded}}), "conflict");
}

TEST_F(Guards, HoldIsLiftedOrBecomesRevocation) {
    const auto id = issued(1);
    const auto revoke = [&](RevocationReason reason) { return commit(RevokeCertificate{id, {noon, reason}}); };
    EXPECT_EQ(revoke(RevocationReason::remove_from_crl), "conflict");
    EXPECT_EQ(revoke(RevocationReason::certificate_hold), "ok");
    EXPECT_EQ(revoke(RevocationReason::certificate_hold), "conflict");
    EXPECT_EQ(revoke(RevocationReason::remove_from_crl), "ok");
    EXPECT_FALSE((*store->certificate(id))->revocation);
    EXPECT_EQ(revoke(RevocationReason::certificate_hold), "ok");
    EXPECT_EQ(revoke(RevocationReason::key_compromise), "ok");
    EXPECT_EQ((*store->certificate(id))->revocation->reason, RevocationReason::key_compromise);
}

TEST_F(Guards, CredentialIsStoredWhole) {
    auto record = credential("line-1", 3);
    record.digest_ha1 = "0123";
    record.expires_at = noon + day;
    record.profile = "device";
    record.subject_patterns = {"CN=device-*", "CN=a\nb"};
    record.san_patterns = {""};
    added(record);
    const auto found = *store->credential("line-1");
    EXPECT_EQ(found->password_hash, record.password_hash);
    EXPECT_EQ(found->digest_ha1, "0123");
    EXPECT_EQ(found->uses_left, 3);
    EXPECT_EQ(found->expires_at, noon + day);
    EXPECT_EQ(found->profile, "device");
    EXPECT_EQ(found->subject_patterns, record.subject_patterns);
    EXPECT_EQ(found->san_patterns, record.san_patterns);
    EXPECT_EQ(found->created_at, noon);
    EXPECT_FALSE(*store->credential("Line-1"));
}

TEST_F(Guards, CredentialNamesAreUniqueAndIdsNeverComeBack) {
    const auto id = added(credential("a"));
    EXPECT_EQ(commit(InsertCredential{credential("a")}), "conflict");
    EXPECT_EQ(commit(RemoveCredential{"a"}), "ok");
    EXPECT_EQ(commit(RemoveCredential{"a"}), "conflict");
    EXPECT_FALSE(*store->credential("a"));
    // A spend that was decided before the removal must not hit a newcomer.
    EXPECT_GT(added(credential("b", 1)), id);
    EXPECT_EQ(commit(SpendCredential{id, noon}), "conflict");
    added(credential("a"));
    const auto all = *store->credentials();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].name, "a");
    EXPECT_EQ(all[1].name, "b");
}

TEST_F(Guards, SingleUseIsSpentOnce) {
    const auto id = added(credential("once", 1));
    EXPECT_EQ(commit(SpendCredential{id, noon}), "ok");
    EXPECT_EQ((*store->credential("once"))->uses_left, 0);
    EXPECT_EQ(commit(SpendCredential{id, noon}), "conflict");
    EXPECT_EQ((*store->credential("once"))->uses_left, 0);
    const auto twice = added(credential("twice", 2));
    EXPECT_EQ(commit(SpendCredential{twice, noon}, SpendCredential{twice, noon}, SpendCredential{twice, noon}), "conflict");
    EXPECT_EQ((*store->credential("twice"))->uses_left, 2);
}

TEST_F(Guards, UnlimitedCredentialIsNeverUsedUp) {
    const auto id = added(credential("always"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(commit(SpendCredential{id, noon}), "ok");
    EXPECT_FALSE((*store->credential("always"))->uses_left);
}

TEST_F(Guards, PendingRequestIsStoredWhole) {
    const auto id = waiting(key(1, 2));
    const auto found = *store->pending_request(id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->key, key(1, 2));
    EXPECT_EQ(found->request, (ByteVec{0x30, 0x00}));
    EXPECT_EQ(found->operation, "enroll");
    EXPECT_EQ(found->profile, "device");
    EXPECT_EQ(found->label, "factory");
    EXPECT_EQ(found->requester, "credential:line-1");
    EXPECT_EQ(found->subject, "CN=device");
    EXPECT_EQ(found->subject_alt_names, "dns:device.example");
    EXPECT_EQ(found->created_at, noon);
    EXPECT_EQ(found->expires_at, noon + 7 * day);
    EXPECT_EQ(found->state, PendingRequest::State::pending);
    EXPECT_FALSE(found->decided_at);
    EXPECT_FALSE(found->certificate_id);
    EXPECT_EQ(commit(InsertPendingRequest{pending(key(1, 2))}), "conflict");
}

TEST_F(Guards, PendingRequestIsDecidedOnceAndIssuedOnce) {
    using State = PendingRequest::State;
    const auto id = waiting(key(1));
    const auto decide = [&](std::int64_t which, State state) {
        return commit(DecideRequest{which, state, "operator:ann", "known device", noon + day});
    };
    const auto complete = [&](std::uint64_t number) {
        return commit(InsertCertificate{certificate(number), std::nullopt}, CompleteRequest{key(1)});
    };
    EXPECT_EQ(complete(1), "conflict") << "not approved yet";
    EXPECT_EQ(decide(id, State::issued), "internal");
    EXPECT_EQ(decide(id, State::approved), "ok");
    EXPECT_EQ(decide(id, State::denied), "conflict");
    EXPECT_EQ(decide(id + 1, State::approved), "conflict");
    EXPECT_EQ(commit(CompleteRequest{key(1)}), "internal") << "no certificate in the unit";
    EXPECT_EQ(complete(2), "ok");
    EXPECT_EQ(complete(3), "conflict") << "issued already";
    const auto found = *store->pending_request(key(1));
    EXPECT_EQ(found->state, State::issued);
    EXPECT_EQ(found->decided_by, "operator:ann");
    EXPECT_EQ(found->reason, "known device");
    EXPECT_EQ(found->decided_at, noon + day);
    EXPECT_EQ(*found->certificate_id, (*store->certificate("issuing", serial(2)))->id);
    EXPECT_EQ(*store->count_certificates(), 1);

    const auto denied = waiting(key(2));
    EXPECT_EQ(decide(denied, State::denied), "ok");
    EXPECT_EQ(commit(InsertCertificate{certificate(4), std::nullopt}, CompleteRequest{key(2)}), "conflict");
    EXPECT_EQ(commit(InsertCertificate{certificate(4), std::nullopt}, CompleteRequest{key(3)}), "conflict");
}

TEST_F(Guards, PendingRequestsByStateNewestFirst) {
    using State = PendingRequest::State;
    for (std::uint8_t i = 1; i <= 4; ++i) waiting(key(i));
    ASSERT_EQ(commit(DecideRequest{2, State::denied, "operator:ann", "", noon}), "ok");
    const auto ids = [&](std::optional<State> state) {
        std::vector<std::int64_t> found;
        const auto requests = *store->pending_requests(state);
        for (const auto& request : requests) found.push_back(request.id);
        return found;
    };
    EXPECT_EQ(ids(std::nullopt), (std::vector<std::int64_t>{4, 3, 2, 1}));
    EXPECT_EQ(ids(State::pending), (std::vector<std::int64_t>{4, 3, 1}));
    EXPECT_EQ(ids(State::denied), (std::vector<std::int64_t>{2}));
    EXPECT_TRUE(ids(State::issued).empty());
}

TEST_F(Guards, AuditIsReadInOrderAndPaged) {
    for (int i = 1; i <= 5; ++i) ASSERT_EQ(commit(AppendAudit{event(std::to_string(i))}), "ok");
    const auto page = *store->audit(2, 2);
    ASSERT_EQ(page.size(), 2u);
    EXPECT_EQ(page[0].id, 3);
    EXPECT_EQ(page[0].object, "3");
    EXPECT_EQ(page[0].at, noon);
    EXPECT_EQ(page[0].event, "certificate.issued");
    EXPECT_EQ(page[0].actor, "credential:line-1");
    EXPECT_EQ(page[0].outcome, "ok");
    EXPECT_EQ(page[0].detail, "detail");
    EXPECT_EQ(page[1].id, 4);
    EXPECT_EQ(store->audit(0, std::numeric_limits<std::size_t>::max())->size(), 5u);
}

TEST_F(Guards, SettingsAreReplaced) {
    EXPECT_FALSE(*store->setting("generation"));
    EXPECT_EQ(commit(PutSetting{"generation", "1"}), "ok");
    EXPECT_EQ(commit(PutSetting{"generation", "2"}), "ok");
    EXPECT_EQ(*store->setting("generation"), "2");
}

TEST_F(Guards, ConflictLeavesNothingOfItsUnit) {
    issued(1);
    const auto result = store->commit(unit(PutSetting{"a", "1"}, AppendAudit{event("x")}, InsertCredential{credential("new")},
                                           InsertCertificate{certificate(1), std::nullopt}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::conflict);
    EXPECT_NE(result.error().detail.find("serial number"), std::string::npos);
    EXPECT_FALSE(*store->setting("a"));
    EXPECT_TRUE(store->audit(0, 10)->empty());
    EXPECT_FALSE(*store->credential("new"));
}

TEST_F(Guards, EmptyUnitIsCommitted) { EXPECT_EQ(outcome(store->commit({})), "ok"); }

TEST_F(Guards, FilterFindsCertificates) {
    for (std::uint64_t i = 1; i <= 4; ++i) issued(i);
    auto old = certificate(5);
    old.not_after = noon - day;
    old.subject = "CN=100%_sure\\";
    old.requester = "operator";
    old.ca = "old";
    ASSERT_EQ(commit(InsertCertificate{old, std::nullopt}), "ok");
    ASSERT_EQ(commit(RevokeCertificate{2, {noon, RevocationReason::superseded}}), "ok");
    using Ids = std::vector<std::int64_t>;
    using Status = CertificateFilter::Status;
    const auto ids = [&](auto set) {
        CertificateFilter filter;
        filter.now = noon;
        set(filter);
        Ids found;
        const auto records = *store->certificates(filter);
        for (const auto& record : records) found.push_back(record.id);
        return found;
    };
    EXPECT_EQ(ids([](auto&) {}), (Ids{1, 2, 3, 4, 5}));
    EXPECT_EQ(ids([](auto& f) { f.serial_number = serial(3); }), (Ids{3}));
    EXPECT_EQ(ids([](auto& f) { f.serial_number = serial(3); f.ca = "old"; }), Ids{});
    EXPECT_EQ(ids([](auto& f) { f.ca = "old"; }), (Ids{5}));
    EXPECT_EQ(ids([](auto& f) { f.subject_contains = "DEVICE-3"; }), (Ids{3}));
    EXPECT_EQ(ids([](auto& f) { f.subject_contains = "%"; }), (Ids{5})) << "a wildcard is taken literally";
    EXPECT_EQ(ids([](auto& f) { f.subject_contains = "_s"; }), (Ids{5}));
    EXPECT_EQ(ids([](auto& f) { f.subject_contains = "\\"; }), (Ids{5}));
    EXPECT_EQ(ids([](auto& f) { f.subject_contains = "' OR 1=1 --"; }), Ids{});
    EXPECT_EQ(ids([](auto& f) { f.san_contains = "dns:device-4"; }), (Ids{4}));
    EXPECT_EQ(ids([](auto& f) { f.requester_contains = "operator"; }), (Ids{5}));
    EXPECT_EQ(ids([](auto& f) { f.status = Status::valid; }), (Ids{1, 3, 4}));
    EXPECT_EQ(ids([](auto& f) { f.status = Status::expired; }), (Ids{5}));
    EXPECT_EQ(ids([](auto& f) { f.status = Status::revoked; }), (Ids{2}));
    EXPECT_EQ(ids([](auto& f) { f.status = Status::valid; f.now = noon + 90 * day; }), (Ids{1, 3, 4})) << "notAfter is inclusive";
    EXPECT_EQ(ids([](auto& f) { f.status = Status::valid; f.now = noon + 90 * day + Seconds{1}; }), Ids{});  // bug class 21
    EXPECT_EQ(ids([](auto& f) { f.expires_before = noon; }), (Ids{5}));
    EXPECT_EQ(ids([](auto& f) { f.after_id = 3; }), (Ids{4, 5}));
    EXPECT_EQ(ids([](auto& f) { f.count_max = 2; f.after_id = 1; }), (Ids{2, 3}));
}

}  // namespace
}  // namespace estuary::store
