#pragma once
// Time comes in by the constructor: the system's clock in the programs, a clock set by hand in tests.
#include <atomic>
#include <chrono>
#include <string>

#include "estuary/base/result.h"

namespace estuary {

/// Seconds since 1970-01-01T00:00:00Z, as certificates count them.
using Time = std::chrono::sys_seconds;
using Seconds = std::chrono::seconds;

class Clock {
public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
};

class SystemClock final : public Clock {
public:
    Time now() const override;
};

/// A clock that moves only when told to; may be moved by one thread while others read it.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Time start) : seconds_{start.time_since_epoch().count()} {}
    Time now() const override { return Time{Seconds{seconds_.load()}}; }
    void advance(Seconds by) { seconds_ += by.count(); }
    void set(Time to) { seconds_ = to.time_since_epoch().count(); }

private:
    std::atomic<std::int64_t> seconds_;
};

/// "2026-11-21T03:38:00Z".
std::string to_iso8601(Time time);
/// Reads "2026-11-21T03:38:00Z" or "2026-11-21" (midnight UTC).
Result<Time> parse_iso8601(std::string_view text);
/// Reads a duration: "90s", "10m", "24h", "30d", "2w", "1y" (365 d), or sums of them as "1d12h". Positive.
Result<Seconds> parse_duration(std::string_view text);
/// The shortest such text: "90d", "1h30m".
std::string to_string(Seconds duration);

}  // namespace estuary
