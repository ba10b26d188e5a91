#include "estuary/store/key_tables.h"

namespace estuary::store::sqlite {
namespace {

constexpr std::string_view no_certificate = "a key is kept only with a certificate of the same unit";

/// A recovery is open as long as nobody has got the key or said no, and its time is not over; ?2 is who, ?3 when.
constexpr std::string_view request_archived =
    "INSERT INTO key_recoveries (certificate, requested_by, reason, requested_at, expires_at, approvals_needed) "
    "SELECT certificate, ?2, ?3, ?4, ?5, ?6 FROM archived_keys a WHERE certificate = ?1 AND NOT EXISTS (SELECT 1 FROM key_recoveries r "
    "WHERE r.certificate = ?1 AND r.recovered_at IS NULL AND r.denied_at IS NULL AND r.expires_at > ?4)";
constexpr std::string_view approve_open =
    "INSERT INTO key_recovery_approvals (recovery, approved_by, approved_at) SELECT id, ?2, ?3 FROM key_recoveries "
    "WHERE id = ?1 AND recovered_at IS NULL AND denied_at IS NULL AND expires_at > ?3 AND requested_by <> ?2";
constexpr std::string_view deny_open =
    "UPDATE key_recoveries SET denied_by = ?2, denied_at = ?3, denial = ?4 WHERE id = ?1 AND recovered_at IS NULL AND denied_at IS NULL "
    "AND expires_at > ?3";
constexpr std::string_view recover_approved =
    "UPDATE key_recoveries SET recovered_by = ?2, recovered_at = ?3 WHERE id = ?1 AND recovered_at IS NULL AND denied_at IS NULL "
    "AND expires_at > ?3 AND (SELECT count(*) FROM key_recovery_approvals WHERE recovery = ?1) >= approvals_needed";

}  // namespace

Result<KeyWrites> KeyWrites::prepare(const Connection& connection) {
    Statements all;
    struct Source {
        Statement& statement;
        std::string_view sql;
    };
    const Source sources[] = {
        {all.archive, "INSERT INTO archived_keys (certificate, agents, archived_at, envelope) VALUES (?,?,?,?)"},
        {all.name, "INSERT INTO encryption_keys (key_identifier, certificate) VALUES (?,?)"},
        {all.request, request_archived},
        {all.approve, approve_open},
        {all.deny, deny_open},
        {all.recover, recover_approved},
        {all.insert,
         "INSERT INTO decryption_keys (identifier, shared, credential, subject_pattern, sealed_key, certificate, created_at) "
         "VALUES (?,?,?,?,?,?,?)"},
        {all.remove, "DELETE FROM decryption_keys WHERE identifier = ?"},
    };
    for (const auto& source : sources) {
        ESTUARY_TRY(source.statement, connection.prepare(source.sql));
    }
    return KeyWrites{connection.get(), std::move(all)};
}

Result<void> KeyWrites::change_one(Query&& query, std::string_view conflict) const {
    const int code = query.step();
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) return fail(Code::conflict, std::string{conflict});
    if (code != SQLITE_DONE) return fail(query.error());
    if (sqlite3_changes(database_) == 0) return fail(Code::conflict, std::string{conflict});
    return {};
}

Result<void> KeyWrites::write(const ArchiveKey& archive, std::optional<std::int64_t> certificate) const {
    if (!certificate) return fail(Code::internal, std::string{no_certificate});
    const auto& record = archive.record;
    return Query(sql_.archive, *certificate, record.agents, record.archived_at, record.envelope).run();
}

Result<void> KeyWrites::write(const NameEncryptionKey& name, std::optional<std::int64_t> certificate) const {
    if (!certificate) return fail(Code::internal, std::string{no_certificate});
    return Query(sql_.name, name.key_identifier, *certificate).run();
}

Result<void> KeyWrites::write(const RequestKeyRecovery& request) const {
    const auto& record = request.record;
    return change_one(Query{sql_.request, record.certificate, record.requested_by, record.reason, record.requested_at,
                            record.expires_at, record.approvals_needed},
                      "the key of this certificate is not archived, or somebody has asked for it already");
}

Result<void> KeyWrites::write(const ApproveKeyRecovery& approve) const {
    return change_one(Query{sql_.approve, approve.id, approve.by, approve.at},
                      "this recovery is not open, or the same person asked for it or approved it");
}

Result<void> KeyWrites::write(const DenyKeyRecovery& deny) const {
    return change_one(Query{sql_.deny, deny.id, deny.by, deny.at, deny.reason}, "this recovery is not open");
}

Result<void> KeyWrites::write(const RecoverKey& recover) const {
    return change_one(Query{sql_.recover, recover.id, recover.by, recover.at},
                      "this recovery is not open, or lacks approvals");
}

Result<void> KeyWrites::write(const InsertDecryptionKey& insert) const {
    const auto& record = insert.record;
    return change_one(Query{sql_.insert, record.identifier, static_cast<int>(record.certificate.empty()), record.credential,
                            record.subject_pattern, record.sealed_key, record.certificate, record.created_at},
                      "there is a key of this identifier");
}

Result<void> KeyWrites::write(const RemoveDecryptionKey& remove) const {
    return change_one(Query{sql_.remove, remove.identifier}, "there is no such key");
}

}  // namespace estuary::store::sqlite
