#pragma once
// Shared by the tests of the HTTP room.
#include <string>

#include <gtest/gtest.h>

#include "estuary/http/wire.h"

namespace estuary::test {

/// A text to be read, with the name of its test.
struct Text {
    std::string name, text;
};
inline void PrintTo(const Text& text, std::ostream* out) { *out << text.name; }
inline std::string name_of(const testing::TestParamInfo<Text>& test) { return test.param.name; }

/// Limits that a test can reach.
inline const http::WireLimits small_limits{512, 64, 10};

}  // namespace estuary::test
