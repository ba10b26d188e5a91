#include "estuary/base/log.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace estuary::log {
namespace {

/// What `act` writes to standard error.
template <class Act>
std::string captured(Act&& act) {
    testing::internal::CaptureStderr();
    act();
    return testing::internal::GetCapturedStderr();
}

TEST(Log, OneLineWithFields) {
    const auto line =
        captured([] { info("enrolled", {{"subject", "CN=a b"}, {"serial", "01ab"}, {"n", 7}, {"empty", ""}}); });
    EXPECT_TRUE(line.ends_with(" info enrolled subject=\"CN=a b\" serial=01ab n=7 empty=\"\"\n")) << line;
    EXPECT_EQ(line.find('Z'), 23u) << "the time is in UTC: " << line;
}

TEST(Log, NothingFromOutsideBreaksTheLine) {  // bug class 12 and 13: forged lines, terminal sequences
    const auto line =
        captured([] { warning("refused", {{"user", "a\n2026-01-01T00:00:00.000Z info forged\x1b[2J\"\\ \xff"}}); });
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_NE(line.find(R"(user="a\x0a2026)"), std::string::npos) << line;
    EXPECT_NE(line.find(R"(\x1b[2J\"\\ \xff")"), std::string::npos) << line;
    EXPECT_NE(captured([] { info("x", {{"k", "a=b"}}); }).find("k=\"a=b\""), std::string::npos) << "no second field";
}

TEST(Log, LevelsFilter) {
    set_level(Level::warning);
    EXPECT_EQ(captured([] { info("dropped"); }), "");
    EXPECT_NE(captured([] { error("kept"); }), "");
    EXPECT_FALSE(enabled(Level::info));
    set_level(Level::debug);
    EXPECT_NE(captured([] { debug("kept"); }), "");
    set_level(Level::info);
    EXPECT_EQ(captured([] { debug("dropped"); }), "");
}

TEST(Log, LevelsByName) {
    EXPECT_EQ(parse_level("debug").value(), Level::debug);
    EXPECT_EQ(parse_level("error").value(), Level::error);
    EXPECT_FALSE(parse_level("Info"));
    EXPECT_FALSE(parse_level(""));
}

}  // namespace
}  // namespace estuary::log
