#include "estuary/crypto/mac.h"

#include <gmock/gmock.h>

#include "support.h"

namespace estuary::crypto {
namespace {

using test::algorithm_identifier;
using test::code_of;
using test::hex;
using testing::HasSubstr;

struct Known {
    std::string name, oid, parameters, key, data, mac;
};
class MacKnown : public testing::TestWithParam<Known> {};

TEST_P(MacKnown, IsComputedAndVerified) {
    const auto& known = GetParam();
    const auto algorithm = read_mac_algorithm(algorithm_identifier(known.oid, hex(known.parameters)));
    ASSERT_TRUE(algorithm) << algorithm.error().detail;
    const auto mac = compute_mac(*algorithm, hex(known.key), hex(known.data));
    ASSERT_TRUE(mac) << mac.error().detail;
    EXPECT_EQ(to_hex(*mac), known.mac);
    EXPECT_TRUE(verify_mac(*algorithm, hex(known.key), hex(known.data), hex(known.mac)));
    auto changed = hex(known.mac);
    for (auto& octet : changed) {
        octet ^= 1;
        EXPECT_EQ(code_of(verify_mac(*algorithm, hex(known.key), hex(known.data), changed)), Code::bad_proof);
        octet ^= 1;
    }
    EXPECT_EQ(code_of(verify_mac(*algorithm, hex(known.key), hex(known.data), Bytes{changed}.first(changed.size() - 1))),
              Code::bad_proof);
    EXPECT_EQ(code_of(verify_mac(*algorithm, hex(known.key), hex(known.data), {})), Code::bad_proof);
}

constexpr auto jefe = "4a656665", nothing = "7768617420646f2079612077616e7420666f72206e6f7468696e673f";
constexpr auto kmac_key = "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f";
constexpr auto tagged = "3017" "04154d7920546167676564204170706c69636174696f6e";  // customizationString "My Tagged Application"

INSTANTIATE_TEST_SUITE_P(Rfc4231, MacKnown, testing::Values(  // section 4.3, test case 2
    Known{"sha224", "1.2.840.113549.2.8", "0500", jefe, nothing, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
    Known{"sha256", "1.2.840.113549.2.9", "0500", jefe, nothing,
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    Known{"sha256_absent", "1.2.840.113549.2.9", "", jefe, nothing,
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    Known{"sha384", "1.2.840.113549.2.10", "", jefe, nothing,
          "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"},
    Known{"sha512", "1.2.840.113549.2.11", "", jefe, nothing,
          "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e07"
          "0a38bce737"},
    Known{"sha1", "1.2.840.113549.2.7", "", jefe, nothing, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    Known{"sha1_of_rfc3370", "1.3.6.1.5.5.8.1.2", "0500", jefe, nothing, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Sp800_185, MacKnown, testing::Values(  // KMAC samples 1, 2 and 4 of NIST
    Known{"kmac128", "2.16.840.1.101.3.4.2.19", "", kmac_key, "00010203",
          "e5780b0d3ea6f7d3a429c5706aa43a00fadbd7d49628839e3187243f456ee14e"},
    Known{"kmac128_empty_parameters", "2.16.840.1.101.3.4.2.19", "3000", kmac_key, "00010203",
          "e5780b0d3ea6f7d3a429c5706aa43a00fadbd7d49628839e3187243f456ee14e"},
    Known{"kmac128_tagged", "2.16.840.1.101.3.4.2.19", tagged, kmac_key, "00010203",
          "3b1fba963cd8b0b59e8c1a6d71888b7143651af8ba0a7070c0979e2811324aa5"},
    Known{"kmac256_tagged", "2.16.840.1.101.3.4.2.20", tagged, kmac_key, "00010203",
          "20c570c31346f703c9ac36c61c03cb64c3970d0cfc787e9b79599d273a68d2f7f69d4cc3de9d104a351689f27cf6f5951f0103f33f4f24871024d9"
          "c27773a8dd"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Sp800_38d, MacKnown, testing::Values(  // nonce of 12, code of 16 octets
    Known{"aes128", "2.16.840.1.101.3.4.1.9", "3011" "040ce0e00f19fed7ba0136a797f3" "020110",
          "77be63708971c4e240d1cb79e8d77feb", "7a43ec1d9c0a5a78a0b16533a6213cab", "209fcc8d3675ed938e9c7166709dd946"}),
    [](const auto& test) { return test.param.name; });

struct Refused {
    std::string name, oid, parameters;
    Code code;
};
class MacRefused : public testing::TestWithParam<Refused> {};

TEST_P(MacRefused, WithItsReason) {
    EXPECT_EQ(code_of(read_mac_algorithm(algorithm_identifier(GetParam().oid, hex(GetParam().parameters)))), GetParam().code);
}

// bug class 15
INSTANTIATE_TEST_SUITE_P(Rfc9481, MacRefused, testing::Values(
    Refused{"hmac_md5", "1.3.6.1.5.5.8.1.1", "0500", Code::unsupported},
    Refused{"des_mac", "1.3.14.3.2.10", "0500", Code::unsupported},
    Refused{"hmac_with_parameters", "1.2.840.113549.2.9", "3000", Code::malformed},
    Refused{"hmac_with_two", "1.2.840.113549.2.9", "05000500", Code::malformed},
    Refused{"gmac_without_parameters", "2.16.840.1.101.3.4.1.9", "", Code::malformed},
    Refused{"gmac_empty", "2.16.840.1.101.3.4.1.9", "3000", Code::malformed},
    Refused{"gmac_default_length", "2.16.840.1.101.3.4.1.9", "300e" "040c000102030405060708090a0b", Code::unsupported},
    Refused{"gmac_default_length_stated", "2.16.840.1.101.3.4.1.9", "3011" "040c000102030405060708090a0b" "02010c", Code::malformed},
    Refused{"gmac_short_nonce", "2.16.840.1.101.3.4.1.9", "3006" "040100" "020110", Code::unsupported},
    Refused{"kmac_null", "2.16.840.1.101.3.4.2.19", "0500", Code::malformed},
    Refused{"kmac_32_bits", "2.16.840.1.101.3.4.2.19", "3003" "020120", Code::unsupported},
    Refused{"kmac_257_bits", "2.16.840.1.101.3.4.2.19", "3004" "02020101", Code::unsupported},
    Refused{"kmac_default_stated", "2.16.840.1.101.3.4.2.19", "3004" "02020100", Code::malformed},
    Refused{"kmac_huge", "2.16.840.1.101.3.4.2.19", "3006" "020440000000", Code::unsupported},
    Refused{"kmac_empty_customization", "2.16.840.1.101.3.4.2.20", "3002" "0400", Code::malformed}),
    [](const auto& test) { return test.param.name; });

TEST(Mac, EveryOneThatIsWrittenIsRead) {
    for (const auto* name : {"HMAC-SHA1", "HMAC-SHA224", "HMAC-SHA256", "HMAC-SHA384", "HMAC-SHA512", "KMAC-128", "KMAC-256",
                             "AES-128-GMAC", "AES-192-GMAC", "AES-256-GMAC"}) {
        const auto der = encode_mac_algorithm(name);
        ASSERT_TRUE(der) << name;
        const auto algorithm = read_mac_algorithm(*der);
        ASSERT_TRUE(algorithm) << name << " " << algorithm.error().detail;
        EXPECT_EQ(algorithm->name, name);
        EXPECT_EQ(compute_mac(*algorithm, ByteVec(algorithm->key_octets, 7), {}).value().size(), algorithm->octets) << name;
    }
    EXPECT_EQ(code_of(encode_mac_algorithm("HMAC-MD5")), Code::unsupported);
    EXPECT_EQ(code_of(encode_mac_algorithm("")), Code::unsupported);
}

TEST(Mac, GmacNoncesAreFresh) {
    EXPECT_NE(encode_mac_algorithm("AES-128-GMAC").value(), encode_mac_algorithm("AES-128-GMAC").value());
}

TEST(Mac, KeysThatDoNotFit) {
    const auto hmac = read_mac_algorithm(encode_mac_algorithm("HMAC-SHA256").value()).value();
    EXPECT_EQ(code_of(compute_mac(hmac, {}, {})), Code::bad_key);  // bug class 9
    const auto gmac = read_mac_algorithm(encode_mac_algorithm("AES-128-GMAC").value()).value();
    EXPECT_EQ(code_of(compute_mac(gmac, ByteVec(32), {})), Code::bad_key);
    const auto kmac = read_mac_algorithm(encode_mac_algorithm("KMAC-128").value()).value();
    EXPECT_EQ(code_of(compute_mac(kmac, ByteVec(1), {})), Code::bad_key);
}

}  // namespace
}  // namespace estuary::crypto
