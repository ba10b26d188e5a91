#pragma once
// A directory that goes with the test, and the program run within the test's own process.
#include <filesystem>
#include <string>
#include <vector>

#include "apps/estuaryd/program.h"

namespace estuary::daemon::testing {

class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

struct Ran {
    int status = 0;
    std::string out, err;
};
/// When installations are made, and commands are run.
inline constexpr Time now{Seconds{1'795'000'000}};
/// Runs estuaryd with these words, at a time set by hand.
Ran run(std::vector<std::string> words, Time at = now);

std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, const std::string& text);

/// Every name below a directory with what tells a change of it: kind, mode, content.
std::vector<std::string> snapshot(const std::filesystem::path& directory);

}  // namespace estuary::daemon::testing
