#pragma once
// What the system says of files and directories.
#include <filesystem>
#include <string_view>

#include "estuary/base/result.h"

namespace estuary::daemon {

/// "cannot make /var/lib/estuary: Permission denied", of errno.
tl::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& path, Code code = Code::unavailable);

/// One level, for nobody but us; one that is there already stays as it is. unavailable.
Result<void> ensure_directory(const std::filesystem::path& path);

/// What was linked, renamed and removed there outlives a power cut. unavailable.
Result<void> flush_directory(const std::filesystem::path& path);

}  // namespace estuary::daemon
