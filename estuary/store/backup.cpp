#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "estuary/store/database_file.h"
#include "estuary/store/upkeep.h"

namespace estuary::store::sqlite {
namespace {

constexpr SystemCode taken{EEXIST, Code::conflict};

Result<void> flush(const std::filesystem::path& path, int flags) {
    const int file = ::open(path.c_str(), flags | O_CLOEXEC);
    if (file < 0) return system_error("open", path, taken);
    const bool flushed = ::fsync(file) == 0;
    const int number = errno;
    ::close(file);
    errno = number;
    if (!flushed) return system_error("flush", path, taken);
    return {};
}

/// A file that goes when it has not become the backup.
class TemporaryFile {
public:
    static Result<TemporaryFile> beside(const std::filesystem::path& target) {
        auto pattern = target.string() + ".XXXXXX";
        const int file = ::mkostemp(pattern.data(), O_CLOEXEC);  // mode 0600
        if (file < 0) return system_error("create a file beside", target, taken);
        ::close(file);
        return TemporaryFile{std::move(pattern)};
    }
    TemporaryFile(TemporaryFile&& other) noexcept : path_{std::exchange(other.path_, {})} {}
    TemporaryFile& operator=(TemporaryFile&&) = delete;
    ~TemporaryFile() {
        if (path_.empty()) return;
        ::unlink(path_.c_str());
        ::unlink((path_ + "-journal").c_str());
    }
    const std::string& path() const { return path_; }
    /// Gives the file its name, unless that is taken.
    Result<void> become(const std::filesystem::path& target) {
        const bool renamed = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0;
        // Some file systems cannot do that; the name was free when we began.
        if (!renamed && (errno != EINVAL || ::rename(path_.c_str(), target.c_str()) != 0))
            return system_error("create", target, taken);
        path_.clear();
        return {};
    }

private:
    explicit TemporaryFile(std::string path) : path_{std::move(path)} {}
    std::string path_;
};

}  // namespace

Result<void> backup(const std::filesystem::path& source, const Options& options, const std::filesystem::path& target) {
    struct stat status {};
    if (::lstat(target.c_str(), &status) == 0)
        return fail(Code::conflict, fmt::format("{} exists; a backup never overwrites", target.string()));
    ESTUARY_TRY(auto temporary, TemporaryFile::beside(target));
    // VACUUM INTO copies one moment's state while others write; the online backup would start again at each commit.
    ESTUARY_TRY(const auto connection, connect(source, options, Role::upkeep));
    ESTUARY_TRY(const auto statement, connection.prepare("VACUUM INTO ?"));
    ESTUARY_CHECK(Query(statement, temporary.path()).run());
    ESTUARY_CHECK(flush(temporary.path(), O_RDWR));
    ESTUARY_CHECK(temporary.become(target));
    const auto directory = target.parent_path().empty() ? std::filesystem::path{"."} : target.parent_path();
    return flush(directory, O_RDONLY | O_DIRECTORY);
}

}  // namespace estuary::store::sqlite
