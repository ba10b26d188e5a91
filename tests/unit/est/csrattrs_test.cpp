#include <fmt/format.h>

#include "estuary/est/messages.h"
#include "support.h"

namespace estuary::est {
namespace {

using test::data_file;
using test::failure;
using test::hex;
namespace names = x509::oid;

constexpr der::Oid mac_address{"1.3.6.1.1.1.1.22"};
constexpr der::Oid secp384r1{"1.3.132.0.34"};
constexpr der::Oid ecdsa_with_sha384{"1.2.840.10045.4.3.3"};

CsrAttrs parsed(Bytes der) {
    auto attributes = CsrAttrs::parse(der);
    EXPECT_TRUE(attributes) << failure(attributes);
    return attributes.value_or(CsrAttrs{});
}

// Examples in base64 from RFC 7030 4.5.2, RFC 9148 A.4 and the examples of RFC 9908 5.
struct ExampleCase {
    std::string name, base64;
    std::vector<std::string> items;   // dotted; "=N" after it: that many values
};
class CsrAttrsExample : public testing::TestWithParam<ExampleCase> {};

TEST_P(CsrAttrsExample, IsReadAndWrittenBack) {
    const auto der = from_base64(GetParam().base64).value();
    const auto attributes = parsed(der);
    std::vector<std::string> items;
    for (const auto& item : attributes.items)
        items.push_back(item.oid.dotted() + (item.values ? "=" + std::to_string(item.values->size()) : ""));
    EXPECT_EQ(items, GetParam().items);
    EXPECT_FALSE(attributes.request_template);
    EXPECT_EQ(attributes.encode(), der);
}
INSTANTIATE_TEST_SUITE_P(Rfc, CsrAttrsExample, testing::Values(
    ExampleCase{"rfc7030_4_5_2",
                "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw==",
                {"1.2.840.113549.1.9.7", "1.2.840.10045.2.1=1", "1.2.840.113549.1.9.14=1", "1.2.840.10045.4.3.3"}},
    ExampleCase{"rfc9908_5_1",
                "MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIzYzM0NDAxMTIyMzM0NDU1MDAwMD"
                "AwMDArQGFjcC5leGFtcGxlLmNvbQ==",
                {"1.2.840.113549.1.9.14=1"}},
    ExampleCase{"rfc9908_5_2", "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==",
                {"1.2.840.113549.1.9.7", "1.2.840.10045.2.1=1", "1.3.6.1.1.1.1.22", "1.2.840.10045.4.3.3"}},
    ExampleCase{"rfc9908_5_3", "MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZIzj0EAwQ=",
                {"1.2.840.113549.1.9.7", "1.2.840.10045.2.1=1", "1.2.840.113549.1.9.20", "0.9.2342.19200300.100.1.5", "2.5.4.5",
                 "1.2.840.10045.4.3.4"}},
    ExampleCase{"rfc9908_5_4", "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==",
                {"1.2.840.113549.1.9.7", "1.2.840.113549.1.1.1=1", "1.2.840.113549.1.1.11"}},
    ExampleCase{"rfc9908_5_5", "MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD",
                {"1.2.840.113549.1.9.7", "1.2.840.10045.2.1=1", "2.5.4.5", "1.2.840.10045.4.3.3"}},
    ExampleCase{"rfc9148_a_4", test::data_text("rfc9148-a4-csrattrs.b64"),
                {"1.3.6.1.1.1.1.22", "2.999.1=1", "1.2.840.113549.1.9.7", "2.999.2=3", "1.3.36.3.3.2.8.1.1.11",
                 "2.16.840.1.101.3.4.2.2"}},
    ExampleCase{"rfc7030_a_2", test::data_text("rfc7030-a2-csrattrs.b64"),
                {"1.3.6.1.1.1.1.22", "2.999.1=1", "1.2.840.113549.1.9.7", "2.999.2=3", "1.3.36.3.3.2.8.1.1.11",
                 "2.16.840.1.101.3.4.2.2"}},
    ExampleCase{"empty_sequence", "MAA=", {}}),
    [](const auto& test) { return test.param.name; });

TEST(CsrAttrs, ValuesAreKeptWhole) {
    const auto attributes = parsed(data_file("rfc9148-a4-csrattrs.b64"));
    ASSERT_EQ(attributes.items.size(), 6u);
    ASSERT_TRUE(attributes.items[1].values);
    EXPECT_EQ(attributes.items[1].values->front(), hex("1319" "5061727365205345542061732032" "2e3939392e312064617461"));
    EXPECT_EQ(attributes.items[0].oid, mac_address);
}

TEST(CsrAttrs, EmptyAsksForNothing) {
    EXPECT_TRUE(parsed(hex("3000")).empty());
    EXPECT_FALSE(parsed(hex("300506032a0304")).empty());
}

/// RFC 9908 3.2: an empty SET of values says that any such key will do.
TEST(CsrAttrs, EmptySetOfValuesIsRead) {
    const auto der = hex("300d300b06072a8648ce3d02013100");
    const auto attributes = parsed(der);
    ASSERT_EQ(attributes.items.size(), 1u);
    EXPECT_EQ(attributes.items[0].oid, oid::ec_public_key);
    ASSERT_TRUE(attributes.items[0].values);
    EXPECT_TRUE(attributes.items[0].values->empty());
    EXPECT_EQ(attributes.encode(), der);
}

TEST(CsrAttrs, RoundTripKeepsWhatIsAsked) {
    CsrAttrs attributes;
    attributes.items.push_back({names::challenge_password, std::nullopt});
    der::Writer curve;
    curve.oid(secp384r1);
    attributes.items.push_back({oid::ec_public_key, std::vector<ByteVec>{std::move(curve).take()}});
    attributes.items.push_back({mac_address, std::nullopt});
    attributes.items.push_back({ecdsa_with_sha384, std::nullopt});
    // RFC 9908 5.2
    EXPECT_EQ(to_base64(attributes.encode()), "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==");
}

struct BadCase {
    std::string name, hex;
};
class CsrAttrsMalformed : public testing::TestWithParam<BadCase> {};

TEST_P(CsrAttrsMalformed, IsRefused) {
    const auto attributes = CsrAttrs::parse(hex(GetParam().hex));
    ASSERT_FALSE(attributes);
    EXPECT_TRUE(attributes.error().code == Code::malformed || attributes.error().code == Code::unsupported)
        << failure(attributes);
}
// The template's frame: SEQUENCE { SEQUENCE { OID ...16.2.61, SET { INFO } } }
std::string templated(const std::string& info) {
    const auto length = [](std::size_t octets) { return fmt::format("{:02x}", octets); };
    const auto set = "31" + length(info.size() / 2) + info;
    const auto attribute = "060b2a864886f70d010910023d" + set;
    const auto sequence = "30" + length(attribute.size() / 2) + attribute;
    return "30" + length(sequence.size() / 2) + sequence;
}
constexpr const char* extension_request = "06092a864886f70d01090e";
constexpr const char* extension_template = "060b2a864886f70d010910023e";

INSTANTIATE_TEST_SUITE_P(Der, CsrAttrsMalformed, testing::Values(
    BadCase{"nothing", ""}, BadCase{"not_a_sequence", "3100"}, BadCase{"trailing", "300000"},
    BadCase{"indefinite", "30800000"}, BadCase{"integer_item", "3003020101"}, BadCase{"attribute_without_values", "3007300506032a0304"},
    BadCase{"attribute_with_more", "300b300906032a030431000500"}, BadCase{"value_not_der", "300b300906032a030431023080"},
    BadCase{"values_not_a_set", "3009300706032a03043000"},
    BadCase{"template_as_bare_oid", "300d060b2a864886f70d010910023d"},
    BadCase{"template_without_value", templated("")},
    BadCase{"template_with_two_values", templated("3005020100a1003005020100a100")},
    BadCase{"template_version_2", templated("3005020101a100")},
    BadCase{"template_without_attributes", templated("3003020100")},
    BadCase{"template_without_version", templated("3002a100")},
    BadCase{"template_with_more", templated("3007020100a1000500")},
    BadCase{"template_empty_rdn", templated("300902010030023100a100")},
    BadCase{"template_key_without_algorithm", templated("3007020100a000a100")},
    BadCase{"template_explicit_false", templated("301e020100a119301706092a864886f70d01090e310a30083006" "0603551d11" "010100")}),
    [](const auto& test) { return test.param.name; });

TEST(CsrAttrsTemplate, TwoAreRefused) {
    const auto one = hex(templated("3005020100a100"));
    const auto attribute = Bytes{one}.subspan(2);
    der::Writer writer;
    writer.sequence([&] { writer.raw(attribute).raw(attribute); });
    EXPECT_EQ(failure(CsrAttrs::parse(writer.bytes())), "malformed: CsrAttrs: there are two request templates");
}

TEST(CsrAttrs, MoreThan256ElementsAreTooMany) {
    der::Writer writer;
    writer.sequence([&] {
        for (int i = 0; i < 257; ++i) writer.oid(mac_address);
    });
    const auto attributes = CsrAttrs::parse(writer.bytes());
    ASSERT_FALSE(attributes);
    EXPECT_EQ(attributes.error().code, Code::too_large);
}

TEST(CsrAttrs, LargerThan64KilobytesIsTooLarge) {
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] {
            writer.oid(mac_address);
            writer.constructed(der::Tag::set, [&] { writer.octet_string(ByteVec(64 * 1024)); });
        });
    });
    const auto attributes = CsrAttrs::parse(writer.bytes());
    ASSERT_FALSE(attributes);
    EXPECT_EQ(attributes.error().code, Code::too_large);
}

