#include "estuary/x509/name.h"

#include "support.h"

namespace estuary::x509 {
namespace {

using der::Tag;
using test::hex;
using test::name;
using test::octets;
using test::one_attribute;
using testing::ElementsAre;
using testing::HasSubstr;

Result<Name> cn_of(std::string_view value) { return Name::parse(one_attribute(oid::common_name, Tag::utf8_string, as_bytes(value))); }

/// The subject of a request in tests/data/requests.
Name subject_of(const std::string& request) {
    return SignedRequest::parse(test::data_file("requests/" + request)).value().subject();
}

TEST(Name, EmptyIsAnEmptySequence) {
    EXPECT_TRUE(Name{}.empty());
    EXPECT_TRUE(same(Name{}.der(), hex("3000")));
    EXPECT_EQ(Name::parse(hex("3000")).value(), Name{});
    EXPECT_EQ(Name{}.to_text(), "");
    EXPECT_TRUE(Name{}.matches(Name{}));
}

TEST(Name, KeepsDerAsItCame) {  // bug class 34
    // PrintableString, UTF8String, TeletexString and BMPString of the same text stay what they are.
    for (const auto tag : {Tag::printable_string, Tag::utf8_string, Tag::teletex_string}) {
        const auto der = one_attribute(oid::organization_name, tag, as_bytes("Example"));
        EXPECT_TRUE(same(Name::parse(der).value().der(), der));
    }
    const auto bmp = one_attribute(oid::organization_name, Tag::bmp_string, hex("00450078"));
    EXPECT_TRUE(same(Name::parse(bmp).value().der(), bmp));
}

TEST(Name, TellsRdnsAndValues) {
    const auto subject = subject_of("multi_valued.der");
    ASSERT_EQ(subject.rdns().size(), 2u);
    EXPECT_EQ(subject.rdns()[0][0].type, oid::organization_name);
    EXPECT_EQ(subject.rdns()[1].size(), 2u);
    EXPECT_THAT(subject.values(oid::common_name), ElementsAre("device 1"));
    EXPECT_THAT(subject.values(oid::serial_number), ElementsAre("42"));
    EXPECT_THAT(subject.values(oid::country_name), ElementsAre());
    EXPECT_THAT(name("CN=b,CN=a").values(oid::common_name), ElementsAre("a", "b"));
}

TEST(Name, ConvertsBmpValues) {
    const auto bmp = Name::parse(one_attribute(oid::common_name, Tag::bmp_string, hex("00fc00e4"))).value();
    EXPECT_THAT(bmp.values(oid::common_name), ElementsAre("üä"));
}

TEST(Name, ShowsValuesThatAreNoText) {
    const auto unique = Name::parse(one_attribute(der::Oid{"2.5.4.45"}, Tag::bit_string, hex("00aa"))).value();
    EXPECT_THAT(unique.values(der::Oid{"2.5.4.45"}), ElementsAre("#030200aa"));
    EXPECT_EQ(unique.to_text(), "2.5.4.45=#030200aa");
}

struct RefusedName {
    std::string name;
    ByteVec der;
    Code code;
    std::string detail;
};
class NameRefused : public testing::TestWithParam<RefusedName> {};

TEST_P(NameRefused, WithItsReason) {
    const auto& test = GetParam();
    const auto parsed = Name::parse(test.der);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, test.code);
    EXPECT_THAT(parsed.error().detail, HasSubstr(test.detail));
}

ByteVec many_rdns(std::size_t count) {
    der::Writer writer;
    writer.sequence([&] {
        for (std::size_t i = 0; i < count; ++i)
            writer.constructed(Tag::set, [&] { writer.sequence([&] { writer.oid(oid::common_name).utf8_string("a"); }); });
    });
    return std::move(writer).take();
}

/// One RDN of `count` attributes of different types in DER order.
ByteVec wide_rdn(std::size_t count) {
    der::Writer writer;
    writer.sequence([&] {
        writer.constructed(Tag::set, [&] {
            for (std::size_t i = 0; i < count; ++i)
                writer.sequence([&] { writer.oid(der::Oid{"1.2." + std::to_string(i + 1)}).utf8_string("a"); });
        });
    });
    return std::move(writer).take();
}

ByteVec utf8(std::size_t characters) { return octets(std::string(characters, 'x')); }

// bug classes 13 and 15
INSTANTIATE_TEST_SUITE_P(Rfc5280, NameRefused, testing::Values(
    RefusedName{"nothing", {}, Code::malformed, "SEQUENCE"},
    RefusedName{"trailing", hex("300000"), Code::malformed, "end of Name"},
    RefusedName{"indefinite", hex("30800000"), Code::malformed, "indefinite"},
    RefusedName{"empty_rdn", hex("30023100"), Code::malformed, "empty RelativeDistinguishedName"},
    RefusedName{"empty_attribute", hex("300431023000"), Code::malformed, "OBJECT IDENTIFIER"},
    RefusedName{"attribute_without_value", hex("3009310730050603550403"), Code::malformed, "missing"},
    RefusedName{"three_in_attribute", hex("300f310d300b06035504030c01610c0162"), Code::malformed, "AttributeTypeAndValue"},
    RefusedName{"rdn_not_a_set", hex("300c300a300806035504030c0161"), Code::malformed, "SET"},
    RefusedName{"nul_in_cn", one_attribute(oid::common_name, Tag::utf8_string, hex("610062")), Code::malformed, "NUL"},
    RefusedName{"bad_utf8", one_attribute(oid::common_name, Tag::utf8_string, hex("c0af")), Code::malformed, "commonName"},
    RefusedName{"bad_printable", one_attribute(oid::common_name, Tag::printable_string, octets("*")), Code::malformed, "2a"},
    RefusedName{"cn_not_text", one_attribute(oid::common_name, Tag::integer, hex("01")), Code::malformed, "commonName"},
    RefusedName{"cn_constructed", one_attribute(oid::common_name, Tag::sequence, {}), Code::malformed, "commonName"},
    RefusedName{"cn_empty", one_attribute(oid::common_name, Tag::utf8_string, {}), Code::malformed, "empty"},
    RefusedName{"cn_65", one_attribute(oid::common_name, Tag::utf8_string, utf8(65)), Code::malformed, "at most 64"},
    RefusedName{"o_65", one_attribute(oid::organization_name, Tag::utf8_string, utf8(65)), Code::malformed, "at most 64"},
    RefusedName{"ou_65", one_attribute(oid::organizational_unit_name, Tag::utf8_string, utf8(65)), Code::malformed, "at most 64"},
    RefusedName{"title_65", one_attribute(oid::title, Tag::utf8_string, utf8(65)), Code::malformed, "at most 64"},
    RefusedName{"serial_65", one_attribute(oid::serial_number, Tag::printable_string, utf8(65)), Code::malformed, "at most 64"},
    RefusedName{"l_129", one_attribute(oid::locality_name, Tag::utf8_string, utf8(129)), Code::malformed, "at most 128"},
    RefusedName{"st_129", one_attribute(oid::state_or_province_name, Tag::utf8_string, utf8(129)), Code::malformed, "at most 128"},
    RefusedName{"email_256", one_attribute(oid::email_address, Tag::ia5_string, utf8(256)), Code::malformed, "at most 255"},
    RefusedName{"c_1", one_attribute(oid::country_name, Tag::printable_string, utf8(1)), Code::malformed, "two letters"},
    RefusedName{"c_3", one_attribute(oid::country_name, Tag::printable_string, utf8(3)), Code::malformed, "at most 2"},
    RefusedName{"over_long", one_attribute(der::Oid{"1.2.3"}, Tag::utf8_string, utf8(9000)), Code::too_large, "8192"},
    RefusedName{"rdns_33", many_rdns(33), Code::too_large, "32 RDNs"},
    RefusedName{"attributes_9", wide_rdn(9), Code::too_large, "8 attributes"},
    RefusedName{"unsorted_set", hex("301a3118300a06035504050c033132333"  "00a06035504030c03616263"), Code::malformed, "DER order"},
    RefusedName{"type_twice", hex("3018311630090603550403" "0c026161" "30090603550403" "0c026262"), Code::malformed, "twice"},
    RefusedName{"garbage_in_unknown_type", hex("300b3109300706022a033001ff"), Code::malformed, "cut short"}),
    [](const auto& test) { return test.param.name; });

TEST(Name, UpperBoundsCountCharacters) {
    std::string umlauts;
    for (int i = 0; i < 64; ++i) umlauts += "ä";  // 128 octets
    EXPECT_TRUE(cn_of(umlauts));
    EXPECT_FALSE(cn_of(umlauts + "ä"));
    EXPECT_TRUE(Name::parse(many_rdns(32)));
    EXPECT_TRUE(Name::parse(wide_rdn(8)));
}

TEST(Name, RefusesDeepNesting) {  // bug class 15
    ByteVec value = hex("0500");
    for (int depth = 0; depth < 40; ++depth) value = test::tlv(Tag::sequence, value);
    der::Writer writer;
    writer.sequence([&] {
        writer.constructed(Tag::set, [&] { writer.sequence([&] { writer.oid(der::Oid{"1.2.3"}).raw(value); }); });
    });
    EXPECT_EQ(Name::parse(writer.bytes()).error().code, Code::too_large);
}

struct MatchCase {
    std::string name, a, b;
    bool matches;
};
class NameMatches : public testing::TestWithParam<MatchCase> {};

TEST_P(NameMatches, AsRfc5280Section7_1) {
    const auto a = name(GetParam().a), b = name(GetParam().b);
    EXPECT_EQ(a.matches(b), GetParam().matches);
    EXPECT_EQ(b.matches(a), GetParam().matches);
    EXPECT_EQ(a.canonical() == b.canonical(), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(Rfc5280, NameMatches, testing::Values(
    MatchCase{"same", "CN=a,O=b", "CN=a,O=b", true},
    MatchCase{"case_folded", "CN=Device,O=EXAMPLE", "CN=device,O=Example", true},
    MatchCase{"inner_blanks", "CN=device  1", "CN=device 1", true},
    MatchCase{"outer_blanks", "CN=\\ device 1\\ ", "CN=device 1", true},
    MatchCase{"umlaut_case", "CN=ÄRGER", "CN=ärger", true},
    MatchCase{"domain_components", "DC=Example,DC=COM", "DC=example,DC=com", true},
    MatchCase{"multi_valued_order", "CN=a+O=b", "O=b+CN=a", true},
    MatchCase{"order_of_rdns", "CN=a,O=b", "O=b,CN=a", false},
    MatchCase{"one_or_two_rdns", "CN=a+O=b", "CN=a,O=b", false},
    MatchCase{"prefix", "CN=a,O=b", "O=b", false},
    MatchCase{"other_type", "CN=a", "O=a", false},
    MatchCase{"blank_matters_between_words", "CN=ab", "CN=a b", false},
    MatchCase{"homoglyph", "CN=paypal", "CN=p\xD0\xB0ypal", false},   // bug class 13
    MatchCase{"asterisk_is_no_pattern", "CN=*", "CN=abc", false},    // bug class 13
    MatchCase{"empty", "", "CN=a", false}), [](const auto& test) { return test.param.name; });

TEST(Name, MatchesAcrossStringTypes) {
    const auto printable = Name::parse(one_attribute(oid::common_name, Tag::printable_string, as_bytes("Ab"))).value();
    const auto utf8_name = Name::parse(one_attribute(oid::common_name, Tag::utf8_string, as_bytes("aB"))).value();
    const auto bmp = Name::parse(one_attribute(oid::common_name, Tag::bmp_string, hex("00610062"))).value();
    const auto latin = Name::parse(one_attribute(oid::common_name, Tag::teletex_string, hex("e4"))).value();
    EXPECT_TRUE(printable.matches(utf8_name));
    EXPECT_TRUE(printable.matches(bmp));
    EXPECT_FALSE(printable == utf8_name);
    EXPECT_TRUE(latin.matches(name("CN=Ä")));
}

TEST(Name, CheckRefusesWhatDeceives) {  // bug class 13
    EXPECT_TRUE(name("CN=device 1,O=Zürich").check());
    for (const auto* value : {"a\nb", "a\x1B[31mb", "a\x7F", "a\xC2\x9B", "a\xE2\x80\xAE" "b", "a\xE2\x80\x8B", "a\xEF\xBB\xBF"}) {
        const auto deceptive = cn_of(value);
        ASSERT_TRUE(deceptive) << "others may hold such names";
        EXPECT_EQ(deceptive->check().error().code, Code::policy);
    }
    const auto bits = Name::parse(one_attribute(der::Oid{"2.5.4.45"}, Tag::bit_string, hex("00aa"))).value();
    EXPECT_EQ(bits.check().error().code, Code::policy);
}

}  // namespace
}  // namespace estuary::x509
