// SubjectPublicKeyInfo: what is read, and everything that must be refused.
#include <gtest/gtest.h>

#include "tests/unit/crypto/support.h"

namespace estuary::crypto {
namespace {

using test::code_of;
using test::hex;
using test::make_ec_spki;
using test::make_rsa_spki;
using test::make_spki;
using test::p256_curve;
using test::read_request;

constexpr std::string_view base_x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
constexpr std::string_view base_y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

Result<PublicKey> p256(std::string_view point_hex) {
    return PublicKey::from_spki(make_ec_spki(p256_curve, hex(point_hex)));
}

struct Described {
    const char* file;
    KeyKind kind;
    unsigned bits;
    const char* type_name;
};

class PublicKeyOfOpenssl : public testing::TestWithParam<Described> {};

TEST_P(PublicKeyOfOpenssl, IsDescribed) {
    const auto request = read_request(GetParam().file);
    const auto key = PublicKey::from_spki(request.spki);
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_EQ(key->kind(), GetParam().kind);
    EXPECT_EQ(key->bits(), GetParam().bits);
    EXPECT_EQ(key->type_name(), GetParam().type_name);
    EXPECT_TRUE(same(key->spki(), request.spki));
    EXPECT_NE(key->handle(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(, PublicKeyOfOpenssl,
                         testing::Values(Described{"csr-p256.pem", KeyKind::ec, 256, "p256"},
                                         Described{"csr-p256-compressed.pem", KeyKind::ec, 256, "p256"},
                                         Described{"csr-p384.pem", KeyKind::ec, 384, "p384"},
                                         Described{"csr-p521.pem", KeyKind::ec, 521, "p521"},
                                         Described{"csr-brainpool.pem", KeyKind::ec, 256, "brainpoolp256r1"},
                                         Described{"csr-rsa-sha256.pem", KeyKind::rsa, 2048, "rsa2048"},
                                         Described{"csr-rsa1024.pem", KeyKind::rsa, 1024, "rsa1024"},
                                         Described{"csr-pss-key.pem", KeyKind::rsa, 2048, "rsa-pss2048"},
                                         Described{"csr-ed25519.pem", KeyKind::ed25519, 128, "ed25519"},
                                         Described{"csr-ed448.pem", KeyKind::ed448, 224, "ed448"}));

TEST(PublicKeyEc, PointsMustBeOnTheirCurve) {  // bug class 32: an off-curve point is an attack on whoever uses the key
    const std::string x{base_x}, y{base_y};
    EXPECT_TRUE(p256("04" + x + y));
    std::string off = y;
    off.back() = '4';
    EXPECT_EQ(code_of(p256("04" + x + off)), Code::bad_key);
    EXPECT_EQ(code_of(p256("04" + std::string(128, '0'))), Code::bad_key);
    // x + p fits the field's octets for a small x only; p itself is never a coordinate
    const std::string p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    EXPECT_EQ(code_of(p256("04" + p + y)), Code::bad_key);
    // A point of another curve (secp256k1's base point)
    EXPECT_EQ(code_of(p256("0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                           "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")),
              Code::bad_key);
}

TEST(PublicKeyEc, PointForms) {  // RFC 5480 2.2
    const std::string x{base_x}, y{base_y};
    EXPECT_TRUE(p256("03" + x)) << "compressed, y is odd";
    EXPECT_EQ(code_of(p256("00")), Code::bad_key) << "the point at infinity";
    EXPECT_EQ(code_of(p256("07" + x + y)), Code::bad_key) << "hybrid";
    EXPECT_EQ(code_of(p256("04" + x)), Code::bad_key);
    EXPECT_EQ(code_of(p256("04" + x + y + "00")), Code::bad_key);
    EXPECT_EQ(code_of(p256("03" + x + y)), Code::bad_key);
    EXPECT_EQ(code_of(p256("")), Code::bad_key);
    EXPECT_EQ(code_of(p256("02"
                           "0000000000000000000000000000000000000000000000000000000000000001")),
              Code::bad_key)
        << "no point has x = 1: 1 - 3 + b is not a square";
}

TEST(PublicKeyEc, CurvesAreNamed) {
    const auto described = PublicKey::from_spki(read_request("csr-p256-explicit.pem").spki);
    EXPECT_EQ(code_of(described), Code::bad_key) << "explicit parameters (CVE-2020-0601)";
    const auto point = hex("04" + std::string{base_x} + std::string{base_y});
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.2.840.10045.2.1", test::der_null, point))), Code::bad_key)
        << "implicitCA";
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.2.840.10045.2.1", {}, point))), Code::malformed);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.2.840.10045.2.1", hex("020101"), point))), Code::malformed);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_ec_spki("1.2.3.4", point))), Code::unsupported);
    const auto p192 = PublicKey::from_spki(read_request("csr-p192.pem").spki);
    EXPECT_EQ(code_of(p192), Code::unsupported);
    EXPECT_NE(p192.error().detail.find("1.2.840.10045.3.1.1"), std::string::npos) << p192.error().detail;
}

