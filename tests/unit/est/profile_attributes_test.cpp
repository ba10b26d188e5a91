#include "estuary/est/profile_attributes.h"

#include <algorithm>

#include "support.h"

namespace estuary::est {
namespace {

using namespace test;
using authority::Profile;

Profile device() {
    Profile profile;
    profile.name = "device";
    profile.key_types = {"p384", "rsa3072"};
    return profile;
}

std::vector<std::string> listed(const CsrAttrs& attributes) {
    std::vector<std::string> out;
    for (const auto& item : attributes.items) out.push_back(item.oid.dotted() + (item.values ? "=" : ""));
    return out;
}

TEST(EstProfileAttributes, KeyAndSignatureAreNamedInBothForms) {
    const auto attributes = attributes_of(device(), false);
    EXPECT_THAT(listed(attributes), testing::ElementsAre("1.2.840.10045.2.1=", "1.2.840.10045.4.3.3"));
    EXPECT_EQ(attributes.items[0].values->front(), hex("06052b81040022"));   // secp384r1, as in RFC 7030 4.5.2
    ASSERT_TRUE(attributes.request_template);
    EXPECT_EQ(*attributes.request_template->key_algorithm, hex("301006072a8648ce3d020106052b81040022"));
    EXPECT_FALSE(attributes.request_template->rsa_bits);
}

TEST(EstProfileAttributes, RsaIsNamedWithItsSize) {
    auto profile = device();
    profile.key_types = {"rsa4096"};
    const auto attributes = attributes_of(profile, false);
    // As RFC 9908 5.4: rsaEncryption with INTEGER 4096
    EXPECT_EQ(attributes.items[0].oid, oid::rsa_encryption);
    EXPECT_EQ(attributes.items[0].values->front(), hex("02021000"));
    EXPECT_EQ(attributes.request_template->rsa_bits, 4096u);
    EXPECT_EQ(*attributes.request_template->key_algorithm, hex("300d06092a864886f70d0101010500"));
}

TEST(EstProfileAttributes, KeysWithoutParametersHaveNoValues) {
    auto profile = device();
    profile.key_types = {"ed25519"};
    const auto attributes = attributes_of(profile, false);
    EXPECT_THAT(listed(attributes), testing::ElementsAre("1.3.101.112="));
    EXPECT_TRUE(attributes.items[0].values->empty());
}

TEST(EstProfileAttributes, UnknownKeyTypesArePassedOver) {
    auto profile = device();
    profile.key_types = {"quantum-9000", "p256"};
    EXPECT_EQ(attributes_of(profile, false).items[0].values->front(), hex("06082a8648ce3d030107"));
}

TEST(EstProfileAttributes, RequiredLinkingIsListedInBothWays) {
    for (const auto& attributes : {attributes_of(device(), true), [] {
                                       auto profile = device();
                                       profile.ask_for_linking = true;
                                       return attributes_of(profile, false);
                                   }()}) {
        EXPECT_EQ(attributes.items[0].oid, x509::oid::challenge_password);
        EXPECT_FALSE(attributes.items[0].values);
        EXPECT_EQ(attributes.items[1].oid, x509::oid::est_identity_linking);
    }
    EXPECT_EQ(std::ranges::count(attributes_of(device(), false).items, x509::oid::challenge_password, &AttrOrOid::oid), 0);
}

TEST(EstProfileAttributes, SubjectIsAskedForAsFarAsItIsRequired) {
    auto profile = device();
    EXPECT_FALSE(attributes_of(profile, false).request_template->subject);
    profile.subject.required = {x509::oid::serial_number, x509::oid::organization_name};
    profile.subject.fixed = x509::Name::from_text("O=Example").value();
    const auto attributes = attributes_of(profile, false);
    EXPECT_THAT(listed(attributes), testing::Contains("2.5.4.5"));          // bare, as in RFC 9908 5.5
    EXPECT_THAT(listed(attributes), testing::Not(testing::Contains("2.5.4.10")));
    ASSERT_TRUE(attributes.request_template->subject);
    const auto& subject = *attributes.request_template->subject;
    ASSERT_EQ(subject.size(), 2u);
    EXPECT_EQ(subject[0][0].type, x509::oid::organization_name);
    EXPECT_EQ(subject[0][0].value->second, "Example");
    EXPECT_EQ(subject[1][0].type, x509::oid::serial_number);
    EXPECT_FALSE(subject[1][0].value);
}

TEST(EstProfileAttributes, SanIsLeftToTheClient) {
    auto profile = device();
    profile.ask_for_san = true;
    const auto attributes = attributes_of(profile, false);
    EXPECT_THAT(listed(attributes), testing::Contains("2.5.29.17"));        // not inside an extensionRequest (RFC 9908 5.2)
    const auto& extensions = attributes.request_template->extensions;
    EXPECT_EQ(extensions[0].id, x509::oid::subject_alt_name);
    EXPECT_FALSE(extensions[0].value);
}

TEST(EstProfileAttributes, UsagesAreGivenWithTheirValues) {
    auto profile = device();
    profile.key_usage = x509::digital_signature | x509::key_encipherment;
    profile.ext_key_usage = {x509::oid::kp_client_auth};
    const auto for_ec = attributes_of(profile, false);
    const auto& ec = for_ec.request_template->extensions;
    ASSERT_EQ(ec.size(), 2u);
    EXPECT_TRUE(ec[0].critical);
    EXPECT_EQ(*ec[0].value, hex("03020780"));                               // EC keys encipher nothing
    EXPECT_EQ(*ec[1].value, x509::make_ext_key_usage({x509::oid::kp_client_auth}).value);
    profile.key_types = {"rsa3072"};
    const auto for_rsa = attributes_of(profile, false);
    EXPECT_EQ(*for_rsa.request_template->extensions[0].value, hex("030205a0"));
}

TEST(EstProfileAttributes, NothingToAskIsEmpty) {
    auto profile = device();
    profile.ask_for_key_type = false;
    EXPECT_TRUE(attributes_of(profile, false).empty());
    profile.csrattrs_template = false;
    EXPECT_TRUE(attributes_of(profile, false).empty());
}

TEST(EstProfileAttributes, TemplateCanBeLeftOut) {
    auto profile = device();
    profile.csrattrs_template = false;
    EXPECT_FALSE(attributes_of(profile, false).request_template);
    EXPECT_FALSE(attributes_of(profile, false).items.empty());
}

TEST(EstProfileAttributes, WhatIsWrittenIsReadBack) {
    auto profile = device();
    profile.subject.required = {x509::oid::common_name};
    profile.ask_for_san = true;
    const auto written = attributes_of(profile, true).encode();
    const auto back = CsrAttrs::parse(written);
    ASSERT_TRUE(back) << failure(back);
    EXPECT_EQ(back->encode(), written);
}

}  // namespace
}  // namespace estuary::est
