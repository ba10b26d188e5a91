#include "estuary/store/transaction_reads.h"

#include <fmt/format.h>

namespace estuary::store::sqlite {
namespace {

/// Rows deleted at once: a transaction of a few milliseconds.
constexpr std::int64_t transactions_ended_at_once = 500;

UnconfirmedCertificate unconfirmed_at(const Query& row) {
    return {row.integer(0), row.text(1), to_vec(row.blob(2)), row.text(3), row.time(4)};
}

}  // namespace

Result<std::optional<TransactionRecord>> transaction(const Statement& statement, std::string_view protocol, const RequestKey& key) {
    Query query{statement, Bytes{key}, protocol};
    ESTUARY_TRY(const bool found, query.next());
    if (!found) return std::nullopt;
    return TransactionRecord{std::string{protocol}, key, query.integer(0), to_vec(query.blob(2)), query.time(1)};
}

Result<std::optional<UnconfirmedCertificate>> unconfirmed(const Statement& statement, std::string_view ca, Bytes serial_number) {
    Query query{statement, ca, serial_number};
    ESTUARY_TRY(const bool found, query.next());
    if (!found) return std::nullopt;
    return unconfirmed_at(query);
}

Result<std::vector<UnconfirmedCertificate>> unconfirmed(const Connection& connection, Time before, std::size_t count_max) {
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("{}WHERE u.until < ? ORDER BY u.until LIMIT ?", unconfirmed_columns)));
    Query query{statement, before, static_cast<std::int64_t>(count_max)};
    std::vector<UnconfirmedCertificate> all;
    for (;;) {
        ESTUARY_TRY(const bool more, query.next());
        if (!more) return all;
        all.push_back(unconfirmed_at(query));
    }
}

Result<bool> any_transaction_ended(const Connection& connection, Time now) {
    ESTUARY_TRY(const auto statement, connection.prepare("SELECT 1 FROM transactions WHERE expires_at < ? LIMIT 1"));
    Query query{statement, now};
    return query.next();
}

Result<std::size_t> end_some_transactions(const Connection& connection, Time now) {
    ESTUARY_TRY(const auto statement,
                connection.prepare("DELETE FROM transactions WHERE id IN (SELECT id FROM transactions WHERE expires_at < ? "
                                   "ORDER BY expires_at LIMIT ?)"));
    ESTUARY_CHECK(Query(statement, now, transactions_ended_at_once).run());
    return static_cast<std::size_t>(sqlite3_changes64(connection.get()));
}

}  // namespace estuary::store::sqlite
