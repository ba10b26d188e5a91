// What policy sees of a request, whatever its syntax.
#include "estuary/x509/certification_request.h"

#include <gtest/gtest.h>

#include "tests/unit/x509/support.h"

namespace estuary::x509 {
namespace {

const SignedRequest& signed_request() {
    static const auto request = [] {
        const auto key = crypto::PrivateKey::generate("p256").value();
        RequestTemplate wanted;
        wanted.subject = Name::from_text("CN=device 1").value();
        wanted.extensions = {make_subject_alt_name({GeneralName::from_text("dns:a.example").value()}, false)};
        wanted.attributes = {make_challenge_password("linking")};
        return SignedRequest::parse(make_request(wanted, key).value()).value();
    }();
    return request;
}

TEST(CertificationRequest, SaysWhatTheSignedRequestSays) {
    const CertificationRequest request = signed_request();
    EXPECT_EQ(request.possession(), Possession::signature);
    EXPECT_TRUE(std::ranges::equal(request.der(), signed_request().der()));
    EXPECT_TRUE(std::ranges::equal(request.spki(), signed_request().spki()));
    EXPECT_EQ(request.subject(), signed_request().subject());
    EXPECT_EQ(request.subject_alt_names(), signed_request().subject_alt_names());
    EXPECT_NE(request.attribute(oid::challenge_password), nullptr);
    EXPECT_FALSE(request.not_before() || request.not_after());
}

TEST(CertificationRequest, ForAKeyMadeHereHasThatKeyAndTheSameRest) {
    const CertificationRequest request = signed_request();
    const auto key = crypto::PrivateKey::generate("p384").value();
    const auto changed = request.for_generated_key(key.public_key().spki()).value();
    EXPECT_EQ(changed.possession(), Possession::generated_here);
    EXPECT_TRUE(std::ranges::equal(changed.spki(), key.public_key().spki()));
    EXPECT_EQ(changed.public_key().type_name(), "p384");
    EXPECT_TRUE(std::ranges::equal(changed.der(), request.der()));
    EXPECT_EQ(changed.subject_alt_names(), request.subject_alt_names());
    EXPECT_NE(changed.attribute(oid::challenge_password), nullptr);
}

TEST(CertificationRequest, PartsMakeTheSameAgain) {
    auto parts = CertificationRequest{signed_request()}.parts();
    parts.not_after = Time{Seconds{2'000'000'000}};
    parts.possession = Possession::decryption;
    const auto made = CertificationRequest::make(parts).value();
    EXPECT_EQ(made.subject(), signed_request().subject());
    EXPECT_EQ(made.not_after(), parts.not_after);
    EXPECT_EQ(made.possession(), Possession::decryption);
}

TEST(CertificationRequest, UnprovenRequestsSayWhatTheyAskForAndProveNothing) {
    auto der = to_vec(CertificationRequest{signed_request()}.der());
    der.back() ^= 1;  // a wrong signature
    EXPECT_FALSE(SignedRequest::parse(der));
    const auto unproven = parse_unproven(der).value();
    EXPECT_EQ(unproven.parts.possession, Possession::decryption);
    EXPECT_EQ(unproven.parts.subject, signed_request().subject());
    EXPECT_EQ(unproven.parts.extensions, signed_request().extensions());
    EXPECT_TRUE(std::ranges::equal(unproven.parts.spki, signed_request().spki()));
    EXPECT_TRUE(CertificationRequest::make(unproven.parts));
    EXPECT_EQ(parse_unproven(Bytes{der}.first(der.size() - 1)).error().code, Code::malformed);
}

TEST(CertificationRequest, RefusesNamesAndKeysThatAreNone) {
    auto parts = CertificationRequest{signed_request()}.parts();
    parts.extensions = {{oid::subject_alt_name, false, {0x30, 0x03, 0x82, 0x01}}};
    EXPECT_EQ(CertificationRequest::make(parts).error().code, Code::malformed);
    parts = CertificationRequest{signed_request()}.parts();
    parts.spki = {0x30, 0x00};
    EXPECT_FALSE(CertificationRequest::make(parts));
}

}  // namespace
}  // namespace estuary::x509
