#pragma once
// Many units of work in one transaction: one flush of the disk for all of them.
#include <functional>
#include <span>
#include <vector>

#include "estuary/store/database_file.h"
#include "estuary/store/sqlite_writes.h"

namespace estuary::store::sqlite {

/// The one writing connection of a store; used by one thread. Whatever fails in the storage below, the next call tries
/// afresh with a new connection.
class GroupCommit {
public:
    GroupCommit(std::filesystem::path path, Options options) : path_{std::move(path)}, options_{std::move(options)} {}

    /// One outcome per unit, in order. A unit whose guard fails leaves nothing behind and the others go on; where the
    /// storage fails, every unit is `unavailable` and nothing of any of them remains.
    std::vector<Result<void>> commit(std::span<const UnitOfWork* const> units);

    /// Does something else with the connection, in a transaction of its own.
    using Job = std::function<Result<std::size_t>(const Connection&)>;
    Result<std::size_t> run(const Job& job);

    /// Octets in the write-ahead log after the last commit.
    std::size_t wal_bytes() const noexcept { return wal_bytes_; }
    /// What becomes of the log's file: overwriting it is about twice as fast as letting it grow anew.
    enum class LogFile : std::uint8_t { keep, cut };
    /// Moves the whole log into the database, so that the next commit begins it anew. Waits `patience` for readers at most.
    Result<void> empty_log(LogFile file, std::chrono::milliseconds patience);
    /// Connects now, to fail early.
    Result<void> open();

private:
    /// What a rolled back transaction says about the way to try it again.
    enum class Ended : std::uint8_t { committed, must_isolate };

    Result<Ended> try_commit(std::span<const UnitOfWork* const> units, std::vector<Result<void>>& outcomes, bool isolated);
    Result<void> apply_isolated(const UnitOfWork& work);
    void close();

    std::filesystem::path path_;
    Options options_;
    Connection connection_;
    std::optional<Writes> writes_;
    Statement begin_, end_, rollback_, savepoint_, release_, rollback_to_;
    std::size_t wal_bytes_ = 0;
    std::size_t page_bytes_ = 4096;
    bool failing_ = false;
};

}  // namespace estuary::store::sqlite
