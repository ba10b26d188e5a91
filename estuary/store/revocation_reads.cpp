#include "estuary/store/revocation_reads.h"

#include <fmt/format.h>

namespace estuary::store::sqlite {
namespace {

constexpr std::string_view entry_columns = "SELECT c.serial_number, c.revoked_at, c.revocation_reason, c.invalidity_date ";
constexpr std::string_view all_revoked =
    "FROM certificates c INDEXED BY certificates_revoked WHERE c.ca = (SELECT id FROM authorities WHERE name = ?1) AND "
    "c.shard = ?2 AND c.revoked_at IS NOT NULL AND c.not_after >= ?3 ORDER BY c.serial_number";
constexpr std::string_view changed_since =
    "FROM (SELECT DISTINCT certificate FROM revocation_changes WHERE position > ?4) r JOIN certificates c ON c.id = "
    "r.certificate WHERE c.ca = (SELECT id FROM authorities WHERE name = ?1) AND c.shard = ?2 AND c.not_after >= ?3 "
    "ORDER BY c.serial_number";
constexpr std::string_view crl_columns =
    "a.name, l.shard, l.delta, l.number, l.base_number, l.position, l.entries, l.this_update, l.next_update";

/// Several statements that see one state of the database.
class Snapshot {
public:
    explicit Snapshot(const Connection& connection) : connection_{connection} {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    ~Snapshot() {
        if (connection_.in_transaction()) static_cast<void>(connection_.execute("ROLLBACK"));
    }
    Result<void> begin() const { return connection_.execute("BEGIN"); }

private:
    const Connection& connection_;
};

std::optional<Revocation> revocation_at(const Query& row) {
    if (row.is_null(1)) return std::nullopt;
    return Revocation{row.time(1), static_cast<RevocationReason>(row.integer(2)), row.optional_time(3)};
}

CrlRecord crl_at(const Query& row) {
    CrlRecord record;
    record.ca = row.text(0);
    record.shard = static_cast<unsigned>(row.integer(1));
    record.delta = row.integer(2) != 0;
    record.number = row.integer(3);
    record.base_number = row.integer(4);
    record.position = row.integer(5);
    record.entries = row.integer(6);
    record.this_update = row.time(7);
    record.next_update = row.time(8);
    return record;
}

}  // namespace

Result<std::int64_t> last_revocation_change(const Connection& connection) {
    return connection.integer("SELECT coalesce(max(position), 0) FROM revocation_changes");
}

Result<std::int64_t> visit_revoked(const Connection& connection, const RevokedQuery& query,
                                   const std::function<void(const RevokedCertificate&)>& visit) {
    const Snapshot snapshot{connection};
    ESTUARY_CHECK(snapshot.begin());
    ESTUARY_TRY(const auto position, last_revocation_change(connection));
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("{}{}", entry_columns, query.since ? changed_since : all_revoked)));
    std::vector<Value> values{std::string{query.ca}, std::int64_t{query.shard}, query.not_expired_at.time_since_epoch().count()};
    if (query.since) values.emplace_back(*query.since);
    Query rows{statement, std::span<const Value>{values}};
    for (;;) {
        ESTUARY_TRY(const bool more, rows.next());
        if (!more) return position;
        visit({rows.blob(0), revocation_at(rows)});
    }
}

Result<std::vector<RevocationChange>> revocation_changes(const Connection& connection, std::int64_t after, std::size_t count_max) {
    ESTUARY_TRY(const auto statement,
                connection.prepare("SELECT r.position, a.name, c.shard, c.serial_number FROM revocation_changes r JOIN certificates "
                                   "c ON c.id = r.certificate JOIN authorities a ON a.id = c.ca WHERE r.position > ? ORDER BY "
                                   "r.position LIMIT ?"));
    Query rows{statement, after, limit_of(count_max)};
    std::vector<RevocationChange> changes;
    for (;;) {
        ESTUARY_TRY(const bool more, rows.next());
        if (!more) return changes;
        changes.push_back({rows.integer(0), rows.text(1), static_cast<unsigned>(rows.integer(2)), to_vec(rows.blob(3))});
    }
}

Result<std::optional<CrlRecord>> crl(const Connection& connection, std::string_view ca, unsigned shard, bool delta) {
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("SELECT {} FROM crls l JOIN authorities a ON a.id = l.ca WHERE a.name = ? AND "
                                               "l.shard = ? AND l.delta = ?", crl_columns)));
    Query row{statement, ca, std::int64_t{shard}, static_cast<int>(delta)};
    ESTUARY_TRY(const bool found, row.next());
    if (!found) return std::nullopt;
    return crl_at(row);
}

Result<std::vector<CrlRecord>> crls(const Connection& connection) {
    ESTUARY_TRY(const auto statement, connection.prepare(fmt::format("SELECT {} FROM crls l JOIN authorities a ON a.id = l.ca "
                                                                     "ORDER BY a.name, l.shard, l.delta", crl_columns)));
    Query row{statement};
    std::vector<CrlRecord> records;
    for (;;) {
        ESTUARY_TRY(const bool more, row.next());
        if (!more) return records;
        records.push_back(crl_at(row));
    }
}

}  // namespace estuary::store::sqlite
