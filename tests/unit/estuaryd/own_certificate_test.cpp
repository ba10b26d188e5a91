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

}  // namespace
}  // namespace estuary::daemon
