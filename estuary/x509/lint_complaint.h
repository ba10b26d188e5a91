#pragma once
#include <optional>
#include <string>

namespace estuary::x509::lint {

/// What is wrong; nothing if all is well.
using Complaint = std::optional<std::string>;

}  // namespace estuary::x509::lint
