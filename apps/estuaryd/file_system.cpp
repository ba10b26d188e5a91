#include "apps/estuaryd/file_system.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace estuary::daemon {

tl::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& path, Code code) {
    return fail(code, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

Result<void> ensure_directory(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("make", path);
    return {};
}

Result<void> flush_directory(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_error("open", path);
    const bool flushed = ::fsync(fd) == 0;
    if (!flushed) {
        auto error = system_error("flush", path);
        ::close(fd);
        return error;
    }
    ::close(fd);
    return {};
}

}  // namespace estuary::daemon
