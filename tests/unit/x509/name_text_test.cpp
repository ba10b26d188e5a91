#include "estuary/base/text.h"
#include "estuary/x509/name.h"

#include "support.h"

namespace estuary::x509 {
namespace {

using der::Tag;
using test::BadText;
using test::hex;
using test::name;
using test::one_attribute;
using testing::HasSubstr;

struct NameCase {
    std::string name, text;
    std::string der;     ///< hexadecimal
    std::string shown;   ///< to_text()
};
class NameText : public testing::TestWithParam<NameCase> {};

TEST_P(NameText, ReadsAndShows) {
    const auto& test = GetParam();
    const auto read = Name::from_text(test.text);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(to_hex(read->der()), test.der);
    EXPECT_EQ(read->to_text(), test.shown);
    EXPECT_EQ(name(read->to_text()), *read);
}

// The DER of the examples is that of RFC 4514 section 4 as the openssl command encodes it (-nameopt utf8only; -subj).
INSTANTIATE_TEST_SUITE_P(Rfc4514, NameText, testing::Values(
    NameCase{"empty", "", "3000", ""},
    NameCase{"slash_alone", "/", "3000", ""},
    NameCase{"one", "CN=a", "300c310a300806035504030c0161", "CN=a"},
    NameCase{"last_rdn_first", "CN=a,O=b", "3018310a3008060355040a0c0162310a300806035504030c0161", "CN=a,O=b"},
    NameCase{"slashed", "/O=b/CN=a", "3018310a3008060355040a0c0162310a300806035504030c0161", "CN=a,O=b"},
    NameCase{"blanks_around", " CN = a , O = b ", "3018310a3008060355040a0c0162310a300806035504030c0161", "CN=a,O=b"},
    NameCase{"lower_case_type", "cn=a", "300c310a300806035504030c0161", "CN=a"},
    NameCase{"long_name", "commonName=a", "300c310a300806035504030c0161", "CN=a"},
    NameCase{"dotted", "2.5.4.3=a", "300c310a300806035504030c0161", "CN=a"},
    NameCase{"multi_valued_is_sorted", "OU=x+CN=y", "3016311430080603550403" "0c0179" "3008060355040b" "0c0178", "CN=y+OU=x"},
    NameCase{"printable_for_c", "C=DE", "300d310b3009060355040613024445", "C=DE"},
    NameCase{"printable_for_serial", "serialNumber=42", "300d310b3009060355040513023432", "serialNumber=42"},
    NameCase{"ia5_for_dc", "DC=ab", "301431123010060a0992268993f22c640119" "16026162", "DC=ab"},
    NameCase{"ia5_for_email", "emailAddress=a@b", "301431123010" "06092a864886f70d010901" "1603614062", "emailAddress=a@b"},
    NameCase{"sn_is_surname", "SN=a", "300c310a300806035504040c0161", "SN=a"},
    NameCase{"escaped_comma", "CN=a\\,b", "300e310c300a06035504030c03612c62", "CN=a\\,b"},
    NameCase{"comma_in_slashed", "/CN=a,b", "300e310c300a06035504030c03612c62", "CN=a\\,b"},
    NameCase{"slash_escaped", "/CN=a\\/b", "300e310c300a06035504030c03612f62", "CN=a/b"},
    NameCase{"escaped_hex", "CN=a\\0Db", "300e310c300a06035504030c03610d62", "CN=a\\0Db"},
    NameCase{"escaped_utf8", "CN=Lu\\C4\\8Di\\C4\\87", "30123110300e06035504030c074c75c48d69c487",
             "CN=Lučić"},
    NameCase{"outer_blanks_escaped", "CN=\\ a\\ ", "300e310c300a06035504030c03206120", "CN=\\ a\\ "},
    NameCase{"leading_hash_escaped", "CN=\\#1", "300d310b300906035504030c022331", "CN=\\#1"},
    NameCase{"inner_hash", "CN=1#", "300d310b300906035504030c023123", "CN=1#"},
    NameCase{"all_specials", "CN=\\\"\\+\\,\\;\\<\\>\\\\=", "3013311130" "0f0603550403" "0c08222b2c3b3c3e5c3d",
             "CN=\\\"\\+\\,\\;\\<\\>\\\\="},
    NameCase{"hexadecimal_value", "1.3.6.1.4.1.1466.0=#04024869", "30123110300e06082b060104018b3a0004024869",
             "1.3.6.1.4.1.1466.0=#04024869"},
    NameCase{"asterisk", "CN=*", "300c310a300806035504030c012a", "CN=*"}),
    [](const auto& test) { return test.param.name; });

class NameTextRefused : public testing::TestWithParam<BadText> {};

TEST_P(NameTextRefused, SayingWhatToMend) {
    const auto read = Name::from_text(GetParam().text);
    ASSERT_FALSE(read) << read->to_text();
    EXPECT_THAT(read.error().detail, HasSubstr(GetParam().detail));
}

INSTANTIATE_TEST_SUITE_P(Rfc4514, NameTextRefused, testing::Values(
    BadText{"no_equals", "device 1", "no '='"},
    BadText{"unescaped_comma", "CN=a,b", "no '='"},
    BadText{"unescaped_slash", "/CN=a/b", "no '='"},
    BadText{"trailing_comma", "CN=a,", "no '='"},
    BadText{"empty_rdn", "CN=a,,O=b", "no attribute type"},
    BadText{"unknown_type", "device=1", "'device' is no attribute type"},
    BadText{"bad_oid", "1.2.=1", "no attribute type"},
    BadText{"empty_value", "CN=", "empty"},
    BadText{"unescaped_quote", "CN=\"a\"", "escaped"},
    BadText{"unescaped_semicolon", "CN=a;O=b", "escaped"},
    BadText{"escape_at_end", "CN=a\\", "ends in"},
    BadText{"needless_escape", "CN=\\q", "needs none"},
    BadText{"escaped_nul", "CN=a\\00b", "NUL"},       // bug class 13
    BadText{"raw_nul", std::string("CN=a\0b", 6), "NUL"},
    BadText{"escaped_bad_utf8", "CN=\\C0\\AF", "UTF-8"},
    BadText{"hex_odd", "1.2.3=#040", "hexadecimal"},
    BadText{"hex_two_elements", "1.2.3=#05000500", "hexadecimal"},
    BadText{"hex_empty", "1.2.3=#", "hexadecimal"},
    BadText{"country_of_three", "C=DEU", "at most 2"},
    BadText{"country_not_printable", "C=\xC3\xA4", "C holds only"},
    BadText{"serial_not_printable", "serialNumber=a_b", "letters, digits"},
    BadText{"email_not_ascii", "emailAddress=ä@b", "ASCII"},
    BadText{"cn_too_long", "CN=" + std::string(65, 'a'), "at most 64"},
    BadText{"type_twice_in_rdn", "CN=a+CN=b", "twice"},
    BadText{"huge", "CN=" + std::string(40000, 'a'), "32768"}), [](const auto& test) { return test.param.name; });

TEST(NameText, ShowsNothingThatDeceives) {  // bug classes 13 and 38
    for (const std::string value : {"a\nb", "a\x1B[31mb", "a\x7F", "a\xC2\x9B" "b", "a\xE2\x80\xAE" "b", "a\xE2\x80\x8B"}) {
        const auto der = one_attribute(oid::common_name, Tag::utf8_string, as_bytes(value));
        const auto shown = Name::parse(der).value().to_text();
        EXPECT_TRUE(text::is_plain_utf8(shown));
        EXPECT_EQ(shown.find("\xE2\x80"), std::string::npos);
        EXPECT_TRUE(same(name(shown).der(), der)) << shown;
    }
}

TEST(NameText, LeavesHomoglyphsAsTheyAre) {  // bug class 13: they differ in octets and do not match
    EXPECT_EQ(name("CN=p\xD0\xB0ypal").to_text(), "CN=p\xD0\xB0ypal");
}

}  // namespace
}  // namespace estuary::x509
