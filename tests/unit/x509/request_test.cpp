#include "estuary/x509/request.h"

#include "support.h"

namespace estuary::x509 {
namespace {

using test::data_file;
using test::failure;
using testing::ElementsAre;
using testing::HasSubstr;

Result<SignedRequest> parse(const std::string& name) { return SignedRequest::parse(data_file("requests/" + name + ".der")); }

struct GoodRequest {
    std::string name, key_type, subject;
};
class RequestAccepted : public testing::TestWithParam<GoodRequest> {};

TEST_P(RequestAccepted, FromOpenssl) {
    const auto& test = GetParam();
    const auto der = data_file("requests/" + test.name + ".der");
    const auto request = SignedRequest::parse(der);
    ASSERT_TRUE(request) << failure(request);
    EXPECT_TRUE(same(request->der(), der));
    EXPECT_EQ(request->subject().to_text(), test.subject);
    EXPECT_EQ(request->public_key().type_name(), test.key_type);
    EXPECT_TRUE(same(request->spki(), request->public_key().spki()));
    EXPECT_EQ(request->fingerprint(), crypto::sha256(der));
}

INSTANTIATE_TEST_SUITE_P(Rfc2986, RequestAccepted, testing::Values(
    GoodRequest{"p256", "p256", "CN=device 1,O=Example"},
    GoodRequest{"p384", "p384", "CN=device 1,O=Example"},
    GoodRequest{"rsa2048", "rsa2048", "CN=device 1,O=Example"},
    GoodRequest{"rsa2048_pss", "rsa2048", "CN=device 1,O=Example"},
    GoodRequest{"ed25519", "ed25519", "CN=device 1,O=Example"},
    GoodRequest{"empty_subject", "p256", ""},
    GoodRequest{"multi_valued", "p256", "serialNumber=42+CN=device 1,O=Example"},
    GoodRequest{"no_attributes", "p256", "CN=device 1,O=Example"},
    GoodRequest{"extensions", "p256", "CN=device 1"},
    GoodRequest{"challenge", "p256", "CN=device 1"}), [](const auto& test) { return test.param.name; });

struct BadRequest {
    std::string name;
    Code code;
    std::string detail;
};
class RequestRefused : public testing::TestWithParam<BadRequest> {};

TEST_P(RequestRefused, WithItsReason) {
    const auto request = parse(GetParam().name);
    ASSERT_FALSE(request);
    EXPECT_EQ(to_string(request.error().code), to_string(GetParam().code)) << request.error().detail;
    EXPECT_THAT(request.error().detail, HasSubstr(GetParam().detail));
}

// bug classes 3, 13, 15 and 32
INSTANTIATE_TEST_SUITE_P(Rfc2986, RequestRefused, testing::Values(
    BadRequest{"wrong_signature", Code::bad_proof, ""},
    BadRequest{"md5", Code::bad_key, "md5WithRSAEncryption"},
    BadRequest{"sha1", Code::bad_key, "sha1WithRSAEncryption"},
    BadRequest{"trailing_octet", Code::malformed, "end of CertificationRequest"},
    BadRequest{"cut_short", Code::malformed, "octets in only"},
    BadRequest{"version_1", Code::malformed, "version 1"},
    BadRequest{"indefinite_length", Code::malformed, "indefinite length"},
    BadRequest{"long_length", Code::malformed, "shortest form"},
    BadRequest{"duplicate_attribute", Code::malformed, "1.2.840.113549.1.9.7 more than once"},
    BadRequest{"attribute_without_value", Code::malformed, "without a value"},
    BadRequest{"challenge_two_values", Code::malformed, "challengePassword has more than one value"},
    BadRequest{"challenge_empty", Code::malformed, "challengePassword is empty"},
    BadRequest{"challenge_octets", Code::malformed, "challengePassword is not a DirectoryString"},
    BadRequest{"extensions_twice", Code::malformed, "1.2.840.113549.1.9.14 more than once"},
    BadRequest{"extensions_two_values", Code::malformed, "extensionRequest has more than one value"},
    BadRequest{"extension_duplicate", Code::malformed, "2.5.29.17 more than once"},
    BadRequest{"extensions_empty", Code::malformed, "Extensions is empty"},
    BadRequest{"san_empty", Code::malformed, "GeneralNames is empty"},
    BadRequest{"san_nul", Code::malformed, "NUL"},
    BadRequest{"san_utf8", Code::malformed, "punycode"},
    BadRequest{"san_ip_as_dns", Code::malformed, "is an address"},
    BadRequest{"san_trailing_dot", Code::malformed, "ends in a dot"}), [](const auto& test) { return test.param.name; });

TEST(SignedRequest, EveryCutIsRefused) {  // bug class 15
    const auto der = data_file("requests/extensions.der");
    for (std::size_t size = 0; size < der.size(); ++size) {
        const auto request = SignedRequest::parse(Bytes{der}.first(size));
        ASSERT_FALSE(request) << size;
        EXPECT_EQ(request.error().code, Code::malformed) << size;
    }
}

TEST(SignedRequest, EveryFlippedBitIsRefused) {
    const auto good = data_file("requests/p256.der");
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto der = good;
        der[at] ^= 0x04;
        EXPECT_FALSE(SignedRequest::parse(der)) << at;
    }
}

TEST(SignedRequest, TooLargeIsRefusedUnread) {
    const auto request = SignedRequest::parse(ByteVec(128 * 1024 + 1, 0x30));
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, Code::too_large);
}

