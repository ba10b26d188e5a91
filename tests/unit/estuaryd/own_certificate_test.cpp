#include "apps/estuaryd/own_certificate.h"

#include <gtest/gtest.h>

namespace estuary::daemon {
namespace {

TEST(OwnCertificate, CommonNameIsTheFirstThatFits) {
    EXPECT_EQ(first_common_name({"issuing CMP", "CMP"}).to_text(), "CN=issuing CMP");
    const std::string fits(64, 'a');
    EXPECT_EQ(first_common_name({fits}).to_text(), "CN=" + fits);
    EXPECT_EQ(first_common_name({fits + "a", "CMP"}).to_text(), "CN=CMP") << "RFC 5280 A.1: 64 characters";
    EXPECT_TRUE(first_common_name({fits + "a"}).empty());
    EXPECT_TRUE(first_common_name({}).empty());
}

TEST(OwnCertificate, OfAServiceHasItsFilesAndAProfileThatSignsOnly) {
    const auto wanted = service_certificate("/data/cmp", "issuing", "estuaryd-cmp:issuing", "issuing", "p384", first_common_name({"CMP"}));
    EXPECT_EQ(wanted.certificate, "/data/cmp/issuing.pem");
    EXPECT_EQ(wanted.key, "/data/cmp/issuing.key");
    EXPECT_TRUE(wanted.names.empty());
    const auto profile = service_profile(wanted.profile, wanted.ca, wanted.key_type, x509::oid::kp_cmc_ca);
    EXPECT_EQ(profile.name, "estuaryd-cmp:issuing");
    EXPECT_EQ(profile.key_types, std::vector<std::string>{"p384"});
    EXPECT_EQ(profile.key_usage, x509::digital_signature);
    EXPECT_EQ(profile.ext_key_usage, std::vector<der::Oid>{x509::oid::kp_cmc_ca});
    EXPECT_EQ(profile.validity, Seconds{365 * 86400LL});
}

/// A CA whose own certificate has been replaced by another one for the same key: a subordinate CA. What the server sends along follows.
TEST(OwnCertificate, IsRenewedWhereTheCaHasAnotherPath) {
    const auto name = [](const char* text) { return x509::Name::from_text(text).value(); };
    const Time today{Seconds{1'795'000'000}};
    const auto certificate = [&](const char* subject, const crypto::PrivateKey& key, const char* issuer, const crypto::PrivateKey& issuer_key) {
        x509::TbsCertificate tbs;
        tbs.serial_number = {0x07};
        tbs.signature_algorithm = issuer_key.signature_algorithm().value()->identifier;
        tbs.issuer = name(issuer);
        tbs.not_before = today - Seconds{60};
        tbs.not_after = today + Seconds{90 * 86400};
        tbs.subject = name(subject);
        tbs.spki = to_vec(key.public_key().spki());
        const auto encoded = x509::encode_tbs(tbs);
        return x509::Certificate::parse(x509::encode_certificate(encoded, tbs.signature_algorithm, issuer_key.sign(encoded).value())).value();
    };
    const auto generate = [] { return crypto::PrivateKey::generate("p256").value(); };
    const auto root = generate(), above = generate(), issuing = generate(), server = generate();
    authority::CaConfig ca;
    ca.name = "issuing";
    ca.certificate = certificate("CN=Issuing", issuing, "CN=Root", root);
    ca.chain = {certificate("CN=Root", root, "CN=Root", root)};
    const auto leaf = certificate("CN=server", server, "CN=Issuing", issuing);
    const Result<CertificateAndKey> present = CertificateAndKey{{leaf, ca.certificate}, server};
    EXPECT_FALSE(why_renew(present, ca, today));
    ca.certificate = certificate("CN=Issuing", issuing, "CN=Above", above);
    EXPECT_TRUE(why_renew(present, ca, today));
    const auto between = certificate("CN=Above", above, "CN=Top", root);
    ca.chain = {between, certificate("CN=Top", root, "CN=Top", root)};
    EXPECT_TRUE(why_renew(CertificateAndKey{{leaf, ca.certificate}, server}, ca, today)) << "the CA in between is missing";
    EXPECT_FALSE(why_renew(CertificateAndKey{{leaf, ca.certificate, between}, server}, ca, today));
}

}  // namespace
}  // namespace estuary::daemon
