#pragma once
// Configurations for tests of what is read from them, and what is told of their faults.
#include <string>

#include <gmock/gmock.h>

#include "apps/estuaryd/config.h"

namespace estuary::daemon::testing {

/// What every configuration needs before its labels: six lines.
inline constexpr std::string_view one_ca_and_profile = R"([tls]
hosts = ["localhost"]
[ca.issuing]
directory = "ca"
[profile.device]
key_types = ["p256"]
)";

/// The least that is served: EST under one label, in eight lines.
inline std::string least_configuration() { return std::string{one_ca_and_profile} + "[est.label.default]\nprofile = \"device\"\n"; }

inline ReadConfiguration parse(std::string_view text) { return parse_configuration(text, "/data", "estuary.toml"); }

inline std::string all_faults(const ReadConfiguration& read) {
    std::string text;
    for (const auto& fault : read.faults) text += to_string(fault) + "\n";
    return text;
}

/// The configuration with one part replaced is refused, and told so.
inline void expect_fault(std::string text, std::string_view part, std::string_view replacement, const std::string& told) {
    const auto at = text.find(part);
    ASSERT_NE(at, std::string::npos) << part;
    const auto read = parse(text.replace(at, part.size(), replacement));
    EXPECT_FALSE(read.configuration);
    EXPECT_THAT(all_faults(read), ::testing::HasSubstr(told));
}

}  // namespace estuary::daemon::testing
