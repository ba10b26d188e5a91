#include "estuary/crypto/password_mac.h"

#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "estuary/crypto/one_way_function.h"
#include "estuary/crypto/pbkdf2.h"
#include "support.h"

namespace estuary::crypto {
namespace {

using test::algorithm_identifier;
using test::code_of;
using test::hex;
using testing::HasSubstr;
using Scheme = PasswordMacChoice::Scheme;

constexpr std::string_view salt16 = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view owf_sha256 = "300b0609608648016503040201", owf_sha224 = "300b0609608648016503040204",
                           owf_sha1 = "300706052b0e03021a";
constexpr std::string_view hmac_sha256 = "300c06082a864886f70d02090500", hmac_sha512 = "300c06082a864886f70d020b0500",
                           hmac_sha1 = "300a06082b06010505080102";

/// id-PasswordBasedMac with PBMParameter.
ByteVec pbm(std::string_view salt, std::string_view owf, std::int64_t iterations, std::string_view mac) {
    der::Writer parameters;
    parameters.sequence([&] { parameters.octet_string(hex(salt)).raw(hex(owf)).integer(iterations).raw(hex(mac)); });
    return algorithm_identifier("1.2.840.113533.7.66.13", parameters.bytes());
}

struct Derivation {
    std::string_view salt = salt16;
    std::int64_t iterations = 100;
    std::optional<std::int64_t> key_octets = 32;
    std::string_view prf = hmac_sha256;  ///< empty: the default
};
ByteVec pbkdf2_identifier(const Derivation& derivation) {
    der::Writer parameters;
    parameters.sequence([&] {
        parameters.octet_string(hex(derivation.salt)).integer(derivation.iterations);
        if (derivation.key_octets) parameters.integer(*derivation.key_octets);
        parameters.raw(hex(derivation.prf));
    });
    return algorithm_identifier("1.2.840.113549.1.5.12", parameters.bytes());
}
ByteVec pbmac1(const Derivation& derivation, std::string_view mac) {
    der::Writer parameters;
    parameters.sequence([&] { parameters.raw(pbkdf2_identifier(derivation)).raw(hex(mac)); });
    return algorithm_identifier("1.2.840.113549.1.5.14", parameters.bytes());
}

Secret password() { return Secret{std::string_view{"s3cret"}}; }
Result<ByteVec> compute(Bytes algorithm, const PasswordMacLimits& limits = {}) {
    return compute_password_mac(algorithm, password(), as_bytes("data"), limits);
}
std::string hex_of(const Result<ByteVec>& mac) { return mac ? to_hex(*mac) : mac.error().detail; }

// The expected codes were computed with Python's hashlib and hmac, and GMAC's with the openssl program.

TEST(PasswordBasedMac, IsThatOfRfc9810) {
    EXPECT_EQ(hex_of(compute(pbm(salt16, owf_sha256, 1000, hmac_sha256))),
              "d85e10cd3dc04ffce819fe0c06c35cdc4879b51b18205fdc7dffcdadbaf274cf");
    EXPECT_EQ(hex_of(compute(pbm(salt16, owf_sha256, 100, hmac_sha512))),  // HMAC takes BASEKEY as it is
              "4fce87028198db9ac3a9a01db70d72239da20bb1827f1f36b5cab0322cfe6ec5a52dfb57bac7cdf9899f42636eb5e79c5e9338390da3f32f0abd182a"
              "d6aa2dac");
    EXPECT_EQ(hex_of(compute(pbm(salt16, owf_sha1, 100, hmac_sha1), {.sha1_owf = true})),
              "9d6177f7d8b5b98ba44c371a1c14385367d78ba0");
}

TEST(PasswordBasedMac, GmacHasItsKeyCutOrExpanded) {
    constexpr auto gmac = [](std::string_view oid) {
        return fmt::format("301e0609{}3011040c000102030405060708090a0b020110", oid);
    };
    EXPECT_EQ(hex_of(compute(pbm(salt16, owf_sha256, 100, gmac("608648016503040109")))), "e42489f9b01824842473282af67e9eaa");
    EXPECT_EQ(hex_of(compute(pbm(salt16, owf_sha224, 100, gmac("608648016503040131")))), "ba1ae44176e913d09f25ade5a3bf274e");
}

TEST(PasswordBasedMac, BaseKeyIsExpanded) {
    const Secret base{hex("54a2f7f92a5f975d8096af77a126edda7da60c5aa872ef1b871701ae")};
    EXPECT_EQ(to_hex(expand_base_key("SHA224", base, 32).value().reveal()),
              "54a2f7f92a5f975d8096af77a126edda7da60c5aa872ef1b871701ae9992ba88");
    EXPECT_EQ(to_hex(expand_base_key("SHA224", base, 64).value().reveal()),
              "54a2f7f92a5f975d8096af77a126edda7da60c5aa872ef1b871701ae9992ba8832ecaaf4f251bee434cf324230b6f17108717ab2c5097ab58ebfe6b7"
              "93f9c741");
    EXPECT_EQ(expand_base_key("SHA224", base, 16).value().reveal().size(), 16u);
    EXPECT_EQ(code_of(expand_base_key("SHA224", base, 1000)), Code::too_large);
}

TEST(Pbmac1, IsThatOfRfc8018) {
    EXPECT_EQ(hex_of(compute(pbmac1({.iterations = 1000}, hmac_sha256))),
              "e06369018f3d27216aedaff82a15d1d66228b7db623da604d5375a8ee7bd85e5");
    EXPECT_EQ(hex_of(compute(pbmac1({.iterations = 1000, .key_octets = {}}, hmac_sha256))),  // as long as the digest
              "e06369018f3d27216aedaff82a15d1d66228b7db623da604d5375a8ee7bd85e5");
    EXPECT_EQ(hex_of(compute(pbmac1({.key_octets = 64, .prf = hmac_sha512}, hmac_sha512))),
              "357e7e91b270660eaa88725b618ad5764a9380f589d64d6d9efdd0944a7540436f85303ba32d1a0e31ab8ea0a259d2259b642993bc866e59e31f15ed"
              "c8f65e1c");
    EXPECT_EQ(hex_of(compute(pbmac1({.key_octets = {}, .prf = ""}, hmac_sha1), {.sha1_owf = true})),
              "2e3440f6b8d99a9ce6e3319b831e283ec06c5f67");
}

struct Asked {
    std::string name;
    ByteVec algorithm;
    Code code;
    std::string detail;
};
class PasswordMacRefused : public testing::TestWithParam<Asked> {};

TEST_P(PasswordMacRefused, BeforeAnythingIsComputed) {
    const auto before = std::chrono::steady_clock::now();
    const auto mac = compute(GetParam().algorithm);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds{500});  // the huge ones would take hours
    ASSERT_FALSE(mac);
    EXPECT_EQ(to_string(mac.error().code), to_string(GetParam().code)) << mac.error().detail;
    EXPECT_THAT(mac.error().detail, HasSubstr(GetParam().detail));
    EXPECT_EQ(code_of(verify_password_mac(GetParam().algorithm, password(), as_bytes("data"), ByteVec(32))), GetParam().code);
}

// bug class 30
INSTANTIATE_TEST_SUITE_P(Limits, PasswordMacRefused, testing::Values(
    Asked{"pbm_100001", pbm(salt16, owf_sha256, 100'001, hmac_sha256), Code::too_large, "more than 100000 iterations"},
    Asked{"pbm_huge", pbm(salt16, owf_sha256, INT64_MAX, hmac_sha256), Code::too_large, "more than"},
    Asked{"pbm_99", pbm(salt16, owf_sha256, 99, hmac_sha256), Code::bad_key, "fewer than 100 iterations"},
    Asked{"pbm_zero", pbm(salt16, owf_sha256, 0, hmac_sha256), Code::malformed, "not positive"},
    Asked{"pbm_negative", pbm(salt16, owf_sha256, -5, hmac_sha256), Code::malformed, "not positive"},
    Asked{"pbm_salt_short", pbm("00010203040506", owf_sha256, 100, hmac_sha256), Code::bad_key, "fewer than 8 octets"},
    Asked{"pbm_salt_empty", pbm("", owf_sha256, 100, hmac_sha256), Code::bad_key, "fewer than 8 octets"},
    Asked{"pbm_salt_long", pbm(std::string(258, '0'), owf_sha256, 100, hmac_sha256), Code::too_large, "more than 128 octets"},
    Asked{"pbm_sha1", pbm(salt16, owf_sha1, 100, hmac_sha256), Code::unsupported, "SHA-1"},
    Asked{"pbm_md5", pbm(salt16, "300c06082a864886f70d02050500", 100, hmac_sha256), Code::unsupported, "is not supported"},
    Asked{"pbm_mac_unknown", pbm(salt16, owf_sha256, 100, "300406022a03"), Code::unsupported, "1.2.3 is not supported"},
    Asked{"pbmac1_huge", pbmac1({.iterations = INT64_MAX}, hmac_sha256), Code::too_large, "more than 100000 iterations"},
    Asked{"pbmac1_99", pbmac1({.iterations = 99}, hmac_sha256), Code::bad_key, "fewer than 100 iterations"},
    Asked{"pbmac1_zero", pbmac1({.iterations = 0}, hmac_sha256), Code::malformed, "without iterations"},
    Asked{"pbmac1_salt_short", pbmac1({.salt = "00"}, hmac_sha256), Code::bad_key, "fewer than 8 octets"},
    Asked{"pbmac1_key_short", pbmac1({.key_octets = 15}, hmac_sha256), Code::bad_key, "a key of 15 octets"},
    Asked{"pbmac1_key_zero", pbmac1({.key_octets = 0}, hmac_sha256), Code::malformed, "keyLength"},
    Asked{"pbmac1_key_huge", pbmac1({.key_octets = 1 << 30}, hmac_sha256), Code::too_large, "keyLength"},
    Asked{"pbmac1_prf_default", pbmac1({.prf = ""}, hmac_sha256), Code::unsupported, "HMAC-SHA1"},
    Asked{"pbmac1_prf_gmac", pbmac1({.prf = "301e06096086480165030401093011040c000102030405060708090a0b020110"}, hmac_sha256),
          Code::unsupported, "PBKDF2 with AES-128-GMAC"},  // RFC 9481 6.2.2
    Asked{"pbmac1_scrypt", algorithm_identifier("1.2.840.113549.1.5.14", hex("3022" "3012" "06092b06010401da47040b" "3005" "0403000000"
                                                                  "300c06082a864886f70d02090500")),
          Code::unsupported, "other than PBKDF2"},
    Asked{"hmac_alone", hex(hmac_sha256), Code::unsupported, "no password-based MAC"},
    Asked{"no_parameters", algorithm_identifier("1.2.840.113533.7.66.13", {}), Code::malformed, ""},
    Asked{"null_parameters", algorithm_identifier("1.2.840.113549.1.5.14", hex("0500")), Code::malformed, ""}),
    [](const auto& test) { return test.param.name; });

TEST(PasswordMac, LimitsAreTheCallers) {
    const auto sha1_mac = pbm(salt16, owf_sha256, 100, hmac_sha1);
    EXPECT_TRUE(compute(sha1_mac));  // OpenSSL's client, unless told otherwise
    EXPECT_EQ(code_of(compute(sha1_mac, {.hmac_sha1 = false})), Code::unsupported);
    const auto many = pbm(salt16, owf_sha256, 1000, hmac_sha256);
    EXPECT_EQ(code_of(compute(many, {.iterations_max = 999})), Code::too_large);
    EXPECT_EQ(code_of(compute(many, {.iterations_min = 1001})), Code::bad_key);
    EXPECT_TRUE(compute(many, {.iterations_min = 1000, .iterations_max = 1000}));
}

TEST(PasswordMac, AnEmptyPasswordIsNone) {  // bug class 9
    EXPECT_EQ(code_of(compute_password_mac(pbm(salt16, owf_sha256, 100, hmac_sha256), Secret{}, as_bytes("data"))),
              Code::bad_key);
    EXPECT_EQ(code_of(compute_password_mac(pbmac1({}, hmac_sha256), Secret{}, as_bytes("data"))),
              Code::bad_key);
}

TEST(PasswordMac, WhatWeMakeIsVerifiedAndNothingElse) {
    for (const auto scheme : {Scheme::password_based_mac, Scheme::pbmac1})
        for (const auto* mac : {"HMAC-SHA256", "HMAC-SHA512", "AES-256-GMAC", "KMAC-256"})
            for (const auto* digest : {"SHA256", "SHA512"}) {
                const auto algorithm = make_password_mac_algorithm({scheme, digest, mac, 1000});
                ASSERT_TRUE(algorithm) << algorithm.error().detail;
                EXPECT_TRUE(is_password_mac(*algorithm));
                const auto code = compute(*algorithm);
                ASSERT_TRUE(code) << mac << " " << code.error().detail;
                EXPECT_TRUE(verify_password_mac(*algorithm, password(), as_bytes("data"), *code));
                EXPECT_EQ(code_of(verify_password_mac(*algorithm, password(), as_bytes("date"), *code)), Code::bad_proof);
                const Secret other{std::string_view{"s3creT"}};
                EXPECT_EQ(code_of(verify_password_mac(*algorithm, other, as_bytes("data"), *code)), Code::bad_proof);
            }
    EXPECT_FALSE(is_password_mac(hex(hmac_sha256)));
    EXPECT_FALSE(is_password_mac({}));
}

TEST(PasswordMac, SaltsAreFresh) {
    EXPECT_NE(make_password_mac_algorithm().value(), make_password_mac_algorithm().value());
    EXPECT_EQ(code_of(make_password_mac_algorithm({.digest = "MD5"})), Code::unsupported);
    EXPECT_EQ(code_of(make_password_mac_algorithm({Scheme::password_based_mac, "MD5"})), Code::unsupported);
    EXPECT_EQ(code_of(make_password_mac_algorithm({.mac = "HMAC-MD5"})), Code::unsupported);
}

TEST(Pbkdf2, ParametersGoThereAndBack) {
    const auto der = pbkdf2_identifier({.iterations = 2048, .key_octets = {}});
    const auto read = read_pbkdf2(der, 2048);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->iterations, 2048u);
    EXPECT_EQ(read->digest, "SHA256");
    EXPECT_EQ(read->key_octets, std::nullopt);
    EXPECT_EQ(to_hex(encode_pbkdf2(*read).value()), to_hex(der));
    const auto usual = pbkdf2_identifier({.prf = ""});
    EXPECT_EQ(read_pbkdf2(usual, 100).value().digest, "SHA1");
    EXPECT_EQ(to_hex(encode_pbkdf2(read_pbkdf2(usual, 100).value()).value()), to_hex(usual));
    EXPECT_EQ(code_of(read_pbkdf2(der, 2047)), Code::too_large);
    EXPECT_EQ(code_of(read_pbkdf2(algorithm_identifier("1.2.840.113549.1.5.12", hex("3007" "300406022a03" "00")), 9)),
              Code::unsupported);
}

}  // namespace
}  // namespace estuary::crypto
