// bug class 32: keys that are valid and must not be certified.
#include <gtest/gtest.h>

#include "tests/unit/crypto/moduli.h"
#include "tests/unit/crypto/support.h"

namespace estuary::crypto {
namespace {

using test::code_of;
using test::hex;
using test::make_rsa_spki;
using test::make_spki;

const ByteVec f4{1, 0, 1};

Result<void> check_rsa(Bytes modulus, Bytes exponent = f4) {
    auto key = PublicKey::from_spki(make_rsa_spki(modulus, exponent));
    if (!key) return fail(key.error());
    return check_key_strength(*key);
}

void expect_weak(const Result<void>& result, std::string_view because) {
    EXPECT_EQ(code_of(result), Code::bad_key);
    EXPECT_NE(result.error().detail.find(because), std::string::npos) << result.error().detail;
}

TEST(RsaStrength, SoundKeysPass) {
    EXPECT_TRUE(check_rsa(hex(test::sound_modulus)));
    EXPECT_TRUE(check_key_strength(*PublicKey::from_spki(test::read_request("csr-rsa-sha256.pem").spki)));
}

TEST(RsaStrength, SizesAndExponents) {
    const auto modulus = hex(test::sound_modulus);
    expect_weak(check_key_strength(*PublicKey::from_spki(test::read_request("csr-rsa1024.pem").spki)), "1024 bits");
    expect_weak(check_rsa(hex(test::odd_size_modulus)), "multiple of 8");
    expect_weak(check_rsa(modulus, ByteVec{3}), "smaller than 65537");
    expect_weak(check_rsa(modulus, ByteVec{0xFF, 0xFF}), "smaller than 65537");
    expect_weak(check_rsa(modulus, ByteVec{1, 0, 0}), "even");
    EXPECT_TRUE(check_rsa(modulus, ByteVec{1, 0, 3})) << "65539 is odd and large enough";
    EXPECT_TRUE(check_rsa(modulus, ByteVec(32, 0xFF)));
    expect_weak(check_rsa(modulus, ByteVec(33, 0xFF)), "exponent");
}

TEST(RsaStrength, SmallFactors) { expect_weak(check_rsa(hex(test::divisible_modulus)), "divisible by 751"); }

TEST(RsaStrength, RocaFingerprint) { expect_weak(check_rsa(hex(test::roca_modulus)), "ROCA"); }

TEST(RsaStrength, ClosePrimes) {
    expect_weak(check_rsa(hex(test::twin_modulus)), "Fermat");
    expect_weak(check_rsa(hex(test::square_modulus)), "Fermat");
    expect_weak(check_rsa(hex(test::near_modulus)), "Fermat");
}

TEST(EcStrength, UsualCurvesPass) {
    for (const auto* file : {"csr-p256.pem", "csr-p384.pem", "csr-p521.pem", "csr-brainpool.pem"})
        EXPECT_TRUE(check_key_strength(*PublicKey::from_spki(test::read_request(file).spki))) << file;
}

TEST(EdwardsStrength, SmallOrderPoints) {
    const std::string_view ed25519[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (const auto octets : ed25519)
        expect_weak(check_key_strength(*PublicKey::from_spki(make_spki("1.3.101.112", {}, hex(octets)))),
                    "small order");
    const auto one = std::string{"01"} + std::string(112, '0'),
               minus_one = "fe" + std::string(54, 'f') + "fe" + std::string(54, 'f') + "00";
    for (const auto& octets : {std::string(114, '0'), one, minus_one})
        expect_weak(check_key_strength(*PublicKey::from_spki(make_spki("1.3.101.113", {}, hex(octets)))),
                    "small order");
    for (const auto* file : {"csr-ed25519.pem", "csr-ed448.pem"})
        EXPECT_TRUE(check_key_strength(*PublicKey::from_spki(test::read_request(file).spki))) << file;
}

TEST(Blocked, ListIsRead) {
    const auto spki = test::read_request("csr-p256.pem").spki;
    const auto line = to_hex(sha256(spki));
    const auto other = test::read_request("csr-p384.pem").spki;
    for (const auto& text :
         {line, line + "\n", "# known keys\r\n\r\n  " + line + "  # leaked\r\n", line + "\n" + line + "\n"}) {
        const auto list = BlockedKeys::parse(text);
        ASSERT_TRUE(list) << text;
        EXPECT_EQ(list->size(), 1u);
        EXPECT_TRUE(list->contains(spki));
        EXPECT_FALSE(list->contains(other));
    }
    EXPECT_EQ(BlockedKeys::parse("")->size(), 0u);
}

TEST(Blocked, FaultsNameTheLine) {
    for (const auto* text : {"#\n12ab\n", "\nnot hexadecimal\n",
                             "\n00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00\n"}) {
        const auto list = BlockedKeys::parse(text);
        EXPECT_EQ(code_of(list), Code::malformed);
        EXPECT_NE(list.error().detail.find("line 2"), std::string::npos) << list.error().detail;
    }
}

TEST(Blocked, KeysAreAdded) {
    BlockedKeys list;
    for (int i = 0; i < 50; ++i) list.add(ByteVec(1, static_cast<std::uint8_t>(i * 37)));
    list.add(ByteVec(1, 37));
    EXPECT_EQ(list.size(), 50u);
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(list.contains(ByteVec(1, static_cast<std::uint8_t>(i * 37))));
    EXPECT_FALSE(list.contains(ByteVec(1, 1)));
}

}  // namespace
}  // namespace estuary::crypto