TEST(SignedRequest, TellsRequestedExtensions) {
    const auto request = parse("extensions").value();
    EXPECT_EQ(request.extensions().size(), 3u);
    EXPECT_EQ(parse_key_usage(find(request.extensions(), oid::key_usage)->value).value(), digital_signature);
    EXPECT_TRUE(find(request.extensions(), oid::key_usage)->critical);
    std::vector<std::string> names;
    for (const auto& name : request.subject_alt_names()) names.push_back(name.to_text());
    EXPECT_THAT(names, ElementsAre("dns:device1.example", "dns:*.device1.example", "ip:192.0.2.1", "ip:2001:db8::1",
                                   "email:a@example.org", "uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "rid:1.2.3.4"));
    EXPECT_FALSE(request.challenge_password());
}

TEST(SignedRequest, HasNoExtensionsWithoutTheAttribute) {
    const auto request = parse("p256").value();
    EXPECT_TRUE(request.attributes().empty());
    EXPECT_TRUE(request.extensions().empty());
    EXPECT_TRUE(request.subject_alt_names().empty());
}

TEST(SignedRequest, TakesMicrosoftsAttributeOnlyWithoutTheStandardOne) {
    EXPECT_EQ(parse("extensions_microsoft").value().subject_alt_names().at(0).to_text(), "dns:microsoft.example");
    const auto both = parse("extensions_both").value();
    ASSERT_EQ(both.subject_alt_names().size(), 1u);
    EXPECT_EQ(both.subject_alt_names()[0].to_text(), "dns:pkcs9.example");
}

TEST(SignedRequest, ReadsChallengePasswords) {
    EXPECT_EQ(parse("challenge").value().challenge_password(), "secret password");
    EXPECT_EQ(parse("challenge_utf8").value().challenge_password(), "pässword");
    EXPECT_EQ(parse("challenge_bmp").value().challenge_password(), "pässword");
    EXPECT_EQ(parse("challenge_ia5").value().challenge_password(), "p@ssword");
    const auto two = parse("two_attributes").value();
    EXPECT_EQ(two.challenge_password(), "secret");
    EXPECT_EQ(two.attributes().size(), 2u);
    EXPECT_EQ(directory_string_attribute(two.attributes(), oid::unstructured_name).value(), "an unstructured name");
    EXPECT_FALSE(directory_string_attribute(two.attributes(), oid::otp_challenge).value());
    EXPECT_EQ(two.attribute(oid::otp_challenge), nullptr);
}

TEST(SignedRequest, ReadsRfc9148) {
    const auto a2 = SignedRequest::parse(data_file("rfc9148/a2-sen-request.csr"));
    ASSERT_TRUE(a2) << failure(a2);
    EXPECT_EQ(a2->public_key().type_name(), "p256");
    ASSERT_TRUE(a2->challenge_password());
    EXPECT_THAT(*a2->challenge_password(), testing::StartsWith("vCv0)*&JKJ;"));
    EXPECT_EQ(a2->challenge_password()->size(), 37u);
    ASSERT_EQ(a2->subject_alt_names().size(), 1u);
    EXPECT_THAT(a2->subject_alt_names()[0].to_text(), HasSubstr("othername:1.3.6.1.5.5.7.8.4#"));
    const auto a3 = SignedRequest::parse(data_file("rfc9148/a3-skg-request.csr"));
    ASSERT_TRUE(a3) << failure(a3);
    EXPECT_FALSE(a3->challenge_password());
}

TEST(SignedRequest, Rfc7030ExamplesAreWellFormedButSha1) {
    // What is refused is their signature algorithm alone: syntax is checked first.
    for (const auto* name : {"rfc7030/a3-simpleenroll-request.csr", "rfc7030/a4-serverkeygen-request.csr"}) {
        const auto request = SignedRequest::parse(data_file(name));
        ASSERT_FALSE(request);
        EXPECT_EQ(request.error().code, Code::bad_key) << request.error().detail;
    }
}

}  // namespace
}  // namespace estuary::x509
