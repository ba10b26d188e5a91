#include "estuary/cms/ber.h"

#include "support.h"

namespace estuary::cms {
namespace {

using test::hex;
using testing::HasSubstr;

struct Same {
    std::string name, ber, der;
};
class BerToDer : public testing::TestWithParam<Same> {};

TEST_P(BerToDer, GivesTheSameValue) {
    const auto der = to_der(hex(GetParam().ber));
    ASSERT_TRUE(der) << der.error().detail;
    EXPECT_EQ(to_hex(*der), GetParam().der);
    EXPECT_TRUE(der::check_der(*der, "it"));
    EXPECT_EQ(to_der(*der).value(), *der);
}

INSTANTIATE_TEST_SUITE_P(X690, BerToDer, testing::Values(
    Same{"der", "3006020101040161", "3006020101040161"},
    Same{"indefinite", "30800201010000", "3003020101"},
    Same{"indefinite_in_indefinite", "3080308002010100000000", "30053003020101"},
    Same{"empty_indefinite", "30800000", "3000"},
    Same{"long_length", "308200030201ff", "30030201ff"},
    Same{"long_length_of_a_primitive", "0481026162", "04026162"},
    Same{"string_in_pieces", "24080402616204026364", "040461626364"},
    Same{"string_in_indefinite_pieces", "248004026162040263640000", "040461626364"},
    Same{"string_in_nested_pieces", "24802406040161040162040163" "0000", "0403616263"},
    Same{"string_without_pieces", "24800000", "0400"},
    Same{"implicit_tag_stays", "a080040161" "0000", "a003040161"}),
    [](const auto& test) { return test.param.name; });

struct BadBer {
    std::string name, ber;
    Code code;
    std::string detail;
};
class BerRefused : public testing::TestWithParam<BadBer> {};

TEST_P(BerRefused, WithItsReason) {
    const auto der = to_der(hex(GetParam().ber));
    ASSERT_FALSE(der) << to_hex(*der);
    EXPECT_EQ(der.error().code, GetParam().code);
    EXPECT_THAT(der.error().detail, HasSubstr(GetParam().detail));
}

INSTANTIATE_TEST_SUITE_P(X690, BerRefused, testing::Values(
    BadBer{"nothing", "", Code::malformed, "missing"},
    BadBer{"header_cut", "30", Code::malformed, "cut short"},
    BadBer{"length_cut", "3082", Code::malformed, "cut short in a length"},
    BadBer{"length_too_long", "30850100000001", Code::malformed, "four octets"},
    BadBer{"length_past_the_end", "30050201", Code::malformed, "in only 2"},
    BadBer{"length_reserved", "30ff01", Code::malformed, "reserved"},
    BadBer{"no_end", "3080020101", Code::malformed, "missing"},
    BadBer{"end_without_beginning", "0000", Code::malformed, "beginning"},
    BadBer{"end_in_definite", "30020000", Code::malformed, "definite"},
    BadBer{"end_with_length", "30800001ff0000", Code::malformed, "some length"},
    BadBer{"end_with_indefinite_length", "308000800000", Code::malformed, "some length"},
    BadBer{"primitive_indefinite", "0480610000", Code::malformed, "primitive"},
    BadBer{"leftover", "30000500", Code::malformed, "after the outermost"},
    BadBer{"high_tag", "3f8101020101", Code::malformed, "past 30"},
    BadBer{"other_in_pieces", "2403020101", Code::malformed, "pieces"},
    BadBer{"inner_past_outer", "3003040361626364", Code::malformed, "in only 1"}),
    [](const auto& test) { return test.param.name; });

TEST(Ber, NestingIsLimited) {  // bug class 15
    ByteVec ber;
    for (int i = 0; i < 100'000; ++i) append(ber, hex("3080"));
    EXPECT_EQ(test::code_of(to_der(ber)), Code::too_large);
    ByteVec pieces;
    for (int i = 0; i < 100'000; ++i) append(pieces, hex("2480"));
    EXPECT_EQ(test::code_of(to_der(pieces)), Code::too_large);
}

TEST(Ber, SizeIsLimited) {
    EXPECT_TRUE(to_der(hex("0403616263"), {.bytes_max = 5}));
    EXPECT_EQ(test::code_of(to_der(hex("0403616263"), {.bytes_max = 4})), Code::too_large);
}

}  // namespace
}  // namespace estuary::cms