/// The template that RFC 9908 3.4 draws, encoded by OpenSSL.
TEST(CsrAttrsTemplate, ExampleOfRfc9908) {
    const auto der = data_file("rfc9908-3.4-template.b64");
    const auto attributes = parsed(der);
    EXPECT_TRUE(attributes.items.empty());
    ASSERT_TRUE(attributes.request_template);
    const auto& wanted = *attributes.request_template;
    ASSERT_TRUE(wanted.subject);
    ASSERT_EQ(wanted.subject->size(), 3u);
    EXPECT_EQ((*wanted.subject)[0][0].type, names::common_name);
    EXPECT_FALSE((*wanted.subject)[0][0].value);
    EXPECT_EQ((*wanted.subject)[2][0].type, names::organizational_unit_name);
    ASSERT_TRUE((*wanted.subject)[2][0].value);
    EXPECT_EQ((*wanted.subject)[2][0].value->first, der::Tag::utf8_string);
    EXPECT_EQ((*wanted.subject)[2][0].value->second, "myGroup");
    ASSERT_TRUE(wanted.key_algorithm);
    EXPECT_EQ(*wanted.key_algorithm, hex("301306072a8648ce3d020106082a8648ce3d030107"));
    EXPECT_FALSE(wanted.rsa_bits);
    ASSERT_EQ(wanted.extensions.size(), 3u);
    EXPECT_EQ(wanted.extensions[0].id, names::subject_alt_name);
    EXPECT_TRUE(has_unfinished_name(*wanted.extensions[0].value));
    EXPECT_EQ(wanted.extensions[1].id, names::key_usage);
    EXPECT_TRUE(wanted.extensions[1].critical);
    EXPECT_EQ(*wanted.extensions[1].value, hex("03020388"));
    EXPECT_EQ(wanted.extensions[2].id, names::ext_key_usage);
    EXPECT_FALSE(wanted.extensions[2].value);
    EXPECT_EQ(attributes.encode(), der);
}

