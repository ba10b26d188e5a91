#include "apps/estuaryd/crl_files.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/estuaryd/file_system.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/crypto/digest.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t crl_bytes_max = std::size_t{256} << 20;  // what x509 reads
constexpr std::size_t etag_octets = 16;

/// What is asked for may not be there: not_found.
tl::unexpected<Error> list_error(std::string_view what, const fs::path& path) {
    return system_error(what, path, errno == ENOENT ? Code::not_found : Code::unavailable);
}

/// Root may make it for a server that runs as another user.
void give_to_owner_of_parent(const fs::path& directory) {
    struct stat owner {};
    if (::geteuid() != 0 || ::stat(directory.parent_path().c_str(), &owner) != 0) return;
    [[maybe_unused]] const int ignored = ::chown(directory.c_str(), owner.st_uid, owner.st_gid);
}

/// The whole file in one piece of memory of its size: lists can be large.
Result<ByteVec> read_whole(const fs::path& path, std::int64_t size) {
    if (size > static_cast<std::int64_t>(crl_bytes_max)) return fail(Code::too_large, path.string() + " is too large for a CRL");
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return list_error("open", path);
    ByteVec octets(static_cast<std::size_t>(size));
    std::size_t got = 0;
    while (got < octets.size()) {
        const auto count = ::read(fd, octets.data() + got, octets.size() - got);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        got += static_cast<std::size_t>(count);
    }
    ::close(fd);
    octets.resize(got);  // shorter than it was a moment ago: the parser will say so
    return octets;
}

}  // namespace

CrlFiles::Lock::~Lock() {
    if (fd_ >= 0) ::close(fd_);
}

Result<CrlFiles::Lock> CrlFiles::lock() {
    if (::mkdir(directory_.c_str(), 0755) == 0) {
        [[maybe_unused]] const int ignored = ::chmod(directory_.c_str(), 0755);  // whatever the umask: lists are for everybody
        give_to_owner_of_parent(directory_);
    } else if (errno != EEXIST) {
        return list_error("make", directory_);
    }
    // The directory itself: a file for the lock would have an owner and a mode that may not suit the next process.
    const int fd = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return list_error("open", directory_);
    Lock lock{fd};
    while (::flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) return list_error("lock", directory_);
    return lock;
}

fs::path CrlFiles::staged(std::string_view name) const { return directory_ / fmt::format(".{}.next", name); }

Result<void> CrlFiles::stage(std::string_view name, Bytes der) {
    return file::write_atomically(staged(name), der, file::Access::everyone_reads);
}

Result<void> CrlFiles::release(std::string_view name) {
    if (::rename(staged(name).c_str(), path(name).c_str()) != 0) return list_error("rename to", path(name));
    return flush_directory(directory_);
}

void CrlFiles::abandon(std::string_view name) { ::unlink(staged(name).c_str()); }

Result<CrlFiles::Stamp> CrlFiles::look_at(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return list_error("look at", path);
    return Stamp{status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size};
}

Result<PublishedCrlPtr> CrlFiles::find(std::string_view name) {
    ESTUARY_TRY(const auto stamp, look_at(path(name)));
    // Whoever comes while a large list is read waits for it: the alternative is to read it twice.
    const std::lock_guard guard{mutex_};
    const auto known = known_.find(name);
    if (known != known_.end() && known->second.stamp == stamp) return known->second.list;
    const auto read = [&]() -> Result<PublishedCrlPtr> {
        ESTUARY_TRY(auto octets, read_whole(path(name), stamp.size));
        auto list = x509::RevocationList::adopt(std::move(octets));
        if (!list) return fail(in_context(path(name).string(), std::move(list).error()));
        const auto hash = crypto::sha256(list->der());
        auto etag = fmt::format("\"{}\"", to_hex({hash.data(), etag_octets}));
        return std::make_shared<const PublishedCrl>(PublishedCrl{std::move(*list), std::move(etag)});
    };
    auto list = read();
    known_.insert_or_assign(std::string{name}, Known{stamp, list});
    return list;
}

}  // namespace estuary::daemon
