#include "estuary/x509/name.h"

#include "support.h"

namespace estuary::x509 {
namespace {

using test::BadText;
using test::general_name;
using test::hex;
using test::octets;
using testing::HasSubstr;
using Kind = GeneralName::Kind;

Result<GeneralName> read(Bytes der) {
    der::Reader reader{der};
    auto name = GeneralName::read(reader);
    EXPECT_TRUE(!name || reader.empty());
    return name;
}

ByteVec written(const GeneralName& name) {
    der::Writer writer;
    name.write(writer);
    return std::move(writer).take();
}

struct GeneralNameCase {
    std::string name, text;
    Kind kind;
    std::string der;    ///< hexadecimal
    std::string shown;
};
class GeneralNameText : public testing::TestWithParam<GeneralNameCase> {};

TEST_P(GeneralNameText, ReadsWritesAndShows) {
    const auto& test = GetParam();
    const auto name = GeneralName::from_text(test.text);
    ASSERT_TRUE(name) << name.error().detail;
    EXPECT_EQ(name->kind, test.kind);
    EXPECT_EQ(to_hex(written(*name)), test.der);
    EXPECT_EQ(name->to_text(), test.shown);
    EXPECT_EQ(read(hex(test.der)).value(), *name);
    EXPECT_EQ(general_name(name->to_text()), *name);
}

INSTANTIATE_TEST_SUITE_P(Rfc5280, GeneralNameText, testing::Values(
    GeneralNameCase{"dns", "dns:host.example", Kind::dns, "820c686f73742e6578616d706c65", "dns:host.example"},
    GeneralNameCase{"dns_upper_prefix", "DNS:host", Kind::dns, "8204686f7374", "dns:host"},
    GeneralNameCase{"dns_bare", "host", Kind::dns, "8204686f7374", "dns:host"},
    GeneralNameCase{"dns_wildcard", "*.ab", Kind::dns, "82042a2e6162", "dns:*.ab"},
    GeneralNameCase{"dns_underscore", "dns:_a.b", Kind::dns, "82045f612e62", "dns:_a.b"},
    GeneralNameCase{"dns_a_label", "xn--bcher-kva", Kind::dns, "820d786e2d2d62636865722d6b7661", "dns:xn--bcher-kva"},
    GeneralNameCase{"ipv4", "ip:192.0.2.1", Kind::ip, "8704c0000201", "ip:192.0.2.1"},
    GeneralNameCase{"ipv4_bare", "192.0.2.1", Kind::ip, "8704c0000201", "ip:192.0.2.1"},
    GeneralNameCase{"ipv6", "ip:2001:DB8:0::1", Kind::ip, "871020010db8000000000000000000000001", "ip:2001:db8::1"},
    GeneralNameCase{"ipv6_bare", "::1", Kind::ip, "871000000000000000000000000000000001", "ip:::1"},
    GeneralNameCase{"email", "email:a.b+c@d", Kind::email, "8107612e622b634064", "email:a.b+c@d"},
    GeneralNameCase{"email_bare", "a@b", Kind::email, "8103614062", "email:a@b"},
    GeneralNameCase{"uri", "uri:https://a/b", Kind::uri, "860b68747470733a2f2f612f62", "uri:https://a/b"},
    GeneralNameCase{"uri_bare", "https://a/b", Kind::uri, "860b68747470733a2f2f612f62", "uri:https://a/b"},
    GeneralNameCase{"uri_urn", "uri:urn:dev:1", Kind::uri, "860975726e3a6465763a31", "uri:urn:dev:1"},
    GeneralNameCase{"uri_with_at", "https://u@a/", Kind::uri, "860c68747470733a2f2f7540612f", "uri:https://u@a/"},
    GeneralNameCase{"directory", "dirname:CN=a", Kind::directory, "a40e300c310a300806035504030c0161", "dirname:CN=a"},
    GeneralNameCase{"registered_id", "rid:1.2.3", Kind::registered_id, "88022a03", "rid:1.2.3"},
    GeneralNameCase{"principal", "upn:a@b", Kind::other_name, "a013060a2b060104018237140203" "a0050c03614062", "upn:a@b"},
    GeneralNameCase{"other", "othername:1.2.3#0500", Kind::other_name, "a00806022a03a0020500", "othername:1.2.3#0500"}),
    [](const auto& test) { return test.param.name; });

class GeneralNameRefused : public testing::TestWithParam<BadText> {};

TEST_P(GeneralNameRefused, SayingWhatToMend) {
    const auto name = GeneralName::from_text(GetParam().text);
    ASSERT_FALSE(name) << name->to_text();
    EXPECT_EQ(name.error().code, Code::malformed);
    EXPECT_THAT(name.error().detail, HasSubstr(GetParam().detail));
}

// bug classes 3 and 13
INSTANTIATE_TEST_SUITE_P(Syntax, GeneralNameRefused, testing::Values(
    BadText{"empty", "", "empty"},
    BadText{"dns_empty", "dns:", "empty"},
    BadText{"dns_trailing_dot", "host.example.", "ends in a dot"},
    BadText{"dns_empty_label", "a..b", "label"},
    BadText{"dns_leading_dot", ".example", "label"},
    BadText{"dns_leading_hyphen", "-a.example", "label"},
    BadText{"dns_trailing_hyphen", "a-.example", "label"},
    BadText{"dns_blank", "device 1", "label"},
    BadText{"dns_slash", "a/b", "label"},
    BadText{"dns_long_label", std::string(64, 'a'), "label"},
    BadText{"dns_too_long", std::string(62, 'a') + "." + std::string(62, 'b') + "." + std::string(62, 'c') + "." +
                                std::string(62, 'd') + ".ee", "253"},
    BadText{"dns_unicode", "bücher.example", "punycode"},
    BadText{"dns_homoglyph", "p\xD0\xB0ypal.example", "punycode"},
    BadText{"dns_control", "a\nb", "label"},
    BadText{"dns_nul", std::string("dns:a\0b", 7), "label"},
    BadText{"dns_star_alone", "*", "label"},
    BadText{"dns_star_dot", "*.", "ends in a dot"},
    BadText{"dns_star_inside", "a.*.example", "label"},
    BadText{"dns_star_partial", "a*.example", "label"},
    BadText{"dns_two_stars", "*.*.example", "label"},
    BadText{"dns_address", "dns:192.0.2.1", "is an address"},
    BadText{"dns_with_port", "host:8443", "label"},
    BadText{"ip_text", "ip:host", "no IP address"},
    BadText{"ip_short", "ip:192.0.2", "no IP address"},
    BadText{"ip_zone", "ip:fe80::1%eth0", "no IP address"},
    BadText{"ip_mask", "ip:192.0.2.0/24", "no IP address"},
    BadText{"ip_nul", std::string("ip:1.2.3.4\0", 11), "no IP address"},
    BadText{"email_no_at", "email:a", "exactly one '@'"},
    BadText{"email_two_at", "a@b@c", "exactly one '@'"},
    BadText{"email_no_local", "@b", "dot-atom"},
    BadText{"email_no_host", "a@", "empty"},
    BadText{"email_blank", "a b@c", "dot-atom"},
    BadText{"email_quoted", "\"a\"@b", "dot-atom"},
    BadText{"email_angle", "<a@b>", "dot-atom"},
    BadText{"email_dots", "a..b@c", "dot-atom"},
    BadText{"email_wildcard_host", "a@*.b", "wildcard"},
    BadText{"email_unicode", "ä@b", "ASCII"},
    BadText{"email_long_local", std::string(65, 'a') + "@b", "64"},
    BadText{"uri_no_scheme", "uri:host", "no scheme"},
    BadText{"uri_bad_scheme", "1a://host", "no scheme"},
    BadText{"uri_nothing_after", "uri:urn:", "URI"},
    BadText{"uri_no_host", "https://", "no host"},
    BadText{"uri_user_without_host", "https://u@/x", "no host"},
    BadText{"uri_blank", "https://a/b c", "percent-encode"},
    BadText{"uri_bad_percent", "https://a/%zz", "percent-encode"},
    BadText{"uri_cut_percent", "https://a/%4", "percent-encode"},
    BadText{"uri_unicode", "https://bücher/", "percent-encode"},
    BadText{"uri_control", "https://a/\r\n", "percent-encode"},
    BadText{"uri_long", "https://" + std::string(2100, 'a'), "2048"},
    BadText{"dirname_empty", "dirname:", "empty"},
    BadText{"dirname_bad", "dirname:a", "no '='"},
    BadText{"rid_bad", "rid:1", ""},
    BadText{"upn_no_realm", "upn:a@", "user@realm"},
    BadText{"upn_control", "upn:a\n@b", "user@realm"},
    BadText{"othername_no_value", "othername:1.2.3", "'#'"},
    BadText{"othername_bad_value", "othername:1.2.3#05", "DER"}), [](const auto& test) { return test.param.name; });

struct BadGeneralName {
    std::string name, der, detail;
};
class GeneralNameDer : public testing::TestWithParam<BadGeneralName> {};

TEST_P(GeneralNameDer, IsRefused) {
    const auto name = read(hex(GetParam().der));
    ASSERT_FALSE(name);
    EXPECT_THAT(name.error().detail, HasSubstr(GetParam().detail));
}

// bug class 15
INSTANTIATE_TEST_SUITE_P(Encoding, GeneralNameDer, testing::Values(
    BadGeneralName{"empty", "", "missing"},
    BadGeneralName{"unknown_tag", "8900", "unknown tag 89"},
    BadGeneralName{"universal_tag", "0c0161", "unknown tag 0c"},
    BadGeneralName{"constructed_dns", "a20382" "0161", "unknown tag a2"},
    BadGeneralName{"primitive_directory", "84023000", "unknown tag 84"},
    BadGeneralName{"dns_nul", "820361" "0062", "NUL"},
    BadGeneralName{"dns_utf8", "8202c3a4", "punycode"},
    BadGeneralName{"ip_3_octets", "8703010203", "3 octets"},
    BadGeneralName{"ip_0_octets", "8700", "0 octets"},
    BadGeneralName{"directory_without_name", "a400", "SEQUENCE"},
    BadGeneralName{"directory_two_names", "a40430003000", "Name"},
    BadGeneralName{"directory_bad_name", "a40430023100", "RelativeDistinguishedName"},
    BadGeneralName{"rid_empty", "8800", ""},
    BadGeneralName{"rid_unfinished", "880180", ""},
    BadGeneralName{"other_empty", "a000", "OBJECT IDENTIFIER"},
    BadGeneralName{"other_without_value", "a00406022a03", "expected"},
    BadGeneralName{"other_empty_value", "a00606022a03a000", "missing"},
    BadGeneralName{"other_two_values", "a00a06022a03a00405000500", "otherName value"},
    BadGeneralName{"x400_garbage", "a301ff", "DER"}), [](const auto& test) { return test.param.name; });

TEST(GeneralName, ReadsSubtreesOfAddresses) {
    EXPECT_EQ(read(hex("8708c0000200ffffff00")).value().to_text(), "ip:192.0.2.0/24");
    EXPECT_EQ(read(hex("8708c0000200ff00ff00")).value().to_text(), "ip:192.0.2.0/255.0.255.0");
    EXPECT_EQ(read(hex("872020010db8000000000000000000000000ffffffff000000000000000000000000")).value().to_text(),
              "ip:2001:db8::/32");
    EXPECT_FALSE(read(hex("8708c0000200ffffff00")).value().check()) << "a subtree is no name of an end entity";
}

TEST(GeneralName, ShowsNothingThatDeceives) {  // bug class 13
    EXPECT_EQ((GeneralName{Kind::dns, octets("a\x1B[31m\nb")}).to_text(), "dns:a\\x1b[31m\\x0ab");
    EXPECT_EQ((GeneralName{Kind::x400, hex("0500")}).to_text(), "x400:#0500");
    EXPECT_EQ((GeneralName{Kind::edi, hex("0500")}).to_text(), "edi:#0500");
}

TEST(GeneralNames, ReadAndWrite) {
    const std::vector<GeneralName> names{general_name("dns:a"), general_name("ip:192.0.2.1")};
    const auto der = write_general_names(names);
    EXPECT_EQ(to_hex(der), "30098201618704c0000201");
    EXPECT_EQ(parse_general_names(der).value(), names);
}

TEST(GeneralNames, AreNotEmptyAndNotTooMany) {
    EXPECT_EQ(parse_general_names(hex("3000")).error().code, Code::malformed);
    EXPECT_EQ(parse_general_names(hex("30038201610500")).error().code, Code::malformed);
    EXPECT_EQ(parse_general_names(hex("")).error().code, Code::malformed);
    EXPECT_TRUE(parse_general_names(write_general_names(std::vector(256, general_name("dns:a")))));
    EXPECT_EQ(parse_general_names(write_general_names(std::vector(257, general_name("dns:a")))).error().code, Code::too_large);
}

}  // namespace
}  // namespace estuary::x509
