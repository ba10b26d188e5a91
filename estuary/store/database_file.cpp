#include "estuary/store/database_file.h"

#include <cerrno>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "estuary/store/schema.h"

namespace estuary::store::sqlite {
namespace {

constexpr unsigned reader_cache_share = 8;
constexpr std::size_t upkeep_cache_bytes = 1u << 20;

constexpr SystemCode absent{ENOENT, Code::not_found};

/// An empty file of mode 0600, whatever the umask; SQLite gives its companions (-wal, -shm) the mode of the file. Another
/// process may have been faster: then it is there, too.
Result<void> create_file(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) return {};
    if (file < 0) return system_error("create", path, absent);
    ::close(file);
    return {};
}

/// The database holds password hashes and names: nobody but its owner reads it.
Result<void> restrict_access(const std::filesystem::path& path) {
    for (const auto* suffix : {"", "-wal", "-shm"}) {
        const auto file = path.string() + suffix;
        struct stat status {};
        if (::stat(file.c_str(), &status) != 0 || (status.st_mode & 077) == 0) continue;
        if (::chmod(file.c_str(), 0600) != 0) return system_error("set the mode of", file, absent);
    }
    return {};
}

/// SQLite does not wait for locks in this pragma when another process is just doing the same.
Result<void> switch_to_wal(const Connection& connection, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto mode = connection.text("PRAGMA journal_mode = WAL");
        const bool busy = (sqlite3_errcode(connection.get()) & 0xFF) == SQLITE_BUSY;
        if (!mode && (!busy || std::chrono::steady_clock::now() >= deadline)) return fail(mode.error());
        if (mode && std::string_view{*mode} == "wal") return {};
        if (mode)
            return fail(Code::unavailable, "the database's file system does not support a write-ahead log",
                        fmt::format("journal mode is {}", *mode));
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
}

}  // namespace

tl::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& path, SystemCode known) {
    const int number = errno;
    return fail(number == known.number ? known.code : Code::unavailable,
                fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(number)));
}

Result<void> prepare_file(const std::filesystem::path& path, const Options& options, bool create) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno != ENOENT || !create) return system_error("open", path, absent);
        ESTUARY_CHECK(create_file(path));
    } else if (!S_ISREG(status.st_mode)) {
        return fail(Code::unsupported, fmt::format("{} is not a file", path.string()));
    }
    ESTUARY_TRY(const auto connection, Connection::open(path, SQLITE_OPEN_READWRITE, options.busy_timeout));
    ESTUARY_CHECK(identify(connection, path));
    ESTUARY_CHECK(restrict_access(path));
    if (sqlite3_db_readonly(connection.get(), "main") != 0)
        return fail(Code::unavailable, fmt::format("cannot write to {}", path.string()));
    ESTUARY_CHECK(switch_to_wal(connection, options.busy_timeout));
    ESTUARY_CHECK(connection.execute("PRAGMA synchronous = FULL"));
    return migrate(connection);
}

Result<Connection> connect(const std::filesystem::path& path, const Options& options, Role role) {
    ESTUARY_TRY(auto connection, Connection::open(path, SQLITE_OPEN_READWRITE, options.busy_timeout));
    const auto cache_bytes = role == Role::writer   ? options.cache_bytes
                             : role == Role::reader ? options.cache_bytes / reader_cache_share
                                                    : upkeep_cache_bytes;
    // Checkpoints have their own thread; deleted rows are overwritten where that costs no extra write.
    const auto settings = fmt::format(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; "
        "PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST; PRAGMA temp_store = MEMORY; "
        "PRAGMA cell_size_check = ON; PRAGMA cache_size = -{}; PRAGMA query_only = {};",
        cache_bytes / 1024 + 1, role == Role::reader ? 1 : 0);
    ESTUARY_CHECK(connection.execute(settings.c_str()));
    return connection;
}

}  // namespace estuary::store::sqlite
