#include "estuary/base/text.h"

#include <gtest/gtest.h>

namespace estuary::text {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Text, CaseIsAscii) {
    EXPECT_EQ(lower("AbZ09-_\xC3\x84"), "abz09-_\xC3\x84");
    EXPECT_TRUE(equal_ignoring_case("Content-Type", "cONTENT-tYPE"));
    EXPECT_FALSE(equal_ignoring_case("a", "ab"));
    EXPECT_FALSE(equal_ignoring_case("[", "{"));
    EXPECT_FALSE(equal_ignoring_case("@", "`"));
}

TEST(Text, Trim) {
    EXPECT_EQ(trim("  a b\t\r\n"), "a b");
    EXPECT_EQ(trim(" \t\r\n"), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\va"), "\va");
}

TEST(Text, SplitKeepsEmptyParts) {
    EXPECT_EQ(split("a,b,,c", ','), (Parts{"a", "b", "", "c"}));
    EXPECT_EQ(split("", ','), (Parts{""}));
    EXPECT_EQ(split(",", ','), (Parts{"", ""}));
}

TEST(Text, PrintableHidesWhatActsOnTerminals) {  // bug class 13
    EXPECT_EQ(printable("plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"),
              "plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
    EXPECT_EQ(printable(std::string_view{"a\0b", 3}), "a\\x00b");
    EXPECT_EQ(printable("\x1b[0m\x7f\r\n\t"), "\\x1b[0m\\x7f\\x0d\\x0a\\x09");
    EXPECT_EQ(printable("\\x00"), "\\\\x00") << "an escaped one cannot be forged";
    EXPECT_EQ(printable("\xC2\x9B"
                        "0m"),
              "\\xc2\\x9b0m")
        << "CSI in one character";
    EXPECT_EQ(printable("\xff\xC3"), "\\xff\\xc3");
}

TEST(Text, Utf8IsWellFormed) {  // Unicode table 3-7
    for (const auto* good : {"", "abc", "\xC2\xA0", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(is_plain_utf8(good)) << printable(good);
    for (const auto* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82",
                            "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE",
                            "\xF0\x90\x80", "a\nb", "\x7f", "\xC2\x85", "\t"})
        EXPECT_FALSE(is_plain_utf8(bad)) << printable(bad);
    EXPECT_FALSE(is_plain_utf8(std::string_view{"a\0", 2}));
}

}  // namespace
}  // namespace estuary::text