TEST(CsrAttrsTemplate, OidsAreThoseAssigned) {
    EXPECT_EQ(oid::request_info_template.dotted(), "1.2.840.113549.1.9.16.2.61");
    EXPECT_EQ(oid::extension_request_template.dotted(), "1.2.840.113549.1.9.16.2.62");
}

TEST(CsrAttrsTemplate, CompleteExtensionsAreAnExtensionRequest) {
    CsrAttrs attributes;
    attributes.request_template.emplace();
    attributes.request_template->extensions = {{names::key_usage, true, hex("03020780")}};
    const auto der = attributes.encode();
    const auto text = to_hex(der);
    EXPECT_NE(text.find(extension_request), std::string::npos);
    EXPECT_EQ(text.find(extension_template), std::string::npos);
    // What stands in it is an Extensions as RFC 5280 has it.
    const auto at = text.find("3010300e0603551d0f");
    ASSERT_NE(at, std::string::npos) << text;
    const auto extensions = x509::parse_extensions(Bytes{der}.subspan(at / 2, 18));
    ASSERT_TRUE(extensions) << failure(extensions);
    EXPECT_TRUE(extensions->front().critical);
}

TEST(CsrAttrsTemplate, OpenExtensionsAreAnExtensionRequestTemplate) {
    CsrAttrs attributes;
    attributes.request_template.emplace();
    attributes.request_template->extensions = {{names::subject_alt_name, false, std::nullopt}};
    const auto text = to_hex(attributes.encode());
    EXPECT_EQ(text.find(extension_request), std::string::npos);
    EXPECT_NE(text.find(extension_template), std::string::npos);
}

