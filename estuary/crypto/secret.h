#pragma once
// Secrets: wiped when they go, never copied by accident, never formatted into a log.
#include <string_view>

#include "estuary/base/bytes.h"

namespace estuary::crypto {

/// Octets that are wiped on destruction. Moves; copies only by clone(). Has no operator<< and no fmt formatter.
class Secret {
public:
    Secret() = default;
    explicit Secret(Bytes octets) : octets_{to_vec(octets)} {}
    explicit Secret(std::string_view text) : Secret{as_bytes(text)} {}
    explicit Secret(ByteVec&& octets) noexcept : octets_{std::move(octets)} {}
    Secret(Secret&& other) noexcept : octets_{std::move(other.octets_)} { other.octets_.clear(); }
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();

    Secret clone() const { return Secret{Bytes{octets_}}; }
    /// Whoever calls this handles a secret: keep the view short-lived.
    Bytes reveal() const noexcept { return octets_; }
    std::string_view reveal_text() const noexcept { return as_text(octets_); }
    bool empty() const noexcept { return octets_.empty(); }

private:
    ByteVec octets_;
};

/// Wipes `octets` in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> octets) noexcept;

}  // namespace estuary::crypto
