#include "estuary/store/sqlite.h"

#include <fmt/format.h>

namespace estuary::store::sqlite {
namespace {

bool is_our_fault(int code) noexcept {
    switch (code & 0xFF) {
        case SQLITE_ERROR:
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
        case SQLITE_MISUSE:
        case SQLITE_RANGE:
        case SQLITE_TOOBIG: return true;
        default: return false;
    }
}

}  // namespace

Error error_of(sqlite3* database, int code, std::string_view doing) {
    const char* message = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    auto cause = fmt::format("sqlite: {}: {} ({})", doing, message, code);
    if (is_our_fault(code)) return {Code::internal, "storage refused the operation", std::move(cause)};
    return {Code::unavailable, "storage is unavailable; try again later", std::move(cause), 5};
}

Result<Connection> Connection::open(const std::filesystem::path& path, int flags, std::chrono::milliseconds busy_timeout) {
    sqlite3* database = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    Connection connection{database};  // there is a handle to close on failure, too
    if (code != SQLITE_OK) return fail(error_of(database, code, fmt::format("opening {}", path.string())));
    sqlite3_busy_timeout(database, static_cast<int>(busy_timeout.count()));
    // Databases come from disks that others may write: no SQL functions out of a schema, no writes to the schema tables.
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    return connection;
}

Result<void> Connection::execute(const char* sql) const {
    const int code = sqlite3_exec(get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(error(code, sql));
    return {};
}

Result<Statement> Connection::prepare(std::string_view sql) const {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
    if (code != SQLITE_OK) return fail(error(code, sql));
    return Statement{statement};
}

Result<std::int64_t> Connection::integer(std::string_view sql) const {
    ESTUARY_TRY(const auto statement, prepare(sql));
    Query query{statement};
    ESTUARY_TRY(const bool row, query.next());
    return row ? query.integer(0) : 0;
}

Result<std::string> Connection::text(std::string_view sql) const {
    ESTUARY_TRY(const auto statement, prepare(sql));
    Query query{statement};
    ESTUARY_TRY(const bool row, query.next());
    return row ? query.text(0) : std::string{};
}

Result<Transaction> Transaction::begin(const Connection& connection) {
    ESTUARY_CHECK(connection.execute("BEGIN IMMEDIATE"));
    return Transaction{connection};
}

Transaction::~Transaction() {
    // SQLite has rolled back by itself after some errors.
    if (connection_ != nullptr && connection_->in_transaction()) (void)connection_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    ESTUARY_CHECK(connection_->execute("COMMIT"));
    connection_ = nullptr;
    return {};
}

}  // namespace estuary::store::sqlite
