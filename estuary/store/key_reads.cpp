#include <fmt/format.h>

#include "estuary/store/key_tables.h"
#include "estuary/store/rows.h"

namespace estuary::store::sqlite {
namespace {

constexpr std::string_view archived_columns =
    "SELECT k.certificate, a.name, c.serial_number, c.subject, k.agents, k.archived_at, k.envelope FROM archived_keys k "
    "JOIN certificates c ON c.id = k.certificate JOIN authorities a ON a.id = c.ca";
constexpr std::string_view recovery_columns =
    "SELECT r.id, r.certificate, a.name, c.serial_number, c.subject, r.requested_by, r.reason, r.requested_at, r.expires_at, "
    "r.approvals_needed, r.recovered_by, r.recovered_at, r.denied_by, r.denial, r.denied_at FROM key_recoveries r JOIN certificates c ON c.id = r.certificate "
    "JOIN authorities a ON a.id = c.ca";
constexpr std::string_view key_columns =
    "SELECT id, identifier, credential, subject_pattern, sealed_key, certificate, created_at FROM decryption_keys";

ArchivedKey archived_at(const Query& row) {
    return {row.integer(0), row.text(1), to_vec(row.blob(2)), row.text(3), row.text(4), row.time(5), to_vec(row.blob(6))};
}

KeyRecovery recovery_at(const Query& row) {
    KeyRecovery record;
    record.id = row.integer(0);
    record.certificate = row.integer(1);
    record.ca = row.text(2);
    record.serial_number = to_vec(row.blob(3));
    record.subject = row.text(4);
    record.requested_by = row.text(5);
    record.reason = row.text(6);
    record.requested_at = row.time(7);
    record.expires_at = row.time(8);
    record.approvals_needed = row.integer(9);
    record.recovered_by = row.text(10);
    record.recovered_at = row.optional_time(11);
    record.denied_by = row.text(12);
    record.denial = row.text(13);
    record.denied_at = row.optional_time(14);
    return record;
}

DecryptionKey key_at(const Query& row) {
    return {row.integer(0), to_vec(row.blob(1)), row.text(2), row.text(3), to_vec(row.blob(4)), to_vec(row.blob(5)), row.time(6)};
}

Result<std::vector<KeyRecovery::Approval>> approvals_of(const Connection& connection, std::int64_t recovery) {
    ESTUARY_TRY(const auto statement, connection.prepare("SELECT approved_by, approved_at FROM key_recovery_approvals "
                                                         "WHERE recovery = ? ORDER BY approved_at, approved_by"));
    return every(Query{statement, recovery}, [](const Query& row) { return KeyRecovery::Approval{row.text(0), row.time(1)}; });
}

}  // namespace

Result<std::optional<ArchivedKey>> archived_key(const Connection& connection, std::string_view ca, Bytes serial_number) {
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("{} WHERE a.name = ? AND c.serial_number = ?", archived_columns)));
    return first(Query{statement, ca, serial_number}, archived_at);
}

Result<std::optional<KeyRecovery>> key_recovery(const Connection& connection, std::int64_t id) {
    ESTUARY_TRY(const auto statement, connection.prepare(fmt::format("{} WHERE r.id = ?", recovery_columns)));
    ESTUARY_TRY(auto record, first(Query{statement, id}, recovery_at));
    if (record) {
        ESTUARY_TRY(record->approvals, approvals_of(connection, id));
    }
    return record;
}

Result<std::vector<KeyRecovery>> key_recoveries(const Connection& connection) {
    ESTUARY_TRY(const auto statement, connection.prepare(fmt::format("{} ORDER BY r.id DESC", recovery_columns)));
    ESTUARY_TRY(auto records, every(Query{statement}, recovery_at));
    for (auto& record : records) {
        ESTUARY_TRY(record.approvals, approvals_of(connection, record.id));
    }
    return records;
}

Result<std::optional<DecryptionKey>> decryption_key(const Connection& connection, Bytes identifier, bool shared) {
    ESTUARY_TRY(const auto statement, connection.prepare(fmt::format("{} WHERE identifier = ? AND shared = ?", key_columns)));
    return first(Query{statement, identifier, static_cast<int>(shared)}, key_at);
}

Result<std::vector<DecryptionKey>> decryption_keys(const Connection& connection) {
    ESTUARY_TRY(const auto statement, connection.prepare(fmt::format("{} ORDER BY id", key_columns)));
    return every(Query{statement}, key_at);
}

Result<std::vector<std::int64_t>> archived_certificates(const Connection& connection, std::string_view ca, std::string_view label,
                                                        std::string_view requester, std::string_view subject, std::size_t count_max) {
    ESTUARY_TRY(const auto statement,
                connection.prepare("SELECT c.id FROM archived_keys k JOIN certificates c ON c.id = k.certificate JOIN authorities a ON a.id = c.ca "
                                   "WHERE a.name = ?1 AND c.label = ?2 AND (c.requester = ?3 OR (c.subject = ?4 AND ?4 <> '')) "
                                   "ORDER BY c.id DESC LIMIT ?5"));
    return every(Query{statement, ca, label, requester, subject, static_cast<std::int64_t>(count_max)},
                 [](const Query& row) { return row.integer(0); });
}

Result<std::optional<std::int64_t>> certificate_of_key(const Connection& connection, std::string_view ca, Bytes key_identifier) {
    ESTUARY_TRY(const auto statement,
                connection.prepare("SELECT c.id FROM encryption_keys k JOIN certificates c ON c.id = k.certificate JOIN "
                                   "authorities a ON a.id = c.ca WHERE k.key_identifier = ? AND a.name = ? ORDER BY c.id DESC LIMIT 1"));
    return first(Query{statement, key_identifier, ca}, [](const Query& row) { return row.integer(0); });
}

}  // namespace estuary::store::sqlite
