#pragma once
// Deadlines of connections without a timer each: every kind of wait has one fixed length, so a list in order of entry is
// in order of expiry too. Entering, leaving and finding the next to expire cost nothing.
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace estuary::net {

using Instant = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// What a connection waits for. `nothing`: the handler works, and it has no deadline here.
enum class Wait : std::uint8_t { nothing, handshake, request, idle, write, linger };
inline constexpr std::size_t waits = 6;

/// The part of a connection that stands in a list.
struct Waiter {
    Waiter* before = nullptr;
    Waiter* after = nullptr;
    Instant deadline{};
    Wait wait = Wait::nothing;
};

class Deadlines {
public:
    void set_length(Wait wait, Milliseconds length) { list(wait).length = length; }

    /// Moves the waiter to the end of the list of that kind.
    void enter(Waiter& waiter, Wait wait, Instant now) {
        leave(waiter);
        if (wait == Wait::nothing) return;
        auto& to = list(wait);
        waiter.wait = wait;
        waiter.deadline = now + to.length;
        waiter.before = to.last;
        (to.last != nullptr ? to.last->after : to.first) = &waiter;
        to.last = &waiter;
    }

    void leave(Waiter& waiter) {
        if (waiter.wait == Wait::nothing) return;
        auto& from = list(waiter.wait);
        (waiter.before != nullptr ? waiter.before->after : from.first) = waiter.after;
        (waiter.after != nullptr ? waiter.after->before : from.last) = waiter.before;
        waiter.before = waiter.after = nullptr;
        waiter.wait = Wait::nothing;
    }

    /// The one that has waited longest in that way.
    Waiter* oldest(Wait wait) const { return lists_[static_cast<std::size_t>(wait)].first; }
    /// How long this one has waited.
    Milliseconds age(const Waiter& waiter, Instant now) const {
        const auto begun = waiter.deadline - lists_[static_cast<std::size_t>(waiter.wait)].length;
        return std::chrono::duration_cast<Milliseconds>(now - begun);
    }

    /// Somebody whose deadline has passed.
    Waiter* expired(Instant now) const {
        for (const auto& each : lists_)
            if (each.first != nullptr && each.first->deadline <= now) return each.first;
        return nullptr;
    }

    std::optional<Instant> next() const {
        std::optional<Instant> out;
        for (const auto& each : lists_)
            if (each.first != nullptr && (!out || each.first->deadline < *out)) out = each.first->deadline;
        return out;
    }

private:
    struct List {
        Waiter* first = nullptr;
        Waiter* last = nullptr;
        Milliseconds length{};
    };
    List& list(Wait wait) { return lists_[static_cast<std::size_t>(wait)]; }

    std::array<List, waits> lists_{};
};

}  // namespace estuary::net
