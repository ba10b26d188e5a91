#include <array>

#include <fmt/format.h>

#include "estuary/http/characters.h"
#include "estuary/http/grammar.h"

namespace estuary::http {
namespace {

constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t delay_digits_max = 9;  // 30 years, and no overflow

/// A number of exactly these digits; -1 if it is not one.
int number(std::string_view digits) {
    int out = 0;
    for (const char c : digits) {
        if (!detail::is_digit(c)) return -1;
        out = out * 10 + (c - '0');
    }
    return out;
}

}  // namespace

Result<Time> parse_imf_fixdate(std::string_view text) {
    const auto bad = [] { return fail(Code::malformed, "expected a date like 'Sat, 21 Nov 2026 03:38:00 GMT'"); };
    if (text.size() != 29) return bad();
    const auto month = std::ranges::find(months, text.substr(8, 3));
    const int day = number(text.substr(5, 2)), year = number(text.substr(12, 4)), hour = number(text.substr(17, 2)),
              minute = number(text.substr(20, 2)), second = number(text.substr(23, 2));
    if (month == months.end() || day < 1 || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60)
        return bad();
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return bad();
    const Time midnight = std::chrono::sys_days{date};
    const Time time = midnight + std::chrono::hours{hour} + std::chrono::minutes{minute} + Seconds{std::min(second, 59)};
    // Writing it back checks every separator and the day of the week (60 is a leap second).
    auto expected = imf_fixdate(time);
    if (second == 60) expected.replace(23, 2, "60");
    if (expected != text) return bad();
    return time;
}

std::string imf_fixdate(Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[std::chrono::weekday{day}.c_encoding()],
                       static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Result<Seconds> parse_retry_after(std::string_view value, Time now) {
    value = detail::trim_blanks(value);
    if (!value.empty() && std::ranges::all_of(value, detail::is_digit)) {
        if (value.size() > delay_digits_max) return fail(Code::malformed, "Retry-After: too large");
        return Seconds{number(value)};
    }
    const auto date = parse_imf_fixdate(value);
    if (!date) return fail(Code::malformed, "Retry-After: expected seconds or an HTTP date");
    return std::max(Seconds{0}, *date - now);
}

}  // namespace estuary::http
