// Verifying: known answers, what openssl signed, and everything that must be refused.
#include <gtest/gtest.h>

#include "tests/unit/crypto/support.h"

namespace estuary::crypto {
namespace {

using test::algorithm_identifier;
using test::code_of;
using test::data_file;
using test::hex;
using test::read_request;

Result<void> verify_request(const test::Request& request) {
    auto key = PublicKey::from_spki(request.spki);
    if (!key) return fail(key.error());
    return key->verify(request.algorithm, request.signed_part, request.signature);
}

TEST(Verify, EcdsaOfRfc6979) {  // A.2.5, P-256, SHA-256, message "sample"
    const auto point =
        hex("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
            "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
    der::Writer signature;
    signature.sequence([&] {
        signature.unsigned_integer(hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"));
        signature.unsigned_integer(hex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"));
    });
    const auto key = PublicKey::from_spki(test::make_ec_spki(test::p256_curve, point)).value();
    const auto algorithm = algorithm_identifier("1.2.840.10045.4.3.2");
    EXPECT_TRUE(key.verify(algorithm, as_bytes("sample"), signature.bytes()));
    EXPECT_EQ(code_of(key.verify(algorithm, as_bytes("sampld"), signature.bytes())), Code::bad_proof);
}

TEST(Verify, Ed25519OfRfc8032) {  // section 7.1, test 2
    const auto key =
        PublicKey::from_spki(
            test::make_spki("1.3.101.112", {}, hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")))
            .value();
    const auto signature =
        hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    const std::uint8_t message[] = {0x72}, other[] = {0x73};
    EXPECT_TRUE(key.verify(algorithm_identifier("1.3.101.112"), message, signature));
    EXPECT_EQ(code_of(key.verify(algorithm_identifier("1.3.101.112"), other, signature)), Code::bad_proof);
}

class VerifyOpenssl : public testing::TestWithParam<const char*> {};

TEST_P(VerifyOpenssl, AcceptsItsRequestAndNoOther) {
    auto request = read_request(std::string{"csr-"} + GetParam() + ".pem");
    const auto good = verify_request(request);
    ASSERT_TRUE(good) << good.error().detail << " / " << good.error().cause;

    auto message = to_vec(request.signed_part);
    message.back() ^= 1;
    const auto key = PublicKey::from_spki(request.spki).value();
    EXPECT_EQ(code_of(key.verify(request.algorithm, message, request.signature)), Code::bad_proof);
    auto signature = to_vec(request.signature);
    signature.back() ^= 1;
    EXPECT_EQ(code_of(key.verify(request.algorithm, request.signed_part, signature)), Code::bad_proof);
    EXPECT_EQ(code_of(key.verify(request.algorithm, request.signed_part, {})), Code::bad_proof);
    EXPECT_EQ(code_of(key.verify(request.algorithm, request.signed_part,
                                 Bytes{request.signature}.first(request.signature.size() - 1))),
              Code::bad_proof);
    signature = to_vec(request.signature);
    signature.push_back(0);
    EXPECT_EQ(code_of(key.verify(request.algorithm, request.signed_part, signature)), Code::bad_proof);
}

INSTANTIATE_TEST_SUITE_P(, VerifyOpenssl,
                         testing::Values("p256", "p256-sha512", "p256-sha3", "p256-compressed", "p384", "p521",
                                         "brainpool", "rsa-sha256", "rsa-sha384", "rsa-sha512", "rsa1024", "pss-sha256",
                                         "pss-sha256-salt32", "pss-sha384-salt48", "pss-sha512-salt20", "pss-key",
                                         "ed25519", "ed448"));

TEST(Verify, RefusesWeakDigests) {
    for (const auto* name : {"csr-p256-sha1.pem", "csr-rsa-sha1.pem", "csr-rsa-md5.pem", "csr-pss-sha1.pem",
                             "csr-pss-mixed.pem", "csr-pss-salt0.pem"})
        EXPECT_EQ(code_of(verify_request(read_request(name))), Code::bad_key) << name;
}

TEST(Verify, WeakAlgorithmsAreRefusedByName) {
    const auto refused = verify_request(read_request("csr-rsa-md5.pem"));
    EXPECT_NE(refused.error().detail.find("md5WithRSAEncryption"), std::string::npos) << refused.error().detail;
    for (const auto* oid : {"1.2.840.10045.4.1", "1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.840.113549.1.1.4",
                            "1.2.840.113549.1.1.5", "1.3.14.3.2.29", "1.2.840.10040.4.3"}) {
        const auto* known = signature_algorithm(der::Oid{oid});
        ASSERT_NE(known, nullptr) << oid;
        EXPECT_TRUE(known->weak) << oid;
    }
}

TEST(Verify, TheAlgorithmMustFitTheKey) {  // bug class 8: one proof never passes for another kind
    const auto ec = read_request("csr-p256.pem"), rsa = read_request("csr-rsa-sha256.pem"),
               ed = read_request("csr-ed25519.pem"), ed448 = read_request("csr-ed448.pem"),
               pss = read_request("csr-pss-key.pem");
    const auto tried = [](const test::Request& key, const test::Request& by) {
        return code_of(PublicKey::from_spki(key.spki)->verify(by.algorithm, key.signed_part, key.signature));
    };
    EXPECT_EQ(tried(ec, rsa), Code::bad_proof);
    EXPECT_EQ(tried(rsa, ec), Code::bad_proof);
    EXPECT_EQ(tried(ed, ed448), Code::bad_proof);
    EXPECT_EQ(tried(ed448, ed), Code::bad_proof);
    EXPECT_EQ(tried(ec, ed), Code::bad_proof);
    EXPECT_EQ(tried(pss, rsa), Code::bad_proof) << "a key bound to PSS makes no PKCS#1 v1.5 signatures";
}

TEST(Verify, ParametersAreStrict) {  // bug class 15: absent and odd parameters
    const auto ec = read_request("csr-p256.pem"), rsa = read_request("csr-rsa-sha256.pem"),
               ed = read_request("csr-ed25519.pem");
    const auto tried = [](const test::Request& request, const ByteVec& algorithm) {
        return PublicKey::from_spki(request.spki)->verify(algorithm, request.signed_part, request.signature);
    };
    EXPECT_EQ(code_of(tried(ec, algorithm_identifier("1.2.840.10045.4.3.2", test::der_null))), Code::malformed);
    EXPECT_EQ(code_of(tried(ed, algorithm_identifier("1.3.101.112", test::der_null))), Code::malformed);
    EXPECT_TRUE(tried(rsa, algorithm_identifier("1.2.840.113549.1.1.11")))
        << "absent is tolerated for PKCS#1 v1.5 (RFC 4055 5)";
    EXPECT_EQ(code_of(tried(rsa, algorithm_identifier("1.2.840.113549.1.1.11", hex("0500"
                                                                         "0500")))),
              Code::malformed);
    EXPECT_EQ(code_of(tried(rsa, algorithm_identifier("1.2.840.113549.1.1.11", hex("3000")))), Code::malformed);
    EXPECT_EQ(code_of(tried(rsa, algorithm_identifier("1.2.840.113549.1.1.99"))), Code::unsupported);
    EXPECT_EQ(code_of(tried(rsa, hex("30"))), Code::malformed);
    EXPECT_EQ(code_of(tried(rsa, {})), Code::malformed);
    EXPECT_EQ(code_of(tried(rsa, hex("3000"))), Code::malformed);
    auto trailing = algorithm_identifier("1.2.840.113549.1.1.11", test::der_null);
    trailing.push_back(0);
    EXPECT_EQ(code_of(tried(rsa, trailing)), Code::malformed);
}

constexpr std::string_view pss = "1.2.840.113549.1.1.10";
constexpr std::string_view sha256_hash = "a00f300d06096086480165030402010500";
constexpr std::string_view sha256_mask = "a11c301a06092a864886f70d010108300d06096086480165030402010500";

/// RSASSA-PSS-params from hexadecimal parts.
ByteVec pss_identifier(std::string_view parts) {
    der::Writer parameters;
    parameters.sequence([&] { parameters.raw(hex(parts)); });
    return algorithm_identifier(pss, parameters.bytes());
}

TEST(Verify, PssParametersAreStrict) {  // bug class 15
    const auto request = read_request("csr-pss-sha256-salt32.pem");
    const auto key = PublicKey::from_spki(request.spki).value();
    const auto tried = [&](Bytes algorithm) { return key.verify(algorithm, request.signed_part, request.signature); };
    const std::string both = std::string{sha256_hash} + std::string{sha256_mask};
    EXPECT_TRUE(tried(pss_identifier(both + "a203020120")));
    EXPECT_EQ(code_of(tried(algorithm_identifier(pss))), Code::bad_key) << "absent: SHA-1 by default";
    EXPECT_EQ(code_of(tried(pss_identifier(""))), Code::bad_key) << "empty: SHA-1 by default";
    EXPECT_EQ(code_of(tried(algorithm_identifier(pss, test::der_null))), Code::malformed);
    EXPECT_EQ(code_of(tried(pss_identifier(std::string{sha256_hash} + "a203020120"))), Code::bad_key)
        << "MGF1 with SHA-1";
    EXPECT_EQ(code_of(tried(pss_identifier(std::string{sha256_mask} + "a203020120"))), Code::bad_key) << "SHA-1";
    EXPECT_EQ(code_of(tried(pss_identifier(both + "a203020114"))), Code::malformed) << "encoded default";
    EXPECT_EQ(code_of(tried(pss_identifier(both + "a203020120"
                                                  "a303020101"))),
              Code::malformed)
        << "encoded trailer";
    EXPECT_EQ(code_of(tried(pss_identifier(both + "a2030201ff"))), Code::bad_key) << "salt of -1";
    EXPECT_EQ(code_of(tried(pss_identifier(both + "a2070205007fffffff"))), Code::malformed);
    EXPECT_EQ(code_of(tried(pss_identifier(both + "a20602047fffffff"))), Code::bad_key) << "a salt of 2 GiB";
    EXPECT_EQ(code_of(tried(pss_identifier(both + "a203020121"))), Code::bad_proof)
        << "another salt than was signed with";
    EXPECT_EQ(code_of(tried(pss_identifier(both + "a206020120020120"))), Code::malformed);
    EXPECT_EQ(code_of(tried(pss_identifier(std::string{sha256_mask} + std::string{sha256_hash}))), Code::malformed);
    EXPECT_EQ(code_of(tried(pss_identifier(std::string{sha256_hash} + "a100"))), Code::malformed);
}

TEST(Algorithms, IdentifiersHaveNullOnlyForPkcs1) {
    EXPECT_EQ(to_hex(signature_algorithm(der::Oid{"1.2.840.113549.1.1.11"})->identifier),
              "300d06092a864886f70d01010b0500");
    EXPECT_EQ(to_hex(signature_algorithm(der::Oid{"1.2.840.10045.4.3.2"})->identifier), "300a06082a8648ce3d040302");
    EXPECT_EQ(to_hex(signature_algorithm(der::Oid{"1.3.101.112"})->identifier), "300506032b6570");
    EXPECT_EQ(signature_algorithm(der::Oid{pss}), nullptr);
    EXPECT_EQ(signature_algorithm(der::Oid{"1.2.3"}), nullptr);
    EXPECT_EQ(signature_algorithm(der::Oid{"2.16.840.1.101.3.4.3.18"})->name, "ML-DSA-65")
        << "known, if not always had";
}

TEST(Algorithms, KeyTypesByName) {
    for (const auto& type : key_types()) EXPECT_EQ(key_type(type.name).value(), &type);
    const auto unknown = key_type("p255");
    EXPECT_EQ(code_of(unknown), Code::unsupported);
    EXPECT_NE(unknown.error().detail.find("p256, p384"), std::string::npos) << unknown.error().detail;
    EXPECT_EQ(code_of(key_type("")), Code::unsupported);
    EXPECT_EQ(code_of(key_type("rsa1024")), Code::unsupported);
}

TEST(Algorithms, KeyAlgorithmIdentifierIsThatOfSuchKeys) {
    EXPECT_EQ(to_hex(key_algorithm_identifier(*key_type("p384").value())), "301006072a8648ce3d020106052b81040022");
    EXPECT_EQ(to_hex(key_algorithm_identifier(*key_type("rsa3072").value())), "300d06092a864886f70d0101010500");
    EXPECT_EQ(to_hex(key_algorithm_identifier(*key_type("ed25519").value())), "300506032b6570");
    for (const auto& type : key_types()) {
        if (type.kind == KeyKind::slh_dsa || type.bits > 2048) continue;  // slow to make, and written as the others are
        const auto key = PrivateKey::generate(type.name);
        ASSERT_TRUE(key) << type.name;
        const auto spki = to_vec(key->public_key().spki());
        auto fields = der::enter_only(spki, der::Tag::sequence, "SubjectPublicKeyInfo").value();
        EXPECT_EQ(to_vec(fields.element(der::Tag::sequence).value().whole), key_algorithm_identifier(type)) << type.name;
    }
}

}  // namespace
}  // namespace estuary::crypto
