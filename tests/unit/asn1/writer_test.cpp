#include <random>

#include <gtest/gtest.h>

#include "estuary/asn1/der.h"
#include "estuary/base/encoding.h"

namespace estuary::der {
namespace {

/// What `write` writes, in hexadecimal.
template <class Write>
std::string written(Write&& write) {
    Writer writer;
    write(writer);
    return to_hex(writer.bytes());
}

TEST(Writer, Primitives) {
    EXPECT_EQ(written([](auto& w) { w.boolean(true).boolean(false).null(); }), "0101ff0101000500");
    EXPECT_EQ(written([](auto& w) { w.oid(Oid{"2.5.4.3"}); }), "0603550403");
    EXPECT_EQ(written([](auto& w) { w.octet_string(as_bytes("A")).bit_string(as_bytes("A")); }), "04014103020041");
    EXPECT_EQ(written([](auto& w) { w.utf8_string("a").printable_string("b").ia5_string("c"); }), "0c0161130162160163");
    EXPECT_EQ(written([](auto& w) { w.primitive(context(2), as_bytes("x")); }), "820178");
}

TEST(Writer, IntegersRoundTrip) {
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{127}, std::int64_t{128}, std::int64_t{-128},
          std::int64_t{-129}, std::int64_t{255}, std::int64_t{256}, std::int64_t{65537}, INT64_MAX, INT64_MIN}) {
        Writer writer;
        writer.integer(value);
        EXPECT_EQ(Reader{writer.bytes()}.integer().value(), value);
    }
    EXPECT_EQ(written([](auto& w) { w.integer(128).integer(-129); }), "020200800202ff7f");
}

TEST(Writer, UnsignedIntegersArePositiveAndMinimal) {  // serial numbers and moduli
    const auto of = [](std::string_view octets) {
        return written([&](auto& w) { w.unsigned_integer(from_hex(octets).value()); });
    };
    EXPECT_EQ(of(""), "020100");
    EXPECT_EQ(of("000000"), "020100");
    EXPECT_EQ(of("7f"), "02017f");
    EXPECT_EQ(of("80"), "02020080");
    EXPECT_EQ(of("000080"), "02020080");
    EXPECT_EQ(of("00ff00"), "020300ff00");
}

TEST(Writer, LengthsOfConstructedElements) {
    for (const std::size_t size : {0, 1, 125, 126, 127, 128, 129, 253, 254, 255, 256, 300, 65533, 65536, 70'000}) {
        Writer writer;
        writer.integer(1).sequence([&] { writer.sequence([&] { writer.octet_string(ByteVec(size, 3)); }); }).integer(2);
        Reader reader{writer.bytes()};
        EXPECT_EQ(reader.integer().value(), 1);
        auto outer = reader.enter(Tag::sequence).value();
        auto inner = outer.enter(Tag::sequence).value();
        EXPECT_EQ(inner.octet_string().value().size(), size);
        EXPECT_TRUE(inner.empty() && outer.empty());
        EXPECT_EQ(reader.integer().value(), 2);
        EXPECT_TRUE(reader.empty());
    }
}

TEST(Writer, NamedBitsRoundTrip) {
    EXPECT_EQ(written([](auto& w) { w.named_bits(0); }), "030100");
    EXPECT_EQ(written([](auto& w) { w.named_bits(1u << 5 | 1u << 6); }), "03020106") << "keyCertSign and cRLSign";
    EXPECT_EQ(written([](auto& w) { w.named_bits(1u << 8); }), "0303070080") << "decipherOnly";
    std::mt19937 random{7};
    for (int i = 0; i < 2000; ++i) {
        const std::uint32_t bits = static_cast<std::uint32_t>(random()) >> (random() % 32);
        Writer writer;
        writer.named_bits(bits);
        ASSERT_EQ(Reader{writer.bytes()}.named_bits().value(), bits);
    }
}

TEST(Writer, TimesTurnIn2050) {  // bug class 21; RFC 5280 4.1.2.5
    const auto of = [](const char* iso) { return written([&](auto& w) { w.time(parse_iso8601(iso).value()); }); };
    EXPECT_EQ(of("2049-12-31T23:59:59Z"), "170d" + to_hex(as_bytes("491231235959Z")));
    EXPECT_EQ(of("2050-01-01T00:00:00Z"), "180f" + to_hex(as_bytes("20500101000000Z")));
    EXPECT_EQ(of("9999-12-31T23:59:59Z"), "180f" + to_hex(as_bytes("99991231235959Z")));
    EXPECT_EQ(of("2026-11-21T03:38:09Z"), "170d" + to_hex(as_bytes("261121033809Z")));
    for (const auto* iso : {"1949-12-31T23:59:59Z", "1950-01-01", "1999-12-31T23:59:59Z", "2000-01-01", "2024-02-29",
                            "2049-12-31", "2050-01-01", "2100-03-01"}) {
        Writer writer;
        writer.time(parse_iso8601(iso).value());
        EXPECT_EQ(Reader{writer.bytes()}.time().value(), parse_iso8601(iso).value()) << iso;
    }
}

TEST(Writer, GoesOnInABuffer) {
    Writer writer{ByteVec{0xAA}};
    writer.null().raw(ByteVec{0x05, 0x00});
    EXPECT_EQ(writer.size(), 5u);
    EXPECT_EQ(to_hex(std::move(writer).take()), "aa05000500");
}

}  // namespace
}  // namespace estuary::der
