#pragma once
// Octets: a non-owning view, an owning buffer, and the conversions between octets and text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estuary {

/// A view of octets that somebody else owns.
using Bytes = std::span<const std::uint8_t>;
/// Octets that this value owns. For secrets use crypto::Secret.
using ByteVec = std::vector<std::uint8_t>;

/// The octets of a text, unchanged.
inline Bytes as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Octets seen as text; the caller knows that they are text.
inline std::string_view as_text(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline ByteVec to_vec(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
inline std::string to_string(Bytes bytes) { return std::string{as_text(bytes)}; }

inline void append(ByteVec& to, Bytes more) { to.insert(to.end(), more.begin(), more.end()); }

/// Equal octets. Not constant-time: never for secrets (crypto::equal_in_constant_time).
inline bool same(Bytes a, Bytes b) noexcept { return std::ranges::equal(a, b); }

}  // namespace estuary
