#pragma once
// Slows those who guess: counts failures of one address, or of one name at one address, in bounded memory.
#include <array>
#include <mutex>
#include <string_view>
#include <vector>

#include "estuary/base/clock.h"
#include "estuary/crypto/digest.h"

namespace estuary::authority {

/// Thread-safe. What is counted is known by a keyed tag, so that nobody can choose names that meet in one slot.
class Failures {
public:
    explicit Failures(crypto::Entropy& entropy);

    /// Seconds that this one must wait; 0: may try now.
    unsigned wait(std::string_view address, std::string_view name, Time now);
    void count(std::string_view address, std::string_view name, Time now);

private:
    /// Quick failures that cost nothing: typing errors, a fleet behind one address.
    static constexpr unsigned free_failures = 10;
    static constexpr unsigned wait_s_max = 60;
    /// One failure is forgotten in this time.
    static constexpr Seconds forget_one{60};
    /// 8192 counters, 200 kB: past that the least of four makes room, so that floods push out each other first.
    static constexpr std::size_t rows = 2048, ways = 4;

    struct Counter {
        std::uint64_t tag = 0;
        std::int64_t last_s = 0;
        std::uint32_t failures = 0;
    };
    static std::uint32_t remembered(const Counter& counter, Time now);
    std::uint64_t tag(std::string_view address, std::string_view name) const;
    std::array<Counter, ways>& row(std::uint64_t tag) { return table_[tag % rows]; }

    crypto::Sha256 key_{};
    std::mutex mutex_;
    std::vector<std::array<Counter, ways>> table_;
};

}  // namespace estuary::authority
