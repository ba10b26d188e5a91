#pragma once
// Packages as SQL: their writes within the transaction of whoever calls, and their reads on a reading connection.
#include "estuary/store/packages.h"
#include "estuary/store/sqlite.h"

namespace estuary::store::sqlite {

/// Writes of one connection. Errors as Writes has them.
class PackageWrites {
public:
    static Result<PackageWrites> prepare(const Connection& connection);

    Result<void> write(const InsertPackage& insert) const;
    Result<void> write(const RemovePackage& remove) const;
    Result<void> write(const RecordDownload& record) const;
    Result<void> write(const InsertReceipt& insert) const;

private:
    struct Statements {
        Statement insert, remove, remove_downloads, record, insert_receipt;
    };
    PackageWrites(sqlite3* database, Statements statements) : database_{database}, sql_{std::move(statements)} {}

    sqlite3* database_;
    Statements sql_;
};

Result<std::vector<PackageRecord>> packages(const Connection& connection);
Result<std::optional<PackageRecord>> package(const Connection& connection, std::int64_t id);
Result<std::vector<WaitingPackage>> waiting_packages(const Connection& connection, const PackageQuery& query);
Result<std::vector<PackageDownload>> package_downloads(const Connection& connection, std::int64_t package);
Result<std::vector<PackageReceipt>> package_receipts(const Connection& connection, const ReceiptFilter& filter);
Result<std::optional<PackageReceipt>> package_receipt(const Connection& connection, std::int64_t id);
Result<bool> has_receipt(const Connection& connection, std::string_view client, Bytes digest);
Result<std::int64_t> count_receipts(const Connection& connection, std::string_view client, std::optional<std::int64_t> package);

}  // namespace estuary::store::sqlite
