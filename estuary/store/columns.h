#pragma once
// How values of records.h lie in columns, for those who write and those who read them.
#include <string>
#include <vector>

#include "estuary/store/records.h"

namespace estuary::store::sqlite {

/// The first 8 octets of a request key, its place in the table of keys.
std::int64_t head_of(const RequestKey& key) noexcept;

/// Texts as lines in one column: each ended by LF; LF and backslash within a text are escaped.
std::string to_lines(const std::vector<std::string>& texts);
std::vector<std::string> from_lines(std::string_view lines);

}  // namespace estuary::store::sqlite
