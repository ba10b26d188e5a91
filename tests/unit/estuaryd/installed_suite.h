#pragma once
// Tests of commands that need a data directory.
#include <memory>

#include <gtest/gtest.h>

#include "tests/unit/estuaryd/installation.h"

namespace estuary::daemon::testing {

/// One installation for all tests of a suite: making one takes longer than using it. `Suite` is the class that derives from it.
template <class Suite>
class InstalledSuite : public ::testing::Test {
public:
    static void SetUpTestSuite() {
        temporary_ = std::make_unique<TemporaryDirectory>();
        ASSERT_EQ(run({"init", "--dir", directory(), "--host", "localhost"}).status, 0);
    }
    static void TearDownTestSuite() { temporary_.reset(); }

    static std::string directory() { return (temporary_->path() / "data").string(); }
    /// Beside the data directory.
    static std::filesystem::path beside(const std::string& name) { return temporary_->path() / name; }
    static Ran estuaryd(std::vector<std::string> words) {
        words.insert(words.end(), {"--dir", directory()});
        return run(std::move(words));
    }

private:
    static inline std::unique_ptr<TemporaryDirectory> temporary_;
};

}  // namespace estuary::daemon::testing
