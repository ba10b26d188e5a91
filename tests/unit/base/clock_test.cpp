#include "estuary/base/clock.h"

#include <gtest/gtest.h>

namespace estuary {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

Time at(int y, unsigned mo, unsigned d, int h = 0, int mi = 0, int s = 0) {
    return sys_days{year{y} / static_cast<int>(mo) / static_cast<int>(d)} + std::chrono::hours{h} +
           std::chrono::minutes{mi} + Seconds{s};
}

TEST(Clock, Iso8601RoundTrips) {
    for (const auto time : {at(1970, 1, 1), at(2026, 11, 21, 3, 38, 0), at(2049, 12, 31, 23, 59, 59), at(2050, 1, 1),
                            at(2024, 2, 29, 12), at(9999, 12, 31, 23, 59, 59), at(1950, 1, 1)})
        EXPECT_EQ(parse_iso8601(to_iso8601(time)).value(), time) << to_iso8601(time);
    EXPECT_EQ(to_iso8601(at(2026, 11, 21, 3, 38, 9)), "2026-11-21T03:38:09Z");
    EXPECT_EQ(parse_iso8601("2026-11-21").value(), at(2026, 11, 21));
}

TEST(Clock, Iso8601RefusesEverythingElse) {  // bug class 21
    for (const auto* text : {"",
                             "2026",
                             "2026-11-21T03:38:00",
                             "2026-11-21t03:38:00Z",
                             "2026-11-21T03:38:00z",
                             "2026-11-21 03:38:00Z",
                             "2026-13-01",
                             "2026-00-01",
                             "2026-11-31",
                             "2025-02-29",
                             "2100-02-29",
                             "2026-11-21T24:00:00Z",
                             "2026-11-21T23:60:00Z",
                             "2026-11-21T23:59:60Z",
                             "2026-11-21T3:38:000Z",
                             "+026-11-21",
                             "2026-11-2 ",
                             "2026/11/21",
                             "2026-11-21T03:38:00ZZ",
                             "2026-11-21T-3:38:00Z"})
        EXPECT_FALSE(parse_iso8601(text)) << text;
}

TEST(Clock, Durations) {
    const std::pair<const char*, std::int64_t> known[] = {
        {"1s", 1},          {"90s", 90},           {"10m", 600},      {"24h", 86400},  {"30d", 30 * 86400},
        {"2w", 14 * 86400}, {"1y", 365 * 86400LL}, {"1d12h", 129600}, {"1h30m", 5400}, {"1000y", 1000 * 365 * 86400LL}};
    for (const auto& [text, seconds] : known) EXPECT_EQ(parse_duration(text).value().count(), seconds) << text;
    for (const auto* text : {"", "0s", "0d0h", "90", "d", "1 d", "-1d", "1d-1h", "1x", "1D", "1.5h", "1001y",
                             "999y366d", " 1d", "1d ", "99999999999999999999s", "9223372036854775807y", "+1d"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Clock, DurationsCannotOverflow) {  // a sum of many allowed parts stops at the limit, not at 2^63
    std::string many;
    for (int i = 0; i < 100'000; ++i) many += "1000y";
    EXPECT_FALSE(parse_duration(many));
}

TEST(Clock, DurationsAreWrittenShort) {
    EXPECT_EQ(to_string(Seconds{90 * 86400}), "90d");
    EXPECT_EQ(to_string(Seconds{5400}), "1h30m");
    EXPECT_EQ(to_string(Seconds{0}), "0s");
    for (const std::int64_t seconds : {1, 59, 60, 61, 3600, 86399, 86400, 86401, 31'536'000, 99'999'999})
        EXPECT_EQ(parse_duration(to_string(Seconds{seconds})).value().count(), seconds);
}

TEST(Clock, ManualClockMovesWhenTold) {
    ManualClock clock{at(2026, 1, 1)};
    EXPECT_EQ(clock.now(), at(2026, 1, 1));
    clock.advance(Seconds{61});
    EXPECT_EQ(clock.now(), at(2026, 1, 1, 0, 1, 1));
    clock.advance(Seconds{-61});
    clock.set(at(2030, 1, 1));
    EXPECT_EQ(clock.now(), at(2030, 1, 1));
}

TEST(Clock, SystemClockIsOfThisCentury) {
    EXPECT_GT(SystemClock{}.now(), at(2024, 1, 1));
    EXPECT_LT(SystemClock{}.now(), at(2124, 1, 1));
}

}  // namespace
}  // namespace estuary