TEST(PublicKeyRsa, NumbersAreSane) {
    const ByteVec modulus(256, 0xC5), exponent{1, 0, 1};
    EXPECT_TRUE(PublicKey::from_spki(make_rsa_spki(modulus, exponent)));
    auto even = modulus;
    even.back() = 0xC4;
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki(even, exponent))), Code::bad_key);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki(modulus, ByteVec{1, 0, 0}))), Code::bad_key)
        << "even exponent";
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki(modulus, ByteVec{1}))), Code::bad_key);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki(modulus, {}))), Code::bad_key) << "zero";
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki({}, exponent))), Code::bad_key);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki(ByteVec{0x0F}, exponent))), Code::bad_key);
    // bug class 30: sizes that make one verification cost milliseconds
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki(ByteVec(2049, 0xC5), exponent))), Code::bad_key);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_rsa_spki(modulus, ByteVec(33, 0xC5)))), Code::bad_key);
    EXPECT_TRUE(PublicKey::from_spki(make_rsa_spki(ByteVec(2048, 0xC5), exponent)));
}

TEST(PublicKeyRsa, EncodingIsStrict) {
    const ByteVec modulus(256, 0x45);
    const auto spki = [&](auto&& write) {
        der::Writer key;
        write(key);
        return make_spki("1.2.840.113549.1.1.1", test::der_null, key.bytes());
    };
    const auto negative =
        spki([&](auto& w) { w.sequence([&] { w.primitive(der::Tag::integer, ByteVec(256, 0xC5)).integer(65537); }); });
    EXPECT_EQ(code_of(PublicKey::from_spki(negative)), Code::bad_key);
    const auto padded =
        spki([&](auto& w) { w.sequence([&] { w.primitive(der::Tag::integer, hex("0045")).integer(65537); }); });
    EXPECT_EQ(code_of(PublicKey::from_spki(padded)), Code::malformed);
    const auto third =
        spki([&](auto& w) { w.sequence([&] { w.unsigned_integer(modulus).integer(65537).integer(1); }); });
    EXPECT_EQ(code_of(PublicKey::from_spki(third)), Code::malformed);
    const auto trailing =
        spki([&](auto& w) { w.sequence([&] { w.unsigned_integer(modulus).integer(65537); }).null(); });
    EXPECT_EQ(code_of(PublicKey::from_spki(trailing)), Code::malformed);
    der::Writer key;
    key.sequence([&] { key.unsigned_integer(modulus).integer(65537); });
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.2.840.113549.1.1.1", {}, key.bytes()))), Code::malformed)
        << "parameters absent (RFC 3279 2.3.1: MUST be NULL)";
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.2.840.113549.1.1.1", hex("3000"), key.bytes()))),
              Code::malformed);
}

TEST(PublicKeyOctets, LengthAndParameters) {
    const ByteVec good = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    EXPECT_TRUE(PublicKey::from_spki(make_spki("1.3.101.112", {}, good)));
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.3.101.112", test::der_null, good))), Code::malformed);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.3.101.112", {}, ByteVec(31, 1)))), Code::bad_key);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.3.101.112", {}, ByteVec(33, 1)))), Code::bad_key);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.3.101.112", {}, {}))), Code::bad_key);
    EXPECT_TRUE(PublicKey::from_spki(make_spki("1.3.101.112", {}, good))) << "a refusal leaves nothing behind";
}

TEST(PublicKeyInfo, UnknownIsNotMalformed) {
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.2.3.4", {}, ByteVec{1}))), Code::unsupported);
    EXPECT_EQ(code_of(PublicKey::from_spki(make_spki("1.2.840.10040.4.1", hex("3000"), ByteVec{1}))), Code::unsupported)
        << "DSA";
    const auto ml_dsa = PublicKey::from_spki(make_spki("2.16.840.1.101.3.4.3.18", {}, ByteVec(1952, 0)));
    if (key_type("ml-dsa-65")) {
        EXPECT_TRUE(ml_dsa);
    } else {
        EXPECT_EQ(code_of(ml_dsa), Code::unsupported);
        EXPECT_NE(ml_dsa.error().detail.find("ml-dsa-65"), std::string::npos) << ml_dsa.error().detail;
    }
}

TEST(PublicKeyInfo, CutShortAnywhereIsAnError) {  // bug class 15
    for (const auto* file : {"csr-p256.pem", "csr-rsa-sha256.pem", "csr-ed25519.pem", "csr-pss-key.pem"}) {
        const auto request = read_request(file);
        for (std::size_t size = 0; size < request.spki.size(); ++size)
            EXPECT_EQ(code_of(PublicKey::from_spki(Bytes{request.spki}.first(size))), Code::malformed)
                << file << " " << size;
        auto longer = to_vec(request.spki);
        longer.push_back(0);
        EXPECT_EQ(code_of(PublicKey::from_spki(longer)), Code::malformed);
    }
}

TEST(PublicKeyInfo, StrayErrorsOfEarlierCallsStayOut) {
    EXPECT_FALSE(p256("04" + std::string(128, '0')));
    const auto unknown = PublicKey::from_spki(make_spki("1.2.3.4", {}, ByteVec{1}));
    EXPECT_EQ(unknown.error().cause, "");
}

}  // namespace
}  // namespace estuary::crypto
