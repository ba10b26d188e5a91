#pragma once
// SQLite's C interface with owners for its handles and Results for its codes. Only for this room.
#include <chrono>
#include <concepts>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <sqlite3.h>

#include "estuary/base/bytes.h"
#include "estuary/base/clock.h"
#include "estuary/base/handle.h"
#include "estuary/base/result.h"

namespace estuary::store::sqlite {

/// The Error for a failed call on `database`. Faults that may pass (disk full, I/O, locks, memory, damage) are
/// `unavailable`; what points at ourselves (constraints without a guard, wrong SQL) is `internal`.
Error error_of(sqlite3* database, int code, std::string_view doing);

/// True where a constraint refused the row: somebody else's row is there already.
constexpr bool is_constraint(int code) noexcept { return (code & 0xFF) == SQLITE_CONSTRAINT; }

/// A prepared statement, kept to be used many times through Query.
class Statement {
public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* statement) : statement_{statement} {}
    sqlite3_stmt* get() const noexcept { return statement_.get(); }
    explicit operator bool() const noexcept { return statement_ != nullptr; }

private:
    Handle<sqlite3_stmt, sqlite3_finalize> statement_;
};

/// One connection; used by one thread at a time.
class Connection {
public:
    Connection() = default;
    /// `flags` as for sqlite3_open_v2; NOMUTEX is added. Statements wait `busy_timeout` for locks of other connections.
    static Result<Connection> open(const std::filesystem::path& path, int flags, std::chrono::milliseconds busy_timeout);

    sqlite3* get() const noexcept { return database_.get(); }
    explicit operator bool() const noexcept { return database_ != nullptr; }
    bool in_transaction() const noexcept { return sqlite3_get_autocommit(get()) == 0; }
    /// Runs statements separated by semicolons; rows are dropped.
    Result<void> execute(const char* sql) const;
    Result<Statement> prepare(std::string_view sql) const;
    /// The integer in the first column of the first row ("PRAGMA user_version"); 0 where there is no row.
    Result<std::int64_t> integer(std::string_view sql) const;
    Result<std::string> text(std::string_view sql) const;
    Error error(int code, std::string_view doing) const { return error_of(get(), code, doing); }

private:
    explicit Connection(sqlite3* database) : database_{database} {}
    Handle<sqlite3, sqlite3_close_v2> database_;
};

using Value = std::variant<std::int64_t, std::string, ByteVec>;

/// One use of a statement: binds when made, resets when it goes out of scope. Texts and octets are bound without a copy,
/// so they must live as long as the Query.
class Query {
public:
    template <class... Values>
    explicit Query(const Statement& statement, const Values&... values) : statement_{statement.get()} {
        int position = 0;
        ((code_ = code_ == SQLITE_OK ? bind(++position, values) : code_), ...);
    }
    /// With values that are known only when the statement is put together.
    Query(const Statement& statement, std::span<const Value> values) : statement_{statement.get()} {
        int position = 0;
        for (const auto& value : values)
            if (code_ == SQLITE_OK) code_ = std::visit([&](const auto& one) { return bind(++position, one); }, value);
    }
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    ~Query() { sqlite3_reset(statement_); }

    /// SQLITE_ROW, SQLITE_DONE or an extended error code.
    int step() noexcept {
        if (code_ == SQLITE_OK || code_ == SQLITE_ROW) code_ = sqlite3_step(statement_);
        return code_;
    }
    /// True: there is a row; false: no more.
    Result<bool> next() {
        if (step() == SQLITE_ROW) return true;
        if (code_ == SQLITE_DONE) return false;
        return fail(error());
    }
    /// To the end, for statements without rows of interest.
    Result<void> run() {
        while (step() == SQLITE_ROW) {
        }
        if (code_ == SQLITE_DONE) return {};
        return fail(error());
    }
    /// An insert of what must not be there yet: Code::conflict, with these words, if it is.
    Result<void> insert(std::string_view conflict) {
        const int code = step();
        if (code == SQLITE_DONE) return {};
        if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) return fail(Code::conflict, std::string{conflict});
        return fail(error());
    }
    Error error() const { return error_of(sqlite3_db_handle(statement_), code_, "running a statement"); }

    bool is_null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
    std::int64_t integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }
    Time time(int column) const noexcept { return Time{Seconds{integer(column)}}; }
    /// Valid until the next step.
    Bytes blob(int column) const noexcept {
        const auto* octets = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
        return {octets, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }
    std::string text(int column) const {
        const auto* characters = sqlite3_column_text(statement_, column);
        return estuary::to_string(Bytes{characters, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))});
    }
    std::optional<std::int64_t> optional_integer(int column) const noexcept {
        return is_null(column) ? std::nullopt : std::optional{integer(column)};
    }
    std::optional<Time> optional_time(int column) const noexcept {
        return is_null(column) ? std::nullopt : std::optional{time(column)};
    }

private:
    template <std::integral Integer>
    int bind(int position, Integer value) noexcept {
        return sqlite3_bind_int64(statement_, position, static_cast<sqlite3_int64>(value));
    }
    int bind(int position, Time value) noexcept { return bind(position, value.time_since_epoch().count()); }
    int bind(int position, std::string_view value) noexcept {
        // A null pointer would bind NULL, not the empty text.
        return sqlite3_bind_text64(statement_, position, value.data() != nullptr ? value.data() : "", value.size(),
                                   SQLITE_STATIC, SQLITE_UTF8);
    }
    int bind(int position, const std::string& value) noexcept { return bind(position, std::string_view{value}); }
    int bind(int position, Bytes value) noexcept {
        return value.empty() ? sqlite3_bind_zeroblob(statement_, position, 0)
                             : sqlite3_bind_blob64(statement_, position, value.data(), value.size(), SQLITE_STATIC);
    }
    int bind(int position, const ByteVec& value) noexcept { return bind(position, Bytes{value}); }
    int bind(int position, std::nullopt_t) noexcept { return sqlite3_bind_null(statement_, position); }
    template <class Value>
    int bind(int position, const std::optional<Value>& value) noexcept {
        return value ? bind(position, *value) : bind(position, std::nullopt);
    }

    sqlite3_stmt* statement_;
    int code_ = SQLITE_OK;
};

/// A write transaction: rolled back when it goes out of scope without commit.
class Transaction {
public:
    /// Takes the write lock at once, so that nothing fails later for somebody else's sake.
    static Result<Transaction> begin(const Connection& connection);
    Transaction(Transaction&& other) noexcept : connection_{std::exchange(other.connection_, nullptr)} {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

private:
    explicit Transaction(const Connection& connection) : connection_{&connection} {}
    const Connection* connection_;
};

/// Most rows that a LIMIT takes: counts of ours are std::size_t, SQLite's are signed.
inline std::int64_t limit_of(std::size_t count) noexcept {
    constexpr auto largest = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(count < largest ? count : largest);
}

}  // namespace estuary::store::sqlite
