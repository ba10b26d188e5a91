#pragma once
// Waiting for an answer: --wait, and the pauses between two attempts.
#include "estuary/base/clock.h"

namespace estuary::client {

/// Before a busy server is asked again, if it does not say so itself.
constexpr Seconds busy_pause{2};

/// What --wait says: a duration, or "0" for not at all.
inline Result<Seconds> parse_wait(const std::string& text) { return text == "0" ? Result<Seconds>{Seconds{0}} : parse_duration(text); }

}  // namespace estuary::client
