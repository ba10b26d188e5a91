#include "estuary/est/pal.h"

#include <fmt/format.h>

#include "support.h"

namespace estuary::est {
namespace {

using test::failure;
using test::hex;
using testing::HasSubstr;
using testing::Not;

Pal sample_list() {
    Pal pal;
    pal.entries.push_back({"0002", std::nullopt, 1234, PalUri{"https://ca.example/.well-known/est/cacerts"}});
    pal.entries.push_back({"0026", Time{Seconds{1'795'233'600}}, 99, PalUri{"https://ca.example/.well-known/est/a%20b/firmware/7?x=1&y='2'"}});
    pal.entries.push_back({"0010", std::nullopt, 0, PalDn{"CN=a <b> & \"c\",O=Ö"}});
    pal.entries.push_back({"0010", std::nullopt, 0, PalSki{hex("00a1ff")}});
    pal.entries.push_back({"0010", std::nullopt, 0, PalIssuerAndSerial{"CN=CA", "1461501637330902918203684832716283019655932542975"}});
    pal.entries.push_back({"0001", std::nullopt, 0, PalUri{"https://ca.example/.well-known/est/pal/new-7"}});
    return pal;
}

TEST(Pal, XmlIsReadAsItWasWritten) {
    const auto text = sample_list().to_xml();
    EXPECT_THAT(text, HasSubstr("<pal xmlns=\"urn:ietf:params:xml:ns:pal\">"));
    EXPECT_THAT(text, HasSubstr("<date>2026-11-21T04:00:00Z</date>")) << "2.1: 20 characters";
    EXPECT_THAT(text, Not(HasSubstr("& ")));
    const auto again = Pal::parse_xml(text);
    ASSERT_TRUE(again) << failure(again);
    EXPECT_EQ(*again, sample_list());
}

TEST(Pal, JsonIsReadAsItWasWritten) {
    const auto text = sample_list().to_json();
    EXPECT_THAT(text, HasSubstr("\"size\": 99")) << "2.1: a number";
    EXPECT_THAT(text, HasSubstr("\"serial\": 1461501637330902918203684832716283019655932542975")) << "2.1: a number, whole";
    const auto again = Pal::parse_json(text);
    ASSERT_TRUE(again) << failure(again);
    EXPECT_EQ(*again, sample_list());
}

TEST(Pal, EmptyListsAreLists) {
    EXPECT_TRUE(Pal::parse_xml(Pal{}.to_xml())->entries.empty());
    EXPECT_TRUE(Pal::parse_json(Pal{}.to_json())->entries.empty());
    EXPECT_TRUE(Pal::parse_json(" [ ] ")->entries.empty());
    EXPECT_TRUE(Pal::parse_xml("<pal xmlns='urn:ietf:params:xml:ns:pal'/>")->entries.empty());
}

/// The values of the example in RFC 8295 2.1.3, white space and order of members changed.
TEST(Pal, ExampleOfTheRfcIsRead) {
    const auto pal = Pal::parse_json(R"([
      {"info": {"uri": "https://www.example.com/.well-known/est/eecerts/1234"}, "size": 1234, "date": "2016-12-29T09:28:00Z",
       "type": "0003"},
      {"type": "0006", "date": "2016-12-29T09:28:00Z", "size": 1234,
       "info": {"iasn": {"serial": 0, "issuer": "CN=Sean Turner,O=sn3rd,C=US"}}}])");
    ASSERT_TRUE(pal) << failure(pal);
    ASSERT_EQ(pal->entries.size(), 2u);
    EXPECT_EQ(std::get<PalUri>(pal->entries[0].info).text, "https://www.example.com/.well-known/est/eecerts/1234");
    EXPECT_EQ(to_iso8601(*pal->entries[0].date), "2016-12-29T09:28:00Z");
    EXPECT_EQ(std::get<PalIssuerAndSerial>(pal->entries[1].info), (PalIssuerAndSerial{"CN=Sean Turner,O=sn3rd,C=US", "0"}));
}

TEST(Pal, PrefixesAndOtherNamespacesOfAttributesAreXml) {
    const auto pal = Pal::parse_xml(R"(<?xml version="1.0"?><!-- a comment --><p:pal xmlns:p="urn:ietf:params:xml:ns:pal"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:ietf:params:xml:ns:pal pal.xsd">
        <p:message><p:type> 0002 </p:type><p:size>7</p:size><p:info><p:uri>https&#58;//a/b?c&amp;d</p:uri></p:info></p:message></p:pal>)");
    ASSERT_TRUE(pal) << failure(pal);
    EXPECT_EQ(std::get<PalUri>(pal->entries.at(0).info).text, "https://a/b?c&d");
}

TEST(Pal, WhatStandsBehindTheLastEntryIsIgnored) {  // RFC 8295 2
    auto pal = sample_list();
    pal.entries.push_back({"0002", std::nullopt, 1, PalUri{"https://a/b"}});
    EXPECT_EQ(*Pal::parse_xml(pal.to_xml()), sample_list());
    EXPECT_EQ(*Pal::parse_json(pal.to_json()), sample_list());
}

TEST(Pal, AloneAPointerIsNoList) {  // RFC 8295 2.1.1, 0001
    const Pal pal{{{"0001", std::nullopt, 0, PalUri{"https://a/pal/new-1"}}}};
    EXPECT_FALSE(Pal::parse_xml(pal.to_xml()));
    EXPECT_FALSE(Pal::parse_json(pal.to_json()));
}

/// One entry of each form, with a part changed.
std::string xml(std::string_view inside) {
    return "<pal xmlns=\"urn:ietf:params:xml:ns:pal\"><message>" + std::string{inside} + "</message></pal>";
}
constexpr std::string_view uri_xml = "<info><uri>https://a/b</uri></info>";
std::string with_uri(std::string_view before) { return xml(std::string{before} + std::string{uri_xml}); }

struct BadText {
    std::string name, text;
};
class BadPalXml : public testing::TestWithParam<BadText> {};

TEST_P(BadPalXml, IsRefused) {
    const auto pal = Pal::parse_xml(GetParam().text);
    ASSERT_FALSE(pal);
    EXPECT_TRUE(pal.error().code == Code::malformed || pal.error().code == Code::too_large) << failure(pal);
}
INSTANTIATE_TEST_SUITE_P(Rfc8295, BadPalXml, testing::Values(
    BadText{"nothing", ""},
    BadText{"no_xml", "[]"},
    BadText{"no_namespace", "<pal><message/></pal>"},
    BadText{"wrong_namespace", "<pal xmlns='urn:x'/>"},
    BadText{"wrong_root", "<list xmlns='urn:ietf:params:xml:ns:pal'/>"},
    BadText{"wrong_entry", "<pal xmlns='urn:ietf:params:xml:ns:pal'><entry/></pal>"},
    BadText{"attribute", "<pal xmlns='urn:ietf:params:xml:ns:pal' x='y'/>"},
    BadText{"text_beside", "<pal xmlns='urn:ietf:params:xml:ns:pal'>x</pal>"},
    BadText{"two_roots", "<pal xmlns='urn:ietf:params:xml:ns:pal'/><pal xmlns='urn:ietf:params:xml:ns:pal'/>"},
    BadText{"not_closed", "<pal xmlns='urn:ietf:params:xml:ns:pal'>"},
    BadText{"entity", "<!DOCTYPE pal [<!ENTITY a 'x'>]><pal xmlns='urn:ietf:params:xml:ns:pal'/>"},          // bug class 30
    BadText{"external_entity", "<!DOCTYPE pal SYSTEM 'file:///etc/passwd'><pal xmlns='urn:ietf:params:xml:ns:pal'/>"},  // bug class 29
    BadText{"undefined_entity", with_uri("<type>&x;</type><size>1</size>")},
    BadText{"no_type", with_uri("<size>1</size>")},
    BadText{"no_size", with_uri("<type>0002</type>")},
    BadText{"no_info", xml("<type>0002</type><size>1</size>")},
    BadText{"type_of_three_digits", with_uri("<type>002</type><size>1</size>")},
    BadText{"type_of_letters", with_uri("<type>dddd</type><size>1</size>")},
    BadText{"type_twice", with_uri("<type>0002</type><type>0002</type><size>1</size>")},
    BadText{"unknown_element", with_uri("<type>0002</type><size>1</size><x/>")},
    BadText{"negative_size", with_uri("<type>0002</type><size>-1</size>")},
    BadText{"size_too_large", with_uri("<type>0002</type><size>99999999999999999999</size>")},
    BadText{"size_of_words", with_uri("<type>0002</type><size>many</size>")},
    BadText{"date_without_time", with_uri("<type>0002</type><date>2026-11-21</date><size>1</size>")},
    BadText{"date_with_fraction", with_uri("<type>0002</type><date>2026-11-21T00:00:00.5Z</date><size>1</size>")},
    BadText{"date_with_zone", with_uri("<type>0002</type><date>2026-11-21T00:00:00+01:00</date><size>1</size>")},
    BadText{"leap_second", with_uri("<type>0002</type><date>2016-12-31T23:59:60Z</date><size>1</size>")},
    BadText{"date_before_the_schema", with_uri("<type>0002</type><date>2013-05-22T23:59:59Z</date><size>1</size>")},
    BadText{"empty_info", xml("<type>0002</type><size>1</size><info/>")},
    BadText{"two_infos", xml("<type>0002</type><size>1</size><info><uri>https://a</uri><dn>CN=a</dn></info>")},
    BadText{"unknown_info", xml("<type>0002</type><size>1</size><info><url>https://a</url></info>")},
    BadText{"empty_uri", xml("<type>0002</type><size>1</size><info><uri/></info>")},
    BadText{"uri_with_blank", xml("<type>0002</type><size>1</size><info><uri>https://a b</uri></info>")},
    BadText{"long_uri", xml("<type>0002</type><size>1</size><info><uri>" + std::string(1025, 'a') + "</uri></info>")},
    BadText{"ski_of_half_an_octet", xml("<type>0002</type><size>1</size><info><ski>abc</ski></info>")},
    BadText{"ski_with_colons", xml("<type>0002</type><size>1</size><info><ski>ab:cd</ski></info>")},
    BadText{"iasn_without_serial", xml("<type>0010</type><size>0</size><info><iasn><issuer>CN=a</issuer></iasn></info>")},
    BadText{"iasn_too_deep", xml("<type>0010</type><size>0</size><info><iasn><issuer><a><b/></a></issuer><serial>1</serial></iasn></info>")},
    BadText{"serial_negative", xml("<type>0010</type><size>0</size><info><iasn><issuer>CN=a</issuer><serial>-1</serial></iasn></info>")},
    BadText{"serial_too_long", xml("<type>0010</type><size>0</size><info><iasn><issuer>CN=a</issuer><serial>" + std::string(50, '9') + "</serial></iasn></info>")}),
    [](const auto& test) { return test.param.name; });

std::string json(std::string_view members) { return "[{" + std::string{members} + "}]"; }
constexpr std::string_view rest_json = R"(, "info": {"uri": "https://a/b"})";

class BadPalJson : public testing::TestWithParam<BadText> {};

TEST_P(BadPalJson, IsRefused) {
    const auto pal = Pal::parse_json(GetParam().text);
    ASSERT_FALSE(pal);
    EXPECT_TRUE(pal.error().code == Code::malformed || pal.error().code == Code::too_large) << failure(pal);
}
INSTANTIATE_TEST_SUITE_P(Rfc8295, BadPalJson, testing::Values(
    BadText{"nothing", ""},
    BadText{"blank", "  "},
    BadText{"object", "{}"},
    BadText{"text", "\"x\""},
    BadText{"behind_the_end", "[] []"},
    BadText{"not_closed", "[{"},
    BadText{"entry_is_text", "[\"0002\"]"},
    BadText{"entry_is_list", "[[]]"},
    BadText{"type_is_number", json(std::string{R"("type": 26, "size": 1)"} + std::string{rest_json})},
    BadText{"size_is_text", json(std::string{R"("type": "0002", "size": "1")"} + std::string{rest_json})},
    BadText{"size_with_fraction", json(std::string{R"("type": "0002", "size": 1.5)"} + std::string{rest_json})},
    BadText{"size_with_exponent", json(std::string{R"("type": "0002", "size": 1e3)"} + std::string{rest_json})},
    BadText{"size_negative", json(std::string{R"("type": "0002", "size": -1)"} + std::string{rest_json})},
    BadText{"date_is_null", json(std::string{R"("type": "0002", "date": null, "size": 1)"} + std::string{rest_json})},
    BadText{"truth", json(std::string{R"("type": "0002", "size": 1, "x": true)"} + std::string{rest_json})},
    BadText{"name_twice", json(std::string{R"("type": "0002", "type": "0003", "size": 1)"} + std::string{rest_json})},
    BadText{"unknown_name", json(std::string{R"("type": "0002", "size": 1, "url": "x")"} + std::string{rest_json})},
    BadText{"list_within", json(std::string{R"("type": "0002", "size": 1, "x": [])"} + std::string{rest_json})},
    BadText{"info_is_text", json(R"("type": "0002", "size": 1, "info": "https://a")")},
    BadText{"two_infos", json(R"("type": "0002", "size": 1, "info": {"uri": "https://a", "dn": "CN=a"})")},
    BadText{"serial_is_text", json(R"("type": "0010", "size": 0, "info": {"iasn": {"issuer": "CN=a", "serial": "1"}})")},
    BadText{"serial_with_exponent", json(R"("type": "0010", "size": 0, "info": {"iasn": {"issuer": "CN=a", "serial": 1e20}})")},
    BadText{"comment", "[/* */]"},
    BadText{"bad_utf8", "[{\"type\": \"\xff\"}]"},
    BadText{"control_character", json(R"("type": "0010", "size": 0, "info": {"dn": "a\u0000b"})")},     // bug class 13
    BadText{"too_deep", "[" + std::string(100, '[')}),                                                  // bug class 30
    [](const auto& test) { return test.param.name; });

TEST(Pal, LimitsHold) {  // bug class 30
    const auto entry = with_uri("<type>0002</type><size>1</size>");
    const auto one = entry.substr(entry.find("<message>"), entry.find("</pal>") - entry.find("<message>"));
    std::string many = "<pal xmlns=\"urn:ietf:params:xml:ns:pal\">";
    for (int i = 0; i < 4097; ++i) many += one;
    EXPECT_EQ(Pal::parse_xml(many + "</pal>").error().code, Code::too_large);
    EXPECT_EQ(Pal::parse_xml(std::string((1u << 20) + 1, ' ')).error().code, Code::too_large);
    EXPECT_EQ(Pal::parse_json(std::string((1u << 20) + 1, ' ')).error().code, Code::too_large);
}

TEST(PalTypes, AreThoseOfTheRegistry) {  // RFC 8295 2.1.1, table 1
    const auto types = pal_types();
    ASSERT_EQ(types.size(), 37u);
    for (std::size_t i = 0; i < types.size(); ++i) {
        EXPECT_EQ(types[i].number, fmt::format("{:04}", i + 1));
        EXPECT_EQ(pal_type(types[i].number), &types[i]);
        EXPECT_EQ(pal_type(types[i].name), &types[i]);
    }
    EXPECT_EQ(pal_type("0000"), nullptr) << "reserved";
    EXPECT_EQ(pal_type("0038"), nullptr);
    const auto operation = [](std::string_view number) { return to_string(pal_type(number)->operation); };
    EXPECT_EQ(operation("0004"), "crls");
    EXPECT_EQ(operation("0006"), "csrattrs");
    EXPECT_EQ(operation("0017"), "simplereenroll");
    EXPECT_EQ(operation("0023"), "serverkeygen");
    EXPECT_EQ(operation("0037"), "tamp");
}

TEST(PalTypes, PackagesHaveTheirReceipts) {
    const std::vector<std::pair<std::string_view, std::string_view>> pairs{
        {"0020", "0023"}, {"0021", "0023"}, {"0022", "0023"}, {"0024", "0025"}, {"0026", "0027"}, {"0028", "0029"},
        {"0030", "0031"}, {"0032", "0033"}, {"0034", "0035"}, {"0036", "0037"}};
    for (const auto& [package, receipt] : pairs) {
        const auto* found = receipt_type_for(*pal_type(package));
        ASSERT_NE(found, nullptr) << package;
        EXPECT_EQ(found->number, receipt);
    }
    for (const auto* number : {"0001", "0002", "0003", "0005", "0010", "0025"}) EXPECT_EQ(receipt_type_for(*pal_type(number)), nullptr) << number;
}

}  // namespace
}  // namespace estuary::est
