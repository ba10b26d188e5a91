#include <random>

#include <gtest/gtest.h>

#include "estuary/asn1/der.h"
#include "estuary/base/encoding.h"

namespace estuary::der {
namespace {

ByteVec hex(std::string_view text) { return from_hex(text).value(); }

/// Applies a member of Reader to octets in hexadecimal; the reader must be at its end after a success.
template <class T>
Result<T> read(Result<T> (Reader::*member)(), std::string_view text) {
    const auto octets = hex(text);
    Reader reader{octets};
    auto result = (reader.*member)();
    EXPECT_TRUE(!result || reader.empty()) << text;
    return result;
}

TEST(Reader, HeadersAreShortest) {  // X.690 10.1; bug class 15
    for (const auto* good : {"0400", "040141"}) {
        const auto octets = hex(good);
        EXPECT_TRUE(Reader{octets}.any()) << good;
    }
    for (const auto* bad :
         {"", "04", "0401", "048100", "04810141", "0480", "04800000", "30800000", "0485010000000041", "04820001",
          "0482007f", "04ff", "0484ffffffff", "0484ffffffff41", "048400000001", "0000", "1f0100", "3f8101", "df1f00"}) {
        const auto octets = hex(bad);
        const auto read = Reader{octets}.any();
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error().code, Code::malformed);
    }
}

TEST(Reader, LongLengths) {
    for (const std::size_t size : {127, 128, 255, 256, 65535, 65536}) {
        Writer writer;
        writer.octet_string(ByteVec(size, 7));
        Reader reader{writer.bytes()};
        EXPECT_EQ(reader.octet_string().value().size(), size);
        EXPECT_TRUE(reader.empty());
    }
}

TEST(Reader, FormOfUniversalTypes) {  // BER lets strings be constructed, DER does not
    for (const auto* bad : {"2403040141", "2300", "2c00", "1000", "1100", "2100", "2600"}) {
        const auto octets = hex(bad);
        EXPECT_FALSE(Reader{octets}.any()) << bad;
        EXPECT_FALSE(check_der(octets, "test")) << bad;
    }
    for (const auto* good : {"3000", "3100", "2800", "0500", "a000", "8000", "6000"}) {
        const auto octets = hex(good);
        EXPECT_TRUE(Reader{octets}.any()) << good;
    }
}

TEST(Reader, Booleans) {
    EXPECT_TRUE(read(&Reader::boolean, "0101ff").value());
    EXPECT_FALSE(read(&Reader::boolean, "010100").value());
    for (const auto* bad : {"010101", "0100", "0102ffff", "0201ff"}) EXPECT_FALSE(read(&Reader::boolean, bad)) << bad;
    EXPECT_TRUE(read(&Reader::boolean_default_false, "0101ff").value());
    EXPECT_FALSE(read(&Reader::boolean_default_false, "010100")) << "an encoded default";
    Reader none{Bytes{}};
    EXPECT_FALSE(none.boolean_default_false().value());
}

TEST(Reader, Integers) {
    const std::pair<const char*, std::int64_t> known[] = {{"020100", 0},
                                                          {"02017f", 127},
                                                          {"02020080", 128},
                                                          {"0201ff", -1},
                                                          {"020180", -128},
                                                          {"0202ff7f", -129},
                                                          {"02087fffffffffffffff", INT64_MAX},
                                                          {"02088000000000000000", INT64_MIN}};
    for (const auto& [text, value] : known) EXPECT_EQ(read(&Reader::integer, text).value(), value) << text;
    for (const auto* bad :
         {"0200", "02020001", "0202ff80", "0209008000000000000000", "0209ff7fffffffffffffff", "0a0100"})
        EXPECT_FALSE(read(&Reader::integer, bad)) << bad;
    const auto large = hex("0209008000000000000000");
    EXPECT_EQ(to_hex(Reader{large}.integer_octets().value()), "008000000000000000");
    EXPECT_FALSE(read(&Reader::integer_octets, "0200"));
    EXPECT_FALSE(read(&Reader::integer_octets, "02020001"));
}

TEST(Reader, BitStrings) {
    const auto octets = hex("03020041");
    EXPECT_EQ(to_hex(Reader{octets}.bit_string_octets().value()), "41");
    EXPECT_TRUE(read(&Reader::bit_string_octets, "030100").value().empty());
    for (const auto* bad : {"0300", "03020141", "030108"}) EXPECT_FALSE(read(&Reader::bit_string_octets, bad)) << bad;
}

TEST(Reader, NamedBits) {  // X.690 11.2.2
    EXPECT_EQ(read(&Reader::named_bits, "03020780").value(), 1u);
    EXPECT_EQ(read(&Reader::named_bits, "03020106").value(), 1u << 5 | 1u << 6);
    EXPECT_EQ(read(&Reader::named_bits, "0303070080").value(), 1u << 8);
    EXPECT_EQ(read(&Reader::named_bits, "030100").value(), 0u);
    EXPECT_EQ(read(&Reader::named_bits, "030500ffffffff").value(), ~0u);
    for (const auto* bad : {"0300", "030101", "03020080" /* trailing zeros */, "03020781", "03020600", "03020888",
                            "030600ffffffffff", "0303000100" /* a last octet of zeros */, "03020700"})
        EXPECT_FALSE(read(&Reader::named_bits, bad)) << bad;
}

std::string time_element(std::string_view tag, std::string_view text) {
    return std::string{tag} + to_hex(ByteVec{static_cast<std::uint8_t>(text.size())}) + to_hex(as_bytes(text));
}

TEST(Reader, Times) {  // bug class 21; RFC 5280 4.1.2.5
    const std::pair<const char*, const char*> utc[] = {{"700101000000Z", "1970-01-01T00:00:00Z"},
                                                       {"491231235959Z", "2049-12-31T23:59:59Z"},
                                                       {"500101000000Z", "1950-01-01T00:00:00Z"},
                                                       {"240229120000Z", "2024-02-29T12:00:00Z"}};
    for (const auto& [text, iso] : utc)
        EXPECT_EQ(to_iso8601(read(&Reader::utc_time, time_element("17", text)).value()), iso);
    EXPECT_EQ(to_iso8601(read(&Reader::generalized_time, time_element("18", "20500101000000Z")).value()),
              "2050-01-01T00:00:00Z");
    EXPECT_EQ(to_iso8601(read(&Reader::time, time_element("18", "99991231235959Z")).value()), "9999-12-31T23:59:59Z");
    EXPECT_EQ(to_iso8601(read(&Reader::time, time_element("17", "991231235959Z")).value()), "1999-12-31T23:59:59Z");
    for (const auto* bad : {"", "2402291200Z", "240229120000", "240229120000+0000", "230229120000Z", "241301000000Z",
                            "240100000000Z", "240101240000Z", "240101006000Z", "240101000060Z", "24010100000aZ",
                            "240101000000z", "-40101000000Z", "2401010000 0Z"})
        EXPECT_FALSE(read(&Reader::utc_time, time_element("17", bad))) << bad;
    for (const auto* bad : {"20240101000000.5Z", "20240101000000", "202401010000Z", "240101000000Z", "2024010100000-Z"})
        EXPECT_FALSE(read(&Reader::generalized_time, time_element("18", bad))) << bad;
    EXPECT_FALSE(read(&Reader::time, "0400"));
    EXPECT_FALSE(read(&Reader::time, ""));
}

TEST(Reader, Nulls) {
    EXPECT_TRUE(read(&Reader::null, "0500"));
    EXPECT_FALSE(read(&Reader::null, "050100"));
}

TEST(Reader, ErrorsSayWhatWasExpected) {
    const auto octets = hex("0400");
    const auto wrong = Reader{octets}.integer();
    EXPECT_EQ(wrong.error().detail, "DER: expected INTEGER, found OCTET STRING");
    EXPECT_EQ(Reader{Bytes{}}.oid().error().detail, "DER: expected OBJECT IDENTIFIER, found the end");
}

TEST(Reader, OptionalsAndLeftovers) {
    const auto octets = hex("020101a0030201023000");
    Reader reader{octets};
    EXPECT_FALSE(reader.enter_if(Tag::sequence).value().has_value());
    EXPECT_FALSE(reader.element_if(context(0)).value().has_value());
    EXPECT_TRUE(reader.element_if(Tag::integer).value().has_value());
    auto inner = reader.enter_if(context_constructed(0)).value();
    ASSERT_TRUE(inner.has_value());
    EXPECT_EQ(inner->integer().value(), 2);
    EXPECT_FALSE(reader.finish("test"));
    EXPECT_TRUE(reader.next_is(Tag::sequence));
    EXPECT_TRUE(reader.skip());
    EXPECT_TRUE(reader.finish("test"));
    EXPECT_EQ(reader.peek(), std::nullopt);
    EXPECT_FALSE(reader.skip());
    const auto cut = hex("a003");
    EXPECT_FALSE(Reader{cut}.enter_if(context_constructed(0))) << "present, but cut short: an error, not absence";
}

TEST(Reader, EnterOnlyTakesOneElement) {
    EXPECT_TRUE(enter_only(hex("3000"), Tag::sequence, "test"));
    EXPECT_FALSE(enter_only(hex("300000"), Tag::sequence, "test"));
    EXPECT_FALSE(enter_only(hex("3100"), Tag::sequence, "test"));
    EXPECT_NE(enter_only(hex("3100"), Tag::sequence, "CertId").error().detail.find("CertId"), std::string::npos);
}

ByteVec nested(std::size_t depth) {
    ByteVec octets;
    for (std::size_t i = 0; i < depth; ++i) {
        Writer writer;
        writer.sequence([&] { writer.raw(octets); });
        octets = std::move(writer).take();
    }
    return octets;
}

TEST(Reader, DepthIsLimited) {  // bug class 15, 30
    EXPECT_TRUE(check_der(nested(24), "test"));
    const auto too_deep = check_der(nested(25), "test");
    ASSERT_FALSE(too_deep);
    EXPECT_EQ(too_deep.error().code, Code::too_large);
    EXPECT_EQ(check_der(nested(2000), "test").error().code, Code::too_large);
    EXPECT_TRUE(check_der(nested(3), "test", {.depth_max = 3}));
    EXPECT_FALSE(check_der(nested(4), "test", {.depth_max = 3}));
}

TEST(Reader, SizeIsLimited) {
    Writer writer;
    writer.octet_string(ByteVec(100, 0));
    EXPECT_EQ(check_der(writer.bytes(), "test", {.bytes_max = 101}).error().code, Code::too_large);
    EXPECT_TRUE(check_der(writer.bytes(), "test", {.bytes_max = 102}));
    Reader reader{writer.bytes(), {.bytes_max = 10}};
    EXPECT_EQ(reader.any().error().code, Code::too_large);
}

TEST(Reader, CheckGoesToTheBottom) {
    EXPECT_TRUE(check_der(hex("3005a003020101"), "test"));
    EXPECT_FALSE(check_der(hex("3005a003020201"), "test")) << "cut short two levels down";
    EXPECT_FALSE(check_der(hex("3004a0028001"), "test"));
    EXPECT_FALSE(check_der(hex("300000"), "test"));
    EXPECT_FALSE(check_der({}, "test"));
}

TEST(Reader, RandomOctetsNeverEscapeTheirBounds) {  // views always lie within the input
    std::mt19937 random{20261121};
    for (int round = 0; round < 20'000; ++round) {
        ByteVec octets(random() % 40);
        for (auto& octet : octets) octet = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : random() % 6);
        if (!octets.empty()) octets[0] = 0x30;
        Reader reader{octets};
        while (!reader.empty()) {
            const auto found = reader.any();
            if (!found) break;
            ASSERT_GE(found->whole.data(), octets.data());
            ASSERT_LE(found->whole.data() + found->whole.size(), octets.data() + octets.size());
            ASSERT_EQ(found->content.data() + found->content.size(), found->whole.data() + found->whole.size());
        }
        (void)check_der(octets, "test");
    }
}

}  // namespace
}  // namespace estuary::der
