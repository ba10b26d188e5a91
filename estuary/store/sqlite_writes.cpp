#include "estuary/store/sqlite_writes.h"

#include <fmt/format.h>

#include "estuary/store/columns.h"

namespace estuary::store::sqlite {
namespace {

constexpr int as_integer(RevocationReason reason) noexcept { return static_cast<int>(reason); }
constexpr int as_integer(PendingRequest::State state) noexcept { return static_cast<int>(state); }
constexpr int hold = as_integer(RevocationReason::certificate_hold);

}  // namespace

Result<Writes> Writes::prepare(const Connection& connection) {
    Statements all;
    struct Source {
        Statement& statement;
        std::string_view sql;
    };
    const Source sources[] = {
        {all.find_authority, "SELECT id FROM authorities WHERE name = ?"},
        {all.insert_authority, "INSERT INTO authorities (name) VALUES (?)"},
        {all.insert_certificate,
         "INSERT INTO certificates (ca, not_after, revoked_at, revocation_reason, serial_number, not_before, issued_at, "
         "subject, subject_alt_names, profile, label, requester, request_key, der, shard, invalidity_date) "
         "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {all.insert_request_key, "INSERT INTO request_keys (head, certificate) VALUES (?,?)"},
        {all.find_request_key,
         "SELECT 1 FROM certificates WHERE id = (SELECT certificate FROM request_keys WHERE head = ?) AND request_key = ?"},
        {all.revoke,
         "UPDATE certificates SET revoked_at = ?2, revocation_reason = ?3, invalidity_date = ?5 WHERE id = ?1 AND "
         "(revoked_at IS NULL OR (revocation_reason = ?4 AND ?3 <> ?4))"},
        {all.lift_hold,
         "UPDATE certificates SET revoked_at = NULL, revocation_reason = NULL, invalidity_date = NULL WHERE id = ?1 AND revoked_at IS NOT NULL "
         "AND revocation_reason = ?2"},
        {all.log_revocation, "INSERT INTO revocation_changes (certificate) VALUES (?)"},
        {all.newest_crl, "SELECT max(number) FROM crls WHERE ca = ? AND shard = ?"},
        {all.publish_crl,
         "INSERT OR REPLACE INTO crls (ca, shard, delta, number, base_number, position, entries, this_update, next_update) "
         "VALUES (?,?,?,?,?,?,?,?,?)"},
        {all.insert_credential,
         "INSERT INTO credentials (name, password_hash, digest_ha1, uses_left, expires_at, profile, subject_patterns, "
         "san_patterns, created_at, protocol, sealed_secret) VALUES (?,?,?,?,?,?,?,?,?,?,?)"},
        {all.find_uses, "SELECT uses_left FROM credentials WHERE id = ?"},
        {all.spend, "UPDATE credentials SET uses_left = uses_left - 1, spent_at = ?2 WHERE id = ?1"},
        {all.remove_credential, "DELETE FROM credentials WHERE name = ?"},
        {all.insert_pending,
         "INSERT INTO pending_requests (request_key, operation, profile, label, requester, subject, subject_alt_names, "
         "created_at, expires_at, state, decided_by, reason, decided_at, certificate, request, revocation_reason, invalidity_date) "
         "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {all.decide,
         "UPDATE pending_requests SET state = ?2, decided_by = ?3, reason = ?4, decided_at = ?5 WHERE id = ?1 AND state = ?6"},
        {all.complete, "UPDATE pending_requests SET state = ?2, certificate = ?3 WHERE request_key = ?1 AND state = ?4"},
        {all.await_confirmation, "INSERT INTO unconfirmed (certificate, until) VALUES (?,?)"},
        {all.settle_confirmation, "DELETE FROM unconfirmed WHERE certificate = ?"},
        {all.insert_transaction,
         "INSERT INTO transactions (protocol, transaction_key, revision, expires_at, state) VALUES (?,?,1,?,?)"},
        {all.change_transaction,
         "UPDATE transactions SET revision = revision + 1, expires_at = ?4, state = ?5 WHERE transaction_key = ?2 AND protocol = ?1 "
         "AND revision = ?3"},
        {all.remove_transaction, "DELETE FROM transactions WHERE transaction_key = ?2 AND protocol = ?1"},
        {all.audit, "INSERT INTO audit (at, event, actor, object, outcome, detail) VALUES (?,?,?,?,?,?)"},
        {all.setting,
         "INSERT INTO settings (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"},
    };
    for (const auto& source : sources) {
        ESTUARY_TRY(source.statement, connection.prepare(source.sql));
    }
    ESTUARY_TRY(auto packages, PackageWrites::prepare(connection));
    ESTUARY_TRY(auto keys, KeyWrites::prepare(connection));
    return Writes{connection.get(), std::move(all), std::move(packages), std::move(keys)};
}

Result<void> Writes::apply(const UnitOfWork& work, bool& changed) {
    Unit unit;
    const auto changes_before = sqlite3_total_changes64(database_);
    for (const auto& each : work.writes) {
        auto written = std::visit([&](const auto& one) { return write(one, unit); }, each);
        if (written) continue;
        changed = sqlite3_total_changes64(database_) != changes_before;
        return written;
    }
    return {};
}

Result<void> Writes::change_one(Query&& query, std::string_view conflict) {
    ESTUARY_CHECK(query.run());
    if (sqlite3_changes(database_) == 0) return fail(Code::conflict, std::string{conflict});
    return {};
}

Result<std::int64_t> Writes::authority(const std::string& name) {
    if (const auto known = authorities_.find(name); known != authorities_.end()) return known->second;
    std::int64_t id = 0;
    {
        Query find{sql_.find_authority, name};
        ESTUARY_TRY(const bool found, find.next());
        if (found) id = find.integer(0);
    }
    if (id == 0) {
        ESTUARY_CHECK(Query(sql_.insert_authority, name).run());
        id = sqlite3_last_insert_rowid(database_);
    }
    authorities_.emplace(name, id);
    return id;
}

Result<void> Writes::write(const InsertCertificate& insert, Unit& unit) {
    const auto& record = insert.record;
    ESTUARY_TRY(const auto ca, authority(record.ca));
    std::optional<Time> revoked_at, invalidity_date;
    std::optional<int> reason;
    if (record.revocation) {
        revoked_at = record.revocation->at;
        reason = as_integer(record.revocation->reason);
        invalidity_date = record.revocation->invalidity_date;
    }
    const auto key = insert.request_key ? std::optional{Bytes{*insert.request_key}} : std::nullopt;
    Query inserted{sql_.insert_certificate, ca, record.not_after, revoked_at, reason, record.serial_number,
                   record.not_before, record.issued_at, record.subject, record.subject_alt_names,
                   record.profile, record.label, record.requester, key, record.der,
                   std::int64_t{record.shard}, invalidity_date};
    ESTUARY_CHECK(inserted.insert("this CA has issued a certificate with this serial number"));
    unit.certificate = sqlite3_last_insert_rowid(database_);
    if (record.revocation) ESTUARY_CHECK(Query(sql_.log_revocation, *unit.certificate).run());
    if (!insert.request_key) return {};
    return remember(*insert.request_key, *unit.certificate);
}

Result<void> Writes::remember(const RequestKey& key, std::int64_t certificate) {
    const auto head = head_of(key);
    {
        Query insert{sql_.insert_request_key, head, certificate};
        if (insert.step() == SQLITE_DONE) return {};
        if (!is_constraint(sqlite3_extended_errcode(database_))) return fail(insert.error());
    }
    Query find{sql_.find_request_key, head, Bytes{key}};
    ESTUARY_TRY(const bool found, find.next());
    if (found) return fail(Code::conflict, "a certificate was issued for this very request");
    return {};  // two requests share the head: the later one is not remembered, and never taken for the other
}

Result<void> Writes::write(const RevokeCertificate& revoke, Unit&) {
    const auto& revocation = revoke.revocation;
    if (revocation.reason == RevocationReason::remove_from_crl) {
        ESTUARY_CHECK(change_one(Query{sql_.lift_hold, revoke.id, hold}, "the certificate is not on hold"));
    } else {
        ESTUARY_CHECK(change_one(Query{sql_.revoke, revoke.id, revocation.at, as_integer(revocation.reason), hold,
                                       revocation.invalidity_date},
                                 "there is no such certificate, or it is revoked already"));
    }
    return Query(sql_.log_revocation, revoke.id).run();
}

Result<void> Writes::write(const PublishCrl& publish, Unit&) {
    const auto& record = publish.record;
    const std::int64_t shard = record.shard;
    ESTUARY_TRY(const auto ca, authority(record.ca));
    {
        Query newest{sql_.newest_crl, ca, shard};
        ESTUARY_TRY(const bool found, newest.next());
        if (found && !newest.is_null(0) && newest.integer(0) >= record.number)
            return fail(Code::conflict, "a CRL with this number, or a later one, was published already");
    }
    return Query(sql_.publish_crl, ca, shard, static_cast<int>(record.delta), record.number, record.base_number, record.position,
                 record.entries, record.this_update, record.next_update)
        .run();
}

Result<void> Writes::write(const InsertCredential& insert, Unit&) {
    const auto& record = insert.record;
    const auto subjects = to_lines(record.subject_patterns);
    const auto sans = to_lines(record.san_patterns);
    return Query{sql_.insert_credential, record.name, record.password_hash, record.digest_ha1, record.uses_left,
                 record.expires_at, record.profile, subjects, sans, record.created_at, record.protocol,
                 record.sealed_secret}
        .insert("there is a credential of this name");
}

Result<void> Writes::write(const SpendCredential& spend, Unit&) {
    {
        Query find{sql_.find_uses, spend.id};
        ESTUARY_TRY(const bool found, find.next());
        if (!found) return fail(Code::conflict, "the credential is gone");
        const auto uses_left = find.optional_integer(0);
        if (!uses_left) return {};  // unlimited: nothing to write
        if (*uses_left <= 0) return fail(Code::conflict, "the credential has been used up");
    }
    const auto at = spend.at == Time{} ? std::nullopt : std::optional{spend.at};
    return Query(sql_.spend, spend.id, at).run();
}

Result<void> Writes::write(const RemoveCredential& remove, Unit&) {
    return change_one(Query{sql_.remove_credential, remove.name}, "there is no credential of this name");
}

Result<void> Writes::write(const InsertPendingRequest& insert, Unit&) {
    const auto& record = insert.record;
    std::optional<std::int64_t> reason;
    std::optional<Time> invalidity_date;
    if (const auto& wanted = record.revocation) {
        reason = static_cast<std::int64_t>(wanted->reason);
        invalidity_date = wanted->invalidity_date;
    }
    return Query{sql_.insert_pending, Bytes{record.key}, record.operation, record.profile, record.label,
                 record.requester, record.subject, record.subject_alt_names, record.created_at, record.expires_at,
                 as_integer(record.state), record.decided_by, record.reason, record.decided_at,
                 record.certificate_id, record.request, reason, invalidity_date}
        .insert("this request is waiting, or was decided, already");
}

Result<void> Writes::write(const DecideRequest& decide, Unit&) {
    if (decide.state != PendingRequest::State::approved && decide.state != PendingRequest::State::denied)
        return fail(Code::internal, "a request is approved or denied, nothing else");
    return change_one(Query{sql_.decide, decide.id, as_integer(decide.state), decide.decided_by, decide.reason, decide.at,
                            as_integer(PendingRequest::State::pending)},
                      "there is no such request, or it is decided already");
}

Result<void> Writes::write(const CompleteRequest& complete, Unit& unit) {
    if (!unit.certificate) return fail(Code::internal, "a request is completed only together with its certificate");
    return change_one(Query{sql_.complete, Bytes{complete.key}, as_integer(PendingRequest::State::issued), *unit.certificate,
                            as_integer(PendingRequest::State::approved)},
                      "there is no such request, or it is not approved, or its certificate was issued");
}

Result<void> Writes::write(const AwaitConfirmation& await, Unit& unit) {
    if (!unit.certificate) return fail(Code::internal, "a confirmation is awaited only for a certificate of the same unit");
    return Query(sql_.await_confirmation, *unit.certificate, await.until).run();
}

Result<void> Writes::write(const SettleConfirmation& settle, Unit&) {
    return change_one(Query{sql_.settle_confirmation, settle.id}, "this certificate does not wait for a confirmation");
}

Result<void> Writes::write(const PutTransaction& put, Unit&) {
    const auto& record = put.record;
    const Bytes key{record.key};
    if (record.revision == 0)
        return Query{sql_.insert_transaction, record.protocol, key, record.expires_at, record.state}
            .insert("this transaction has begun already");
    return change_one(Query{sql_.change_transaction, record.protocol, key, record.revision, record.expires_at, record.state},
                      "this transaction has gone on, or has ended");
}

Result<void> Writes::write(const RemoveTransaction& remove, Unit&) {
    return change_one(Query{sql_.remove_transaction, remove.protocol, Bytes{remove.key}}, "there is no such transaction");
}

Result<void> Writes::write(const AppendAudit& append, Unit&) {
    const auto& event = append.event;
    return Query(sql_.audit, event.at, event.event, event.actor, event.object, event.outcome, event.detail).run();
}

Result<void> Writes::write(const PutSetting& put, Unit&) { return Query(sql_.setting, put.name, put.value).run(); }

}  // namespace estuary::store::sqlite
