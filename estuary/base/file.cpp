#include "estuary/base/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace estuary::file {
namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_{fd} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

tl::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& path) {
    const int number = errno;
    const Code code = number == ENOENT ? Code::not_found : Code::unavailable;
    return fail(code, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(number)));
}

/// `expected` octets are taken in without reallocation, which would leave copies of a secret behind.
Result<ByteVec> read_open(int fd, const std::filesystem::path& path, std::size_t bytes_max, std::size_t expected = 0) {
    ByteVec content;
    content.reserve(std::min(expected, bytes_max));
    std::uint8_t buffer[16384];
    for (;;) {
        const auto count = ::read(fd, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error("read", path);
        if (count == 0) return content;
        append(content, Bytes{buffer, static_cast<std::size_t>(count)});
        if (content.size() > bytes_max)
            return fail(Code::too_large, fmt::format("{} is larger than {} bytes", path.string(), bytes_max));
    }
}

Result<void> write_all(int fd, Bytes content, const std::filesystem::path& path) {
    while (!content.empty()) {
        const auto count = ::write(fd, content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error("write", path);
        content = content.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

/// Flushes as it goes: others' small writes, a database's, wait for a piece on its way to the disk, not for all of a large file.
Result<void> write_flushing(int fd, Bytes content, const std::filesystem::path& path) {
    constexpr std::size_t piece_octets = std::size_t{4} << 20;
    for (; content.size() > piece_octets; content = content.subspan(piece_octets)) {
        ESTUARY_CHECK(write_all(fd, content.first(piece_octets), path));
        if (::fdatasync(fd) != 0) return system_error("flush", path);
    }
    return write_all(fd, content, path);
}

}  // namespace

Result<ByteVec> read(const std::filesystem::path& path, std::size_t bytes_max) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.get() < 0) return system_error("open", path);
    return read_open(file.get(), path, bytes_max);
}

Result<ByteVec> read_private(const std::filesystem::path& path, std::size_t bytes_max) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.get() < 0) return system_error("open", path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return system_error("look at", path);
    if (S_ISREG(status.st_mode) && (status.st_mode & 077) != 0)
        return fail(Code::not_authorised, fmt::format("{} may be read by others; run: chmod 600 {}", path.string(), path.string()));
    return read_open(file.get(), path, bytes_max, static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)));
}

Result<void> write_atomically(const std::filesystem::path& path, Bytes content, Access access) {
    const auto directory = path.parent_path().empty() ? std::filesystem::path{"."} : path.parent_path();
    std::string pattern = (directory / ("." + path.filename().string() + ".XXXXXX")).string();
    const Descriptor file{::mkostemp(pattern.data(), O_CLOEXEC)};
    if (file.get() < 0) return system_error("create a file in", directory);
    const std::filesystem::path temporary{pattern};
    const auto abandon = [&](tl::unexpected<Error> error) {
        ::unlink(temporary.c_str());
        return error;
    };
    if (auto written = write_flushing(file.get(), content, temporary); !written)
        return abandon(fail(std::move(written).error()));
    if (::fchmod(file.get(), static_cast<mode_t>(access)) != 0) return abandon(system_error("set the mode of", temporary));
    if (::fsync(file.get()) != 0) return abandon(system_error("flush", temporary));
    if (::rename(temporary.c_str(), path.c_str()) != 0) return abandon(system_error("rename to", path));
    const Descriptor folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.get() < 0 || ::fsync(folder.get()) != 0) return system_error("flush", directory);
    return {};
}

}  // namespace estuary::file
