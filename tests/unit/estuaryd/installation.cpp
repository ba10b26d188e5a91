#include "tests/unit/estuaryd/installation.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <sys/stat.h>

#include <fmt/format.h>

namespace estuary::daemon::testing {

namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
    auto pattern = (fs::temp_directory_path() / "estuaryd-test.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

Ran run(std::vector<std::string> words, Time at) {
    words.insert(words.begin(), "estuaryd");
    std::vector<const char*> arguments;
    for (const auto& word : words) arguments.push_back(word.c_str());
    std::ostringstream out, err;
    const ManualClock clock{at};
    crypto::SystemEntropy entropy;
    const auto status = daemon::run(static_cast<int>(arguments.size()), arguments.data(), {out, err, clock, entropy});
    return {status, out.str(), err.str()};
}

std::string read_text(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void write_text(const fs::path& path, const std::string& text) { std::ofstream{path, std::ios::binary} << text; }

std::vector<std::string> snapshot(const fs::path& directory) {
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
        struct stat status {};
        ::lstat(entry.path().c_str(), &status);
        lines.push_back(fmt::format("{} {:o} {}", entry.path().string(), status.st_mode,
                                    entry.is_regular_file() ? read_text(entry.path()) : std::string{}));
    }
    std::ranges::sort(lines);
    return lines;
}

}  // namespace estuary::daemon::testing
