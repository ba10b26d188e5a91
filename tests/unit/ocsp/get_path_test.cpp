// Requests in the path of a GET, as clients and proxies spell them.
#include "estuary/ocsp/server.h"
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using testing::HasSubstr;

/// One element of 100 octets that all become slashes in base64.
ByteVec slashes() {
    ByteVec der{0x30, 98};
    der.resize(100, 0xFF);
    return der;
}

TEST(OcspGetPath, EncodedAndDecodedBack) {
    for (const auto& der : {slashes(), test::World{}.request(), test::World{}.request(ByteVec(32, 0xFB))}) {
        const auto path = encode_get_path(der);
        EXPECT_EQ(path.find_first_of("/+="), std::string::npos);
        const auto text = decode_get_path(path);
        ASSERT_TRUE(text) << failure(text);
        EXPECT_EQ(readings_of(*text).value(), std::vector<ByteVec>(1, der));
        EXPECT_EQ(decode_get_path("//" + path).value(), *text);
    }
}

TEST(OcspGetPath, UnescapedBase64IsUnderstood) {
    const auto der = slashes();
    auto text = to_base64(der);
    EXPECT_EQ(readings_of(decode_get_path(text).value()).value(), std::vector<ByteVec>(1, der));
    text.insert(40, "%0D%0A");
    EXPECT_EQ(readings_of(decode_get_path(text).value()).value(), std::vector<ByteVec>(1, der));
}

TEST(OcspGetPath, PaddingMayBeMissing) {
    const auto der = test::hex(
        "300204"
        "00");
    EXPECT_EQ(readings_of("MAIEAA").value(), std::vector<ByteVec>(1, der));
    EXPECT_EQ(readings_of("MAIEAA==").value(), std::vector<ByteVec>(1, der));
}

TEST(OcspGetPath, PlusMayHaveBecomeABlank) {
    const ByteVec der{0x30, 1, 0xFB};
    EXPECT_FALSE(readings_of("MAH7").value().empty());
    EXPECT_EQ(decode_get_path("MA%20a").value(), "MA+a");
}

TEST(OcspGetPath, CollapsedSlashesAreReadInEveryWayThatFits) {
    ByteVec der{0x30, 10, 4, 8, 1, 2, 3, 0xFF, 0xFF, 0xFF, 4, 5};
    auto text = to_base64(der);
    const auto at = text.find("//");
    ASSERT_NE(at, std::string::npos);
    while (text.find("//") != std::string::npos && text.size() % 4 == 0) text.erase(at, 1);
    const auto readings = readings_of(text);
    ASSERT_TRUE(readings) << failure(readings);
    EXPECT_THAT(*readings, testing::Contains(der));
}

TEST(OcspGetPath, BadEncodingsAreMalformed) {
    for (const auto* path : {"%", "%4", "%zz", "MA%2"}) EXPECT_THAT(failure(decode_get_path(path)), HasSubstr("malformed"));
    for (const auto* text : {"", "M", "????", "MAIE", "MAIEAAAA", "a/b/c/d/e/f", "////"})
        EXPECT_THAT(failure(readings_of(text)), HasSubstr("malformed")) << text;
}

}  // namespace
}  // namespace estuary::ocsp