TEST(CsrAttrsTemplate, RsaSizeIsAStandInKey) {
    for (const unsigned bits : {2048u, 3072u, 4096u}) {
        CsrAttrs attributes;
        attributes.request_template.emplace();
        attributes.request_template->key_algorithm = hex("300d06092a864886f70d0101010500");
        attributes.request_template->rsa_bits = bits;
        const auto back = parsed(attributes.encode());
        ASSERT_TRUE(back.request_template);
        EXPECT_EQ(back.request_template->rsa_bits, bits);
        EXPECT_EQ(back.encode(), attributes.encode());
    }
}

TEST(CsrAttrsTemplate, NothingAskedIsLeftOut) {
    CsrAttrs attributes;
    attributes.request_template.emplace();
    EXPECT_EQ(to_hex(attributes.encode()), templated("3005020100a100"));
    const auto back = parsed(attributes.encode());
    ASSERT_TRUE(back.request_template);
    EXPECT_FALSE(back.request_template->subject);
    EXPECT_FALSE(back.request_template->key_algorithm);
    EXPECT_TRUE(back.request_template->extensions.empty());
}

/// Attributes ::= SET OF { type, { Extensions } }, one after the other.
Result<CsrAttrs> with_attributes(std::initializer_list<std::pair<der::Oid, std::vector<ByteVec>>> attributes) {
    CsrAttrs wanted;
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] {
            writer.oid(oid::request_info_template);
            writer.constructed(der::Tag::set, [&] {
                writer.sequence([&] {
                    writer.integer(0);
                    writer.constructed(der::context_constructed(1), [&] {
                        for (const auto& [type, values] : attributes)
                            writer.sequence([&] {
                                writer.oid(type);
                                writer.constructed(der::Tag::set, [&] {
                                    for (const auto& value : values) writer.raw(value);
                                });
                            });
                    });
                });
            });
        });
    });
    return CsrAttrs::parse(writer.bytes());
}

const ByteVec open_san = hex("300730050603551d11");
const ByteVec closed_usage = hex("300d300b0603551d0f040403020780");

TEST(CsrAttrsTemplate, ExtensionsAreAskedForOnce) {
    EXPECT_TRUE(with_attributes({{oid::extension_request_template, {open_san}}}));
    EXPECT_TRUE(with_attributes({{names::extension_request, {closed_usage}}}));
    EXPECT_FALSE(with_attributes({{oid::extension_request_template, {open_san}}, {oid::extension_request_template, {open_san}}}));
    EXPECT_FALSE(with_attributes({{oid::extension_request_template, {open_san}}, {names::extension_request, {closed_usage}}}));
    EXPECT_FALSE(with_attributes({{oid::extension_request_template, {open_san, open_san}}}));
    EXPECT_FALSE(with_attributes({{oid::extension_request_template, {}}}));
}

TEST(CsrAttrsTemplate, AnExtensionOccursOnce) {
    EXPECT_EQ(failure(with_attributes({{oid::extension_request_template, {hex("300e30050603551d1130050603551d11")}}})),
              "malformed: CsrAttrs: an extension occurs twice");
    const auto usage = Bytes{closed_usage}.subspan(2);
    der::Writer twice;
    twice.sequence([&] { twice.raw(usage).raw(usage); });
    EXPECT_FALSE(with_attributes({{names::extension_request, {std::move(twice).take()}}}));
}

TEST(CsrAttrsTemplate, ExtensionRequestNeedsValues) {
    EXPECT_FALSE(with_attributes({{names::extension_request, {open_san}}}));
}

struct UnfinishedCase {
    std::string name, hex;
    bool unfinished;
};
class CsrAttrsSan : public testing::TestWithParam<UnfinishedCase> {};
TEST_P(CsrAttrsSan, SaysWhatIsLeftToTheClient) {
    EXPECT_EQ(has_unfinished_name(hex(GetParam().hex)), GetParam().unfinished);
}
INSTANTIATE_TEST_SUITE_P(Rfc9908, CsrAttrsSan, testing::Values(
    UnfinishedCase{"host", "30038201" "61", false}, UnfinishedCase{"empty_address", "30028700", true},
    UnfinishedCase{"empty_directory", "3004a4023000", true},
    UnfinishedCase{"host_and_empty_address", "30058201618700", true},
    UnfinishedCase{"full_directory", "300fa40d300b3109300706035504030c00", false}, UnfinishedCase{"none", "3000", false},
    UnfinishedCase{"not_der", "30", false}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace estuary::est
