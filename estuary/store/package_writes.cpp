#include "estuary/store/package_tables.h"

namespace estuary::store::sqlite {
namespace {

/// In the label's column: every label. No label is spelled so.
constexpr std::string_view every_label = "*";

}  // namespace

Result<PackageWrites> PackageWrites::prepare(const Connection& connection) {
    Statements all;
    struct Source {
        Statement& statement;
        std::string_view sql;
    };
    const Source sources[] = {
        {all.insert,
         "INSERT INTO packages (type, label, recipient, recipient_key, media_type, encrypted, receipt_wanted, digest, size, note, "
         "created_at, available_from, available_until, content) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {all.remove, "DELETE FROM packages WHERE id = ?"},
        {all.remove_downloads, "DELETE FROM package_downloads WHERE package = ?"},
        {all.record,
         "INSERT INTO package_downloads (package, client, first_at, last_at, count) "
         "SELECT id, ?2, ?3, ?3, 1 FROM packages WHERE id = ?1 "
         "ON CONFLICT (package, client) DO UPDATE SET last_at = max(last_at, excluded.last_at), count = count + 1"},
        {all.insert_receipt,
         "INSERT INTO package_receipts (package, operation, client, requester, label, content_type, signer, digest, size, "
         "received_at, content) VALUES (?,?,?,?,?,?,?,?,?,?,?)"},
    };
    for (const auto& source : sources) {
        ESTUARY_TRY(source.statement, connection.prepare(source.sql));
    }
    return PackageWrites{connection.get(), std::move(all)};
}

Result<void> PackageWrites::write(const InsertPackage& insert) const {
    const auto& record = insert.record;
    const std::string_view label = record.label ? std::string_view{*record.label} : every_label;
    return Query{sql_.insert, record.type, label, record.recipient, record.recipient_key, record.media_type,
                 static_cast<int>(record.encrypted), static_cast<int>(record.receipt_wanted), Bytes{record.digest},
                 record.size, record.note, record.created_at, record.available_from, record.available_until,
                 record.content}
        .insert("this package waits for this recipient already");
}

Result<void> PackageWrites::write(const RemovePackage& remove) const {
    ESTUARY_CHECK(Query(sql_.remove, remove.id).run());
    if (sqlite3_changes(database_) == 0) return fail(Code::conflict, "there is no such package");
    return Query(sql_.remove_downloads, remove.id).run();
}

Result<void> PackageWrites::write(const RecordDownload& record) const {
    ESTUARY_CHECK(Query(sql_.record, record.package, record.client, record.at).run());
    if (sqlite3_changes(database_) == 0) return fail(Code::conflict, "the package is gone");
    return {};
}

Result<void> PackageWrites::write(const InsertReceipt& insert) const {
    const auto& record = insert.record;
    return Query{sql_.insert_receipt, record.package, record.operation, record.client, record.requester, record.label,
                 record.content_type, record.signer, Bytes{record.digest}, record.size, record.received_at,
                 record.content}
        .insert("this client has returned these octets before");
}

}  // namespace estuary::store::sqlite
