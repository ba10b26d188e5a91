#include "estuary/asn1/oid.h"

#include <gtest/gtest.h>

#include "estuary/base/encoding.h"

namespace estuary::der {
namespace {

TEST(OidTest, KnownEncodings) {
    const std::pair<const char*, const char*> known[] = {
        {"1.2.840.113549.1.1.11", "2a864886f70d01010b"},
        {"2.5.29.17", "551d11"},
        {"1.3.6.1.5.5.7.3.28", "2b0601050507031c"},
        {"2.16.840.1.101.3.4.3.18", "608648016503040312"},
        {"0.9.2342.19200300.100.1.25", "0992268993f22c640119"},
        {"2.999.3", "883703"},  // X.690 8.19.5: the second arc of joint-iso-itu-t has no bound
        {"0.0", "00"},
        {"1.39", "4f"},
        {"2.40", "78"},
    };
    for (const auto& [dotted, content] : known) {
        EXPECT_EQ(to_hex(Oid{dotted}.content()), content) << dotted;
        EXPECT_EQ(Oid::from_content(from_hex(content).value()).value().dotted(), dotted);
        EXPECT_EQ(Oid::parse(dotted).value(), Oid{dotted});
    }
}

TEST(OidTest, TextThatIsNone) {
    for (const auto* text : {"", ".", "1", "1.", ".1", "1..2", "3.1", "1.40", "0.40", "1.2.x", "1.2.-3", "1.2.3 ",
                             " 1.2", "1,2", "1.2.99999999999999999999", "a"})
        EXPECT_FALSE(Oid::parse(text)) << text;
    std::string endless = "1.2";
    for (int i = 0; i < 100; ++i) endless += ".999999";
    EXPECT_FALSE(Oid::parse(endless));
}

TEST(OidTest, ContentThatIsNone) {  // bug class 15
    for (const auto* content : {"", "80", "8001", "2a80", "2a8001", "2aff", "2a86", "2a86488001"})
        EXPECT_FALSE(Oid::from_content(from_hex(content).value())) << content;
    EXPECT_FALSE(Oid::from_content(ByteVec(39, 0x2a)));
    EXPECT_TRUE(Oid::from_content(ByteVec(38, 0x2a)));
    EXPECT_FALSE(Oid::from_content(from_hex("2a83ffffffffffffffffff7f").value())) << "an arc past 63 bits";
    EXPECT_EQ(Oid::from_content(from_hex("2affffffffffffffff7f").value()).value().dotted(), "1.2.9223372036854775807");
}

TEST(OidTest, Order) {
    EXPECT_EQ(Oid{"1.2.3"}, Oid{"1.2.3"});
    EXPECT_NE(Oid{"1.2.3"}, Oid{"1.2.4"});
    EXPECT_NE(Oid{"1.2.3"}, Oid{"1.2.3.0"});
    EXPECT_LT(Oid{"1.2.3"}, Oid{"1.2.4"});
    EXPECT_TRUE(Oid{}.empty());
    static_assert(Oid{"2.5.4.3"}.content().size() == 3, "made at compile time");
}

}  // namespace
}  // namespace estuary::der
