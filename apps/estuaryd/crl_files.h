#pragma once
// The directory of CRL files: what relying parties fetch, over our own listener or anybody else's web server.
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "estuary/x509/crl.h"

namespace estuary::daemon {

/// A list as it lies there.
struct PublishedCrl {
    x509::RevocationList list;
    std::string etag;  ///< with quotes
};
using PublishedCrlPtr = std::shared_ptr<const PublishedCrl>;

/// Safe to use from several threads; several processes take turns by lock().
class CrlFiles {
public:
    explicit CrlFiles(std::filesystem::path directory) : directory_{std::move(directory)} {}

    const std::filesystem::path& directory() const noexcept { return directory_; }
    std::filesystem::path path(std::string_view name) const { return directory_ / name; }

    /// The file as it is now, read again only when it was replaced. not_found; malformed.
    Result<PublishedCrlPtr> find(std::string_view name);

    /// Held by whoever publishes, from the number that is taken to the file that is released. Waits for other processes; makes
    /// the directory.
    class Lock {
    public:
        explicit Lock(int fd) noexcept : fd_{fd} {}
        Lock(Lock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
        Lock& operator=(Lock&&) = delete;
        ~Lock();

    private:
        int fd_;
    };
    Result<Lock> lock();

    /// Writes beside the name and flushes: nothing is to be seen yet.
    Result<void> stage(std::string_view name, Bytes der);
    /// What was staged takes its name.
    Result<void> release(std::string_view name);
    void abandon(std::string_view name);

private:
    struct Stamp {
        std::uint64_t inode = 0;
        std::int64_t seconds = 0, nanoseconds = 0, size = 0;
        bool operator==(const Stamp&) const = default;
    };
    struct Known {
        Stamp stamp;
        Result<PublishedCrlPtr> list;
    };
    static Result<Stamp> look_at(const std::filesystem::path& path);
    std::filesystem::path staged(std::string_view name) const;

    std::filesystem::path directory_;
    std::mutex mutex_;
    std::map<std::string, Known, std::less<>> known_;
};

}  // namespace estuary::daemon
