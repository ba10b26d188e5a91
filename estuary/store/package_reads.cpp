#include <fmt/format.h>

#include "estuary/store/package_tables.h"
#include "estuary/store/rows.h"

namespace estuary::store::sqlite {
namespace {

constexpr std::string_view package_columns =
    "p.id, p.type, p.label, p.recipient, p.recipient_key, p.media_type, p.encrypted, p.receipt_wanted, p.digest, p.size, p.note, "
    "p.created_at, p.available_from, p.available_until";
constexpr int package_column_count = 14;
constexpr std::string_view receipt_columns =
    "id, package, operation, client, requester, label, content_type, signer, digest, size, received_at";
constexpr int receipt_column_count = 11;

template <std::size_t N>
void copy_into(std::array<std::uint8_t, N>& into, Bytes from) {
    std::copy_n(from.begin(), std::min(from.size(), N), into.begin());
}

PackageRecord package_at(const Query& row) {
    PackageRecord record;
    record.id = row.integer(0);
    record.type = row.text(1);
    if (auto label = row.text(2); label != "*") record.label = std::move(label);
    record.recipient = row.text(3);
    record.recipient_key = row.text(4);
    record.media_type = row.text(5);
    record.encrypted = row.integer(6) != 0;
    record.receipt_wanted = row.integer(7) != 0;
    copy_into(record.digest, row.blob(8));
    record.size = row.integer(9);
    record.note = row.text(10);
    record.created_at = row.time(11);
    record.available_from = row.time(12);
    record.available_until = row.optional_time(13);
    return record;
}

PackageReceipt receipt_at(const Query& row) {
    PackageReceipt record;
    record.id = row.integer(0);
    record.package = row.optional_integer(1);
    record.operation = row.text(2);
    record.client = row.text(3);
    record.requester = row.text(4);
    record.label = row.text(5);
    record.content_type = row.text(6);
    record.signer = row.text(7);
    copy_into(record.digest, row.blob(8));
    record.size = row.integer(9);
    record.received_at = row.time(10);
    return record;
}

/// "?,?,?" for so many values.
std::string marks(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ",?";
    return out;
}

}  // namespace

Result<std::vector<PackageRecord>> packages(const Connection& connection) {
    ESTUARY_TRY(const auto statement, connection.prepare(fmt::format("SELECT {} FROM packages p ORDER BY p.id", package_columns)));
    return every(Query{statement}, package_at);
}

Result<std::optional<PackageRecord>> package(const Connection& connection, std::int64_t id) {
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("SELECT {}, p.content FROM packages p WHERE p.id = ?", package_columns)));
    Query row{statement, id};
    ESTUARY_TRY(const bool found, row.next());
    if (!found) return std::nullopt;
    auto record = package_at(row);
    record.content = to_vec(row.blob(package_column_count));
    return record;
}

Result<std::vector<WaitingPackage>> waiting_packages(const Connection& connection, const PackageQuery& query) {
    if (query.recipient_keys.empty()) return std::vector<WaitingPackage>{};
    std::vector<Value> values{query.client, query.client, query.label};
    auto sql = fmt::format("SELECT {}, d.last_at, EXISTS (SELECT 1 FROM package_receipts r WHERE r.package = p.id AND r.client = ?) "
                           "FROM packages p LEFT JOIN package_downloads d ON d.package = p.id AND d.client = ? "
                           "WHERE p.label IN ('*', ?) AND p.recipient_key IN ({}) ",
                           package_columns, marks(query.recipient_keys.size()));
    for (const auto& key : query.recipient_keys) values.emplace_back(key);
    if (!query.types.empty()) {
        sql += fmt::format("AND p.type IN ({}) ", marks(query.types.size()));
        for (const auto& type : query.types) values.emplace_back(type);
    }
    if (query.available_at) {
        const auto at = query.available_at->time_since_epoch().count();
        sql += "AND p.available_from <= ? AND (p.available_until IS NULL OR p.available_until > ?) ";
        values.insert(values.end(), {Value{at}, Value{at}});
    }
    if (query.id) {
        sql += "AND p.id = ? ";
        values.emplace_back(*query.id);
    }
    sql += "AND p.id > ? ";
    values.emplace_back(query.after_id);
    if (query.downloaded) sql += *query.downloaded ? "AND d.last_at IS NOT NULL " : "AND d.last_at IS NULL ";
    sql += query.newest_first ? "ORDER BY p.id DESC LIMIT ?" : "ORDER BY p.id LIMIT ?";
    values.emplace_back(limit_of(query.count_max));
    ESTUARY_TRY(const auto statement, connection.prepare(sql));
    return every(Query{statement, std::span<const Value>{values}}, [](const Query& row) {
        return WaitingPackage{package_at(row), row.optional_time(package_column_count), row.integer(package_column_count + 1) != 0};
    });
}

Result<std::vector<PackageDownload>> package_downloads(const Connection& connection, std::int64_t package) {
    ESTUARY_TRY(const auto statement, connection.prepare("SELECT package, client, first_at, last_at, count FROM package_downloads "
                                                         "WHERE package = ? ORDER BY first_at, client"));
    return every(Query{statement, package}, [](const Query& row) {
        return PackageDownload{row.integer(0), row.text(1), row.time(2), row.time(3), row.integer(4)};
    });
}

Result<std::vector<PackageReceipt>> package_receipts(const Connection& connection, const ReceiptFilter& filter) {
    std::vector<Value> values{filter.after_id};
    if (filter.package) values.emplace_back(*filter.package);
    values.emplace_back(limit_of(filter.count_max));
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("SELECT {} FROM package_receipts WHERE id > ? {}ORDER BY id LIMIT ?", receipt_columns,
                                               filter.package ? "AND package = ? " : "")));
    return every(Query{statement, std::span<const Value>{values}}, receipt_at);
}

Result<std::optional<PackageReceipt>> package_receipt(const Connection& connection, std::int64_t id) {
    ESTUARY_TRY(const auto statement,
                connection.prepare(fmt::format("SELECT {}, content FROM package_receipts WHERE id = ?", receipt_columns)));
    Query row{statement, id};
    ESTUARY_TRY(const bool found, row.next());
    if (!found) return std::nullopt;
    auto record = receipt_at(row);
    record.content = to_vec(row.blob(receipt_column_count));
    return record;
}

Result<bool> has_receipt(const Connection& connection, std::string_view client, Bytes digest) {
    ESTUARY_TRY(const auto statement, connection.prepare("SELECT 1 FROM package_receipts WHERE client = ? AND digest = ?"));
    return Query(statement, client, digest).next();
}

Result<std::int64_t> count_receipts(const Connection& connection, std::string_view client, std::optional<std::int64_t> package) {
    ESTUARY_TRY(const auto statement,
                connection.prepare("SELECT count(*) FROM package_receipts WHERE client = ? AND package IS ?"));
    Query row{statement, client, package};
    ESTUARY_CHECK(row.next());
    return row.integer(0);
}

}  // namespace estuary::store::sqlite
