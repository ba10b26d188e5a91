#include "estuary/base/clock.h"

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

namespace estuary {
namespace {

using namespace std::chrono;

/// The digits text[at, at+count) as a number; -1 if any is no digit.
int digits(std::string_view text, std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

struct Unit {
    char letter;
    std::int64_t seconds;
};
constexpr std::array units{Unit{'y', 365 * 86400LL}, Unit{'w', 7 * 86400LL}, Unit{'d', 86400LL},
                           Unit{'h', 3600LL},        Unit{'m', 60LL},        Unit{'s', 1LL}};

}  // namespace

Time SystemClock::now() const { return time_point_cast<Seconds>(system_clock::now()); }

std::string to_iso8601(Time time) {
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

Result<Time> parse_iso8601(std::string_view text) {
    const auto bad = [&] {
        return fail(Code::malformed, fmt::format("'{}' is not a time like 2026-11-21T03:38:00Z or 2026-11-21", text));
    };
    const bool with_clock = text.size() == 20;
    if (text.size() != 10 && !with_clock) return bad();
    if (text[4] != '-' || text[7] != '-') return bad();
    const int y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
    if (y < 0 || mo < 0 || d < 0) return bad();
    const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    if (!date.ok()) return bad();
    Time time{sys_days{date}};
    if (with_clock) {
        if (text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z') return bad();
        const int h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
        if (h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59) return bad();
        time += hours{h} + minutes{mi} + seconds{s};
    }
    return time;
}

Result<Seconds> parse_duration(std::string_view text) {
    const auto bad = [&] {
        return fail(Code::malformed, fmt::format("'{}' is not a duration like 90d, 24h or 1h30m", text));
    };
    constexpr std::int64_t longest = 1000 * 365 * 86400LL;
    std::int64_t total = 0;
    std::string_view rest = text;
    while (!rest.empty()) {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
        const auto used = static_cast<std::size_t>(end - rest.data());
        if (error != std::errc{} || count < 0 || used >= rest.size()) return bad();
        std::int64_t unit = 0;
        for (const auto& known : units)
            if (known.letter == rest[used]) unit = known.seconds;
        if (unit == 0 || count > longest / unit) return bad();
        total += count * unit;
        if (total > longest) return bad();
        rest.remove_prefix(used + 1);
    }
    if (total <= 0) return bad();
    return Seconds{total};
}

std::string to_string(Seconds duration) {
    std::string text;
    auto left = duration.count();
    if (left <= 0) return "0s";
    for (const auto& unit : units) {
        if (unit.letter == 'y' || unit.letter == 'w') continue;  // days say it plainly
        if (const auto count = left / unit.seconds; count > 0) {
            text += fmt::format("{}{}", count, unit.letter);
            left %= unit.seconds;
        }
    }
    return text;
}

}  // namespace estuary
