#include "estuary/x509/string_types.h"

#include "support.h"

namespace estuary::x509::strings {
namespace {

using der::Tag;
using test::hex;
using test::octets;

struct StringCase {
    std::string name;
    Tag tag;
    ByteVec content;
    std::string utf8;  ///< empty: refused
};

class StringTypes : public testing::TestWithParam<StringCase> {};

TEST_P(StringTypes, ConvertToUtf8) {
    const auto& test = GetParam();
    const auto text = to_utf8(test.tag, test.content);
    ASSERT_EQ(text.has_value(), !test.utf8.empty()) << test::failure(text);
    EXPECT_EQ(count_characters(test.tag, test.content).has_value(), text.has_value());
    if (text) {
        EXPECT_EQ(*text, test.utf8);
    } else {
        EXPECT_EQ(text.error().code, Code::malformed);
    }
}

// bug class 13
INSTANTIATE_TEST_SUITE_P(X680, StringTypes, testing::Values(
    StringCase{"printable", Tag::printable_string, octets("Az09 '()+,-./:=?"), "Az09 '()+,-./:=?"},
    StringCase{"printable_asterisk", Tag::printable_string, octets("*.example"), ""},
    StringCase{"printable_at", Tag::printable_string, octets("a@b"), ""},
    StringCase{"printable_underscore", Tag::printable_string, octets("a_b"), ""},
    StringCase{"printable_nul", Tag::printable_string, hex("410042"), ""},
    StringCase{"printable_non_ascii", Tag::printable_string, hex("41e9"), ""},
    StringCase{"utf8", Tag::utf8_string, octets("Zürich €"), "Zürich €"},
    StringCase{"utf8_four_octets", Tag::utf8_string, hex("f09f8c8a"), "\xF0\x9F\x8C\x8A"},
    StringCase{"utf8_nul", Tag::utf8_string, hex("610062"), ""},
    StringCase{"utf8_over_long_2", Tag::utf8_string, hex("c0af"), ""},
    StringCase{"utf8_over_long_3", Tag::utf8_string, hex("e080af"), ""},
    StringCase{"utf8_over_long_4", Tag::utf8_string, hex("f08080af"), ""},
    StringCase{"utf8_surrogate", Tag::utf8_string, hex("eda080"), ""},
    StringCase{"utf8_past_10ffff", Tag::utf8_string, hex("f4908080"), ""},
    StringCase{"utf8_cut_short", Tag::utf8_string, hex("e282"), ""},
    StringCase{"utf8_latin_1", Tag::utf8_string, hex("e9"), ""},
    StringCase{"utf8_lone_tail", Tag::utf8_string, hex("80"), ""},
    StringCase{"teletex_is_latin_1", Tag::teletex_string, hex("5afc72696368"), "Zürich"},
    StringCase{"teletex_nul", Tag::teletex_string, hex("5a00"), ""},
    StringCase{"bmp", Tag::bmp_string, hex("005a00fc20ac"), "Zü€"},
    StringCase{"bmp_odd", Tag::bmp_string, hex("005a00"), ""},
    StringCase{"bmp_surrogates", Tag::bmp_string, hex("d83cdf0a"), ""},
    StringCase{"bmp_nul", Tag::bmp_string, hex("00410000"), ""},
    StringCase{"universal", Tag::universal_string, hex("0001f30a"), "\xF0\x9F\x8C\x8A"},
    StringCase{"universal_past_10ffff", Tag::universal_string, hex("00110000"), ""},
    StringCase{"universal_not_of_four", Tag::universal_string, hex("000041"), ""},
    StringCase{"ia5", Tag::ia5_string, octets("a@b.example"), "a@b.example"},
    StringCase{"ia5_non_ascii", Tag::ia5_string, hex("c3a9"), ""},
    StringCase{"ia5_nul", Tag::ia5_string, hex("6100"), ""},
    StringCase{"numeric", Tag::numeric_string, octets("12 3"), "12 3"},
    StringCase{"numeric_letter", Tag::numeric_string, octets("12a"), ""},
    StringCase{"visible", Tag::visible_string, octets("a_b~"), "a_b~"},
    StringCase{"visible_control", Tag::visible_string, hex("611b"), ""}),
    [](const auto& test) { return test.param.name; });

TEST(StringTypes, OtherTypesAreNoText) {
    EXPECT_EQ(to_utf8(Tag::integer, hex("01")).error().code, Code::unsupported);
    EXPECT_EQ(to_utf8(Tag::octet_string, octets("abc")).error().code, Code::unsupported);
    EXPECT_FALSE(is_string_type(Tag::sequence));
}

TEST(StringTypes, CountCharactersNotOctets) {
    EXPECT_EQ(count_characters(Tag::utf8_string, octets("Zürich €")).value(), 8u);
    EXPECT_EQ(count_characters(Tag::bmp_string, hex("005a00fc")).value(), 2u);
    EXPECT_EQ(count_characters(Tag::universal_string, hex("0001f30a")).value(), 1u);
}

struct FoldCase {
    std::string name, text, folded;
};
class Fold : public testing::TestWithParam<FoldCase> {};

TEST_P(Fold, IsAsRfc4518Prepares) {
    EXPECT_EQ(fold(GetParam().text), GetParam().folded);
    EXPECT_EQ(fold(GetParam().folded), GetParam().folded);  // folding twice changes nothing
}

INSTANTIATE_TEST_SUITE_P(Rfc4518, Fold, testing::Values(
    FoldCase{"ascii_case", "Example CA", "example ca"},
    FoldCase{"blanks", "  a \t b   c ", "a b c"},
    FoldCase{"only_blanks", "   ", ""},
    FoldCase{"no_break_space", "a\xC2\xA0\xE2\x80\x83" "b", "a b"},
    FoldCase{"soft_hyphen_and_zero_width", "a\xC2\xAD" "b\xE2\x80\x8B" "c", "abc"},
    FoldCase{"latin_1", "ÄÖÜ ÀÞ×", "äöü àþ×"},
    FoldCase{"sharp_s", "Straße", "strasse"},
    FoldCase{"capital_sharp_s", "STRA\xE1\xBA\x9E" "E", "strasse"},
    FoldCase{"latin_extended", "ŁÓDŹ Ĺ Ÿ", "łódź ĺ ÿ"},
    FoldCase{"greek", "ΆΈΌΏ ΣΑΣ σας", "άέόώ σασ σασ"},
    FoldCase{"cyrillic", "ЁЖЯ Ѣ", "ёжя ѣ"},
    FoldCase{"vietnamese", "Ạ", "ạ"},
    FoldCase{"no_case", "日本", "日本"}), [](const auto& test) { return test.param.name; });

TEST(Fold, KeepsHomoglyphsApart) {  // bug class 13
    EXPECT_NE(fold("\xD0\xB0"), fold("a"));  // Cyrillic a
    EXPECT_NE(fold("\xCE\x9F"), fold("O"));  // Greek Omicron
}

}  // namespace
}  // namespace estuary::x509::strings
