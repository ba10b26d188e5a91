#include "estuary/base/encoding.h"

#include <random>

#include <gtest/gtest.h>

namespace estuary {
namespace {

/// Octets that are the same in every run.
ByteVec octets(std::size_t count) {
    std::mt19937 generator{static_cast<std::uint32_t>(count)};
    ByteVec made(count);
    for (auto& octet : made) octet = static_cast<std::uint8_t>(generator());
    return made;
}

TEST(Hex, RoundTripsAndColons) {
    EXPECT_EQ(to_hex(ByteVec{0x00, 0x1f, 0xab, 0xff}), "001fabff");
    EXPECT_EQ(to_hex({}), "");
    EXPECT_EQ(from_hex("001fABff").value(), (ByteVec{0x00, 0x1f, 0xab, 0xff}));
    EXPECT_EQ(from_hex("00:1F:ab:FF").value(), (ByteVec{0x00, 0x1f, 0xab, 0xff}));
    EXPECT_TRUE(from_hex("").value().empty());
    for (const auto* text : {"0", "0g", "001", ":00", "0:0", "00 11", "0x00", "00:1"})
        EXPECT_FALSE(from_hex(text)) << text;
}

TEST(Base64, OfRfc4648) {  // section 10
    const std::pair<const char*, const char*> known[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : known) {
        EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
        EXPECT_EQ(from_base64(encoded).value(), to_vec(as_bytes(plain)));
    }
}

TEST(Base64, RoundTripsAtEveryLength) {
    for (std::size_t size = 0; size < 200; ++size) {
        const auto data = octets(size);
        EXPECT_EQ(from_base64(to_base64(data)).value(), data) << size;
        EXPECT_EQ(from_base64(to_base64_lines(data)).value(), data) << size;
    }
}

TEST(Base64, LinesHave64CharactersAndEachEnds) {
    for (const std::size_t size : {0, 1, 47, 48, 49, 95, 96, 97, 1000}) {
        const auto text = to_base64_lines(octets(size));
        std::size_t start = 0, lines = 0;
        for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
            const auto length = end - start;
            const bool last = end + 1 == text.size();
            EXPECT_TRUE(length == 64 || (last && length > 0 && length < 64)) << size;
            start = end + 1;
            ++lines;
        }
        EXPECT_EQ(start, text.size()) << "the last line ends too";
        EXPECT_EQ(lines, (size + 47) / 48);
    }
}

TEST(Base64, ReadsWhatClientsSend) {  // RFC 8951 3.1
    for (const auto* text :
         {"Zm9vYmFy", "Zm9v\r\nYmFy\r\n", "Zm9v\nYmFy\n", " Zm9v YmFy ", "Z\nm9vYmFy", "\tZm9vYmFy\r\n\r\n"})
        EXPECT_EQ(to_string(from_base64(text).value()), "foobar") << text;
    EXPECT_EQ(to_string(from_base64("Zg=\n=").value()), "f");
}

TEST(Base64, RefusesWhatHasTwoReadings) {
    for (const auto* text : {"Z", "Zg", "Zg=", "Zm8", "Zm9v=", "Zm9v==", "====", "=", "Zg===", "Zg==Zg==", "Zh==",
                             "Zm9=", "Zm9v-mFy", "Zm9v_mFy", "Zm9v.", "Zm9vYm\x80y", "Zm9v*", "Z=g=", "=Zg="})
        EXPECT_FALSE(from_base64(text)) << text;
    EXPECT_FALSE(from_base64(std::string_view{"Zm9v\0", 5}));
    EXPECT_NE(from_base64("Zm9v!").error().detail.find("character 5"), std::string::npos);
}

TEST(Base64, UrlSafe) {
    EXPECT_EQ(to_base64url(ByteVec{0xfb, 0xff, 0xfe}), "-__-");
    EXPECT_EQ(to_base64url(as_bytes("f")), "Zg");
    EXPECT_EQ(to_base64url(as_bytes("fo")), "Zm8");
    EXPECT_EQ(to_base64url({}), "");
}

TEST(Pem, RoundTrips) {
    for (const std::size_t size : {1, 47, 48, 49, 1000}) {
        const auto der = octets(size);
        const auto blocks = parse_pem(to_pem("CERTIFICATE REQUEST", der)).value();
        ASSERT_EQ(blocks.size(), 1u);
        EXPECT_EQ(blocks[0].label, "CERTIFICATE REQUEST");
        EXPECT_EQ(blocks[0].der, der);
    }
    EXPECT_EQ(to_pem("X", as_bytes("foo")), "-----BEGIN X-----\nZm9v\n-----END X-----\n");
}

TEST(Pem, SeveralBlocksAmongOtherText) {
    const auto text =
        "subject=CN = a\r\n" + to_pem("A", as_bytes("one")) + "\n\n# comment\n" + to_pem("B", as_bytes("two")) + "tail";
    const auto blocks = parse_pem(text).value();
    ASSERT_EQ(blocks.size(), 2u);
    EXPECT_EQ(blocks[0].label, "A");
    EXPECT_EQ(to_string(blocks[1].der), "two");
    EXPECT_TRUE(parse_pem("").value().empty());
    EXPECT_TRUE(parse_pem("no block here").value().empty());
}

TEST(Pem, LineEndsAndBlanksOfAllSystems) {
    EXPECT_EQ(to_string(parse_pem("-----BEGIN A-----\r\nZm9v\r\nYmFy\r\n-----END A-----\r\n").value().at(0).der),
              "foobar");
    EXPECT_EQ(to_string(parse_pem("-----BEGIN A-----  \nZm9v \t\nYmFy\n-----END A-----").value().at(0).der), "foobar");
}

TEST(Pem, RefusesWhatIsBroken) {
    for (const auto* text :
         {"-----BEGIN A-----\nZm9v\n", "-----BEGIN A-----", "-----BEGIN A-----\nZm9v\n-----END B-----\n",
          "-----BEGIN A-----\nZm9\n-----END A-----\n",
          "-----BEGIN A-----\nZm9v\n-----BEGIN A-----\nZm9v\n-----END A-----\n",
          "-----BEGIN A-----\nZm9v\n-----END A----\n",
          "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nZm9v\n-----END A-----\n"}) {
        const auto blocks = parse_pem(text);
        ASSERT_FALSE(blocks) << text;
        EXPECT_EQ(blocks.error().code, Code::malformed);
    }
}

TEST(Pem, CountIsLimited) {  // bug class 30
    std::string text;
    for (int i = 0; i < 5; ++i) text += to_pem("A", as_bytes("foo"));
    EXPECT_EQ(parse_pem(text, 5).value().size(), 5u);
    EXPECT_EQ(parse_pem(text, 4).error().code, Code::too_large);
}

}  // namespace
}  // namespace estuary
