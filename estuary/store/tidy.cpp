#include <fmt/format.h>

#include "estuary/store/upkeep.h"

namespace estuary::store::sqlite {
namespace {

/// Rows looked at in one step: a transaction of a few milliseconds at most.
constexpr std::int64_t step_rows = 1'000;

/// Rows of `table` that satisfy `condition` (of ?1) have no more use. `key` is the table's integer key.
struct Rule {
    std::string_view table, key, condition;
};
constexpr Rule request_keys{"request_keys", "head", "certificate < ?1"};
constexpr Rule pending_requests{"pending_requests", "id", "expires_at < ?1"};
constexpr Rule credentials{"credentials", "id",
                           "(expires_at < ?1 OR (uses_left = 0 AND coalesce(spent_at, created_at) < ?1))"};

/// Packages whose time is over go, and what tells of their downloads after them; receipts stay.
constexpr Rule past_packages{"packages", "id", "available_until < ?1"};
constexpr Rule orphaned_downloads{"package_downloads", "id", "package NOT IN (SELECT id FROM packages)"};

/// Part of a table: keys from `first` to `last`, both included.
struct Stretch {
    std::int64_t first, last;
    std::int64_t useless;  ///< rows to delete
};

/// The next `step_rows` rows from `first` on, found without a lock; nothing at the table's end.
Result<std::optional<Stretch>> next_stretch(const Connection& connection, const Rule& rule, std::int64_t limit,
                                            std::int64_t first) {
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("SELECT max({0}), count(*) FILTER (WHERE {1}) "
                                               "FROM (SELECT * FROM {2} WHERE {0} >= ?2 ORDER BY {0} LIMIT ?3)",
                                               rule.key, rule.condition, rule.table)));
    Query query{statement, limit, first, step_rows};
    ESTUARY_TRY(const bool row, query.next());
    if (!row || query.is_null(0)) return std::nullopt;
    return Stretch{first, query.integer(0), query.integer(1)};
}

Result<std::size_t> clear(const Connection& connection, const Rule& rule, std::int64_t limit, const Stretch& stretch) {
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("DELETE FROM {0} WHERE {1} BETWEEN ?2 AND ?3 AND {2}", rule.table, rule.key,
                                               rule.condition)));
    ESTUARY_CHECK(Query(statement, limit, stretch.first, stretch.last).run());
    return static_cast<std::size_t>(sqlite3_changes64(connection.get()));
}

/// Walks the table once, always forward: it ends even while others insert.
Result<std::size_t> tidy_table(ReaderPool& readers, Writer& writer, const Rule& rule, std::int64_t limit) {
    std::size_t gone = 0;
    auto first = std::numeric_limits<std::int64_t>::min();
    for (;;) {
        ESTUARY_TRY(const auto stretch, readers.with([&](const Reads& reads) {
            return next_stretch(reads.connection(), rule, limit, first);
        }));
        if (!stretch) return gone;
        if (stretch->useless > 0) {
            ESTUARY_TRY(const auto count, writer.run([&](const Connection& connection) {
                return clear(connection, rule, limit, *stretch);
            }));
            gone += count;
        }
        if (stretch->last == std::numeric_limits<std::int64_t>::max()) return gone;
        first = stretch->last + 1;
    }
}

/// The id of the first certificate that was issued at or after `time`, by bisection: ids and times grow together, and an
/// index on the time would cost at every issuance. A clock that was set back makes it a little wrong, which does no harm.
Result<std::int64_t> first_certificate_since(const Reads& reads, Time time) {
    ESTUARY_TRY(const auto statement, reads.connection().prepare("SELECT issued_at FROM certificates WHERE id = ?"));
    ESTUARY_TRY(auto past, reads.count_certificates());
    std::int64_t first = 1;
    ++past;
    while (first < past) {
        const auto middle = first + (past - first) / 2;
        Query query{statement, middle};
        ESTUARY_TRY(const bool found, query.next());
        if (found && query.time(0) >= time)
            past = middle;
        else
            first = middle + 1;
    }
    return first;
}

}  // namespace

Result<std::size_t> tidy(ReaderPool& readers, Writer& writer, Time before) {
    const auto seconds = before.time_since_epoch().count();
    ESTUARY_TRY(const auto certificate,
                readers.with([&](const Reads& reads) { return first_certificate_since(reads, before); }));
    ESTUARY_TRY(const auto keys, tidy_table(readers, writer, request_keys, certificate));
    ESTUARY_TRY(const auto requests, tidy_table(readers, writer, pending_requests, seconds));
    ESTUARY_TRY(const auto spent, tidy_table(readers, writer, credentials, seconds));
    ESTUARY_TRY(const auto waiting, tidy_table(readers, writer, past_packages, seconds));
    ESTUARY_TRY(const auto downloads, tidy_table(readers, writer, orphaned_downloads, seconds));
    return keys + requests + spent + waiting + downloads;
}

}  // namespace estuary::store::sqlite
