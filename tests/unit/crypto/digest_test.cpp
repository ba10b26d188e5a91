#include "estuary/crypto/digest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "estuary/crypto/secret.h"
#include "tests/unit/crypto/support.h"

namespace estuary::crypto {
namespace {

using test::code_of;
using test::hex;

TEST(Digest, KnownAnswersOfFips180) {
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha1_for_identifiers(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Digest, ByName) {
    EXPECT_EQ(to_hex(digest("SHA384", as_bytes("abc")).value()),
              "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    EXPECT_EQ(to_hex(digest("SHA256", as_bytes("abc")).value()), to_hex(sha256(as_bytes("abc"))));
    EXPECT_EQ(to_hex(digest("SHA512-256", as_bytes("abc")).value()),  // not among the usual ones; FIPS 180-4 example
              "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
    EXPECT_EQ(code_of(digest("SHA-NONE", as_bytes("abc"))), Code::unsupported);
    EXPECT_EQ(code_of(digest("", {})), Code::unsupported);
}

TEST(Digest, HmacOfRfc4231) {
    EXPECT_EQ(to_hex(hmac_sha256(ByteVec(20, 0x0b), as_bytes("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(
        to_hex(hmac_sha256(ByteVec(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, AnEmptyHmacKeyIsNotTheKeyOfTheLastUse) {
    (void)hmac_sha256(as_bytes("Jefe"), {});
    EXPECT_EQ(to_hex(hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, ConstantTimeComparison) {
    EXPECT_TRUE(equal_in_constant_time({}, {}));
    EXPECT_TRUE(equal_in_constant_time(as_bytes("secret"), as_bytes("secret")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("secret"), as_bytes("secreT")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("secret"), as_bytes("secret!")));
    EXPECT_FALSE(equal_in_constant_time({}, as_bytes("x")));
}

TEST(Digest, RandomFillsAll) {
    std::array<std::uint8_t, 64> a{}, b{};
    random(a);
    SystemEntropy entropy;
    entropy.fill(b);
    EXPECT_NE(a, b);
    EXPECT_NE(to_hex(Bytes{a}.last(16)), std::string(32, '0'));
    EXPECT_NO_THROW(random({}));
}

TEST(SecretTest, MovesAndLeavesNothing) {
    Secret a{std::string_view{"canary"}};
    Secret b{std::move(a)};
    EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): what is left behind is the point
    EXPECT_EQ(b.reveal_text(), "canary");
    Secret c{std::string_view{"older"}};
    c = std::move(b);
    EXPECT_TRUE(b.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(c.reveal_text(), "canary");
    const Secret d = c.clone();
    EXPECT_EQ(d.reveal_text(), c.reveal_text());
    EXPECT_NE(d.reveal().data(), c.reveal().data());
    static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
    static_assert(!fmt::is_formattable<Secret>::value, "a secret must not get into a log (bug class 12)");
}

TEST(SecretTest, WipeZeroes) {
    std::array<std::uint8_t, 5> octets{1, 2, 3, 4, 5};
    wipe(octets);
    EXPECT_EQ(octets, (std::array<std::uint8_t, 5>{}));
    wipe({});
}

}  // namespace
}  // namespace estuary::crypto
