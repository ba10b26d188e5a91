#include "estuary/store/group_commit.h"

#include <algorithm>

#include "estuary/base/log.h"

namespace estuary::store::sqlite {
namespace {

constexpr std::size_t wal_frame_header_bytes = 24;

/// Whatever the library said of a transaction that did not come to its end: for the units in it, storage was unavailable.
Error as_unavailable(Error error) {
    if (error.code == Code::unavailable) return error;
    return {Code::unavailable, "storage is unavailable; try again later", std::move(error.cause), 5};
}

}  // namespace

Result<void> GroupCommit::open() {
    if (connection_) return {};
    ESTUARY_TRY(auto connection, connect(path_, options_, Role::writer));
    ESTUARY_TRY(auto writes, Writes::prepare(connection));
    ESTUARY_TRY(begin_, connection.prepare("BEGIN IMMEDIATE"));
    ESTUARY_TRY(end_, connection.prepare("COMMIT"));
    ESTUARY_TRY(rollback_, connection.prepare("ROLLBACK"));
    ESTUARY_TRY(savepoint_, connection.prepare("SAVEPOINT unit"));
    ESTUARY_TRY(release_, connection.prepare("RELEASE unit"));
    ESTUARY_TRY(rollback_to_, connection.prepare("ROLLBACK TO unit"));
    ESTUARY_TRY(const auto page_bytes, connection.integer("PRAGMA page_size"));
    page_bytes_ = static_cast<std::size_t>(page_bytes);
    sqlite3_wal_hook(
        connection.get(),
        [](void* self, sqlite3*, const char*, int frames) {
            auto& commit = *static_cast<GroupCommit*>(self);
            commit.wal_bytes_ = static_cast<std::size_t>(frames) * (commit.page_bytes_ + wal_frame_header_bytes);
            return SQLITE_OK;
        },
        this);
    connection_ = std::move(connection);
    writes_.emplace(std::move(writes));
    return {};
}

void GroupCommit::close() {
    writes_.reset();
    for (auto* statement : {&begin_, &end_, &rollback_, &savepoint_, &release_, &rollback_to_}) *statement = Statement{};
    connection_ = Connection{};
}

std::vector<Result<void>> GroupCommit::commit(std::span<const UnitOfWork* const> units) {
    std::vector<Result<void>> outcomes(units.size());
    auto ended = try_commit(units, outcomes, false);
    if (ended && *ended == Ended::must_isolate) ended = try_commit(units, outcomes, true);
    if (!ended) {
        close();  // rolls back what may still be open
        const auto error = as_unavailable(std::move(ended).error());
        if (!failing_) log::error("storage fails; every request is refused until it works again", {{"cause", error.cause}});
        std::ranges::fill(outcomes, Result<void>{tl::unexpected<Error>{error}});
    } else if (failing_) {
        log::info("storage works again");
    }
    failing_ = !ended;
    return outcomes;
}

/// Guards seldom fail, and a savepoint makes SQLite copy every page that a unit touches. So the first try goes without: a
/// unit that fails before it has written anything needs no rollback; after that, the whole transaction is begun again
/// with every unit in a savepoint.
Result<GroupCommit::Ended> GroupCommit::try_commit(std::span<const UnitOfWork* const> units,
                                                   std::vector<Result<void>>& outcomes, bool isolated) {
    ESTUARY_CHECK(open());
    ESTUARY_CHECK(Query(begin_).run());
    for (std::size_t i = 0; i < units.size(); ++i) {
        bool changed = false;
        outcomes[i] = isolated ? apply_isolated(*units[i]) : writes_->apply(*units[i], changed);
        if (outcomes[i]) continue;
        if (outcomes[i].error().code == Code::unavailable || !connection_.in_transaction())
            return fail(outcomes[i].error());
        if (!changed) continue;
        writes_->forget();
        ESTUARY_CHECK(Query(rollback_).run());
        return Ended::must_isolate;
    }
    ESTUARY_CHECK(Query(end_).run());
    return Ended::committed;
}

Result<void> GroupCommit::apply_isolated(const UnitOfWork& work) {
    const auto must = [](Result<void> result) { return result.map_error(as_unavailable); };
    ESTUARY_CHECK(must(Query(savepoint_).run()));
    bool changed = false;
    auto outcome = writes_->apply(work, changed);
    if (!outcome && outcome.error().code == Code::unavailable) return outcome;
    if (!outcome && changed) {
        writes_->forget();
        ESTUARY_CHECK(must(Query(rollback_to_).run()));
    }
    ESTUARY_CHECK(must(Query(release_).run()));
    return outcome;
}

Result<std::size_t> GroupCommit::run(const Job& job) {
    const auto in_transaction = [&]() -> Result<std::size_t> {
        ESTUARY_CHECK(open());
        ESTUARY_CHECK(Query(begin_).run());
        ESTUARY_TRY(const auto count, job(connection_));
        ESTUARY_CHECK(Query(end_).run());
        return count;
    };
    auto count = in_transaction();
    if (!count) close();
    return count;
}

Result<void> GroupCommit::empty_log(LogFile file, std::chrono::milliseconds patience) {
    ESTUARY_CHECK(open());
    sqlite3_busy_timeout(connection_.get(), static_cast<int>(patience.count()));
    const int mode = file == LogFile::cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART;
    const int code = sqlite3_wal_checkpoint_v2(connection_.get(), "main", mode, nullptr, nullptr);
    sqlite3_busy_timeout(connection_.get(), static_cast<int>(options_.busy_timeout.count()));
    if (code == SQLITE_OK) {
        wal_bytes_ = 0;
        return {};
    }
    auto error = connection_.error(code, "emptying the write-ahead log");
    if ((code & 0xFF) != SQLITE_BUSY) close();
    return fail(std::move(error));
}

}  // namespace estuary::store::sqlite
