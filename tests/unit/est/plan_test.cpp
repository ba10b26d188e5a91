#include <fmt/format.h>

#include "support.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::Contains;
using testing::HasSubstr;

Wishes wishes(const char* subject, std::initializer_list<const char*> names = {}) {
    Wishes out;
    out.subject = x509::Name::from_text(subject).value();
    for (const auto* name : names) out.subject_alt_names.push_back(x509::GeneralName::from_text(name).value());
    return out;
}
CsrAttrs list(std::string_view base64) { return CsrAttrs::parse(from_base64(base64).value()).value(); }
CsrAttrs asks(RequestInfoTemplate wanted) {
    CsrAttrs out;
    out.request_template = std::move(wanted);
    return out;
}
RequestPlan planned(const Wishes& w, const CsrAttrs& attributes) {
    auto plan = plan_request(w, attributes);
    EXPECT_TRUE(plan) << failure(plan);
    return plan.value();
}
std::vector<std::string> names_in(const RequestPlan& plan) {
    std::vector<std::string> out;
    const auto* extension = x509::find(plan.request.extensions, x509::oid::subject_alt_name);
    if (extension == nullptr) return out;
    const auto names = x509::parse_general_names(extension->value).value();
    for (const auto& name : names) out.push_back(name.to_text());
    return out;
}

TEST(EstPlan, WithoutServerWishesItIsWhatThePersonSays) {
    const auto plan = planned(wishes("CN=a,O=b", {"dns:a.example"}), {});
    EXPECT_EQ(plan.key_type, "p256");
    EXPECT_EQ(plan.request.subject.to_text(), "CN=a,O=b");
    EXPECT_THAT(names_in(plan), testing::ElementsAre("dns:a.example"));
    EXPECT_FALSE(plan.linking_wanted);
    EXPECT_TRUE(plan.notes.empty());
}

struct KeyCase {
    std::string name, base64, type;
};
class EstPlanKey : public testing::TestWithParam<KeyCase> {};
TEST_P(EstPlanKey, FollowsTheList) { EXPECT_EQ(planned(wishes("CN=a"), list(GetParam().base64)).key_type, GetParam().type); }
INSTANTIATE_TEST_SUITE_P(Rfc9908, EstPlanKey, testing::Values(
    KeyCase{"example_5_2_p384", "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==", "p384"},
    KeyCase{"example_5_3_p521", "MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZIzj0EAwQ=", "p521"},
    KeyCase{"example_5_4_rsa4096", "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==", "rsa4096"},
    KeyCase{"any_ec_key", to_base64(hex("300d300b06072a8648ce3d02013100")), "p256"},
    KeyCase{"signature_alone", to_base64(hex("300a06082a8648ce3d040303")), "p384"},
    KeyCase{"nothing", "MAA=", "p256"}, KeyCase{"unknown_things_of_rfc7030_a2", data_text("rfc7030-a2-csrattrs.b64"), "p256"}),
    [](const auto& test) { return test.param.name; });

TEST(EstPlan, ThePersonsKeyTypeWinsWithANote) {
    auto w = wishes("CN=a");
    w.key_type = "p256";
    const auto plan = planned(w, list("MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw=="));
    EXPECT_EQ(plan.key_type, "p256");
    EXPECT_THAT(plan.notes, Contains(HasSubstr("p384")));
}

TEST(EstPlan, KeysThatCannotBeMadeAreNoted) {
    RequestInfoTemplate wanted;
    wanted.key_algorithm = hex("3004" "06022a03");
    const auto plan = planned(wishes("CN=a"), asks(wanted));
    EXPECT_EQ(plan.key_type, "p256");
    EXPECT_THAT(plan.notes, Contains(HasSubstr("1.2.3")));
}

TEST(EstPlan, RsaSizeOfTheTemplateIsRoundedUp) {
    RequestInfoTemplate wanted;
    wanted.key_algorithm = hex("300d06092a864886f70d0101010500");
    for (const auto& [bits, type] : {std::pair{2048u, "rsa2048"}, {2500u, "rsa3072"}, {4096u, "rsa4096"}}) {
        wanted.rsa_bits = bits;
        EXPECT_EQ(planned(wishes("CN=a"), asks(wanted)).key_type, type);
    }
}

TEST(EstPlan, ChallengeAttributesAreSeenBesideATemplateToo) {
    auto attributes = list("MAsGCSqGSIb3DQEJBw==");
    EXPECT_TRUE(planned(wishes("CN=a"), attributes).linking_wanted);
    EXPECT_FALSE(planned(wishes("CN=a"), attributes).linking_by_attribute);
    attributes.items.push_back({x509::oid::est_identity_linking, std::nullopt});
    attributes.items.push_back({x509::oid::otp_challenge, std::nullopt});
    attributes.request_template.emplace();
    const auto plan = planned(wishes("CN=a"), attributes);
    EXPECT_TRUE(plan.linking_wanted);
    EXPECT_TRUE(plan.linking_by_attribute);
    EXPECT_TRUE(plan.one_time_password_wanted);
}

/// RFC 9908 4: the list does not count where there is a template.
TEST(EstPlan, TemplateReplacesTheList) {
    auto attributes = list("MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==");   // RSA 4096
    attributes.items.push_back({x509::oid::serial_number, std::nullopt});
    attributes.request_template.emplace();
    attributes.request_template->key_algorithm = hex("301006072a8648ce3d020106052b81040022");
    const auto plan = planned(wishes("CN=a"), attributes);
    EXPECT_EQ(plan.key_type, "p384");
    EXPECT_TRUE(plan.notes.empty());
}

/// The example that RFC 9908 3.4 draws.
TEST(EstPlan, ExampleOfRfc9908) {
    const auto attributes = CsrAttrs::parse(data_file("rfc9908-3.4-template.b64")).value();
    const auto plan = planned(wishes("CN=www", {"ip:192.0.2.1"}), attributes);
    EXPECT_EQ(plan.key_type, "p256");
    EXPECT_EQ(plan.request.subject.values(x509::oid::organizational_unit_name),
              (std::vector<std::string>{"myDept", "myGroup"}));
    EXPECT_THAT(names_in(plan), testing::UnorderedElementsAre("dns:www.myServer.com", "ip:192.0.2.1"));
    const auto* usage = x509::find(plan.request.extensions, x509::oid::key_usage);
    ASSERT_NE(usage, nullptr);
    EXPECT_TRUE(usage->critical);
    EXPECT_EQ(usage->value, hex("03020388"));
    EXPECT_NE(x509::find(plan.request.extensions, x509::oid::ext_key_usage), nullptr);
    // And such a request can be made and read.
    const auto key = crypto::PrivateKey::generate(plan.key_type).value();
    EXPECT_TRUE(x509::SignedRequest::parse(x509::make_request(plan.request, key).value()));
}

TEST(EstPlan, WhatTheClientCannotCompleteIsNoted) {
    const auto attributes = CsrAttrs::parse(data_file("rfc9908-3.4-template.b64")).value();
    const auto plan = planned(wishes("O=x"), attributes);
    EXPECT_THAT(plan.notes, Contains(HasSubstr("CN")));
    EXPECT_THAT(plan.notes, Contains(HasSubstr("[7]")));
    EXPECT_THAT(names_in(plan), testing::ElementsAre("dns:www.myServer.com"));
}

TEST(EstPlan, ServersValueReplacesThePersons) {
    RequestInfoTemplate wanted;
    wanted.subject = {{{x509::oid::organization_name, std::pair{der::Tag::utf8_string, std::string{"Example"}}}}};
    EXPECT_EQ(planned(wishes("CN=a,O=Mine"), asks(wanted)).request.subject.values(x509::oid::organization_name),
              std::vector<std::string>{"Example"});
    EXPECT_EQ(planned(wishes("CN=a"), asks(wanted)).request.subject.to_text(), "O=Example,CN=a");
    EXPECT_TRUE(planned(wishes("CN=a,O=Example"), asks(wanted)).notes.empty());
}

TEST(EstPlan, HostNameBecomesTheCommonName) {
    RequestInfoTemplate wanted;
    wanted.subject = {{{x509::oid::common_name, std::nullopt}}};
    const auto plan = planned(wishes("O=x", {"dns:a.example"}), asks(wanted));
    EXPECT_EQ(plan.request.subject.values(x509::oid::common_name), std::vector<std::string>{"a.example"});
    EXPECT_FALSE(plan.notes.empty());
}

TEST(EstPlan, CommonNameBecomesTheSan) {
    RequestInfoTemplate wanted;
    wanted.extensions = {{x509::oid::subject_alt_name, false, std::nullopt}};
    EXPECT_THAT(names_in(planned(wishes("CN=a.example"), asks(wanted))), testing::ElementsAre("dns:a.example"));
    EXPECT_TRUE(names_in(planned(wishes("CN=just a name"), asks(wanted))).empty());
    // The bare OID of the list says the same.
    CsrAttrs attributes;
    attributes.items.push_back({x509::oid::subject_alt_name, std::nullopt});
    EXPECT_THAT(names_in(planned(wishes("CN=a.example"), attributes)), testing::ElementsAre("dns:a.example"));
}

TEST(EstPlan, EmptyDirectoryNameIsTheSubject) {
    RequestInfoTemplate wanted;
    wanted.extensions = {{x509::oid::subject_alt_name, false, hex("3004a4023000")}};
    EXPECT_THAT(names_in(planned(wishes("CN=a"), asks(wanted))), testing::ElementsAre("dirname:CN=a"));
}

TEST(EstPlan, ExtensionsOfTheListAreTakenOver) {   // RFC 9908 5.1
    const auto attributes = list("MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIzYzM0NDAxMTIy"
                                 "MzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ==");
    const auto plan = planned(wishes("CN=a"), attributes);
    const auto* extension = x509::find(plan.request.extensions, x509::oid::subject_alt_name);
    ASSERT_NE(extension, nullptr);
    EXPECT_TRUE(extension->critical);
    EXPECT_EQ(x509::parse_general_names(extension->value).value().front().kind, x509::GeneralName::Kind::other_name);
}

TEST(EstPlan, UnreadableExtensionRequestIsNoted) {   // RFC 7030 4.5.2 has an OID there
    const auto plan = planned(wishes("CN=a"), list("MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw=="));
    EXPECT_EQ(plan.key_type, "p384");
    EXPECT_THAT(plan.notes, Contains(HasSubstr("extensions")));
    EXPECT_TRUE(plan.linking_wanted);
}

TEST(EstPlan, SanIsCriticalWithoutASubject) {
    const auto plan = planned(wishes("", {"dns:a.example"}), {});
    EXPECT_TRUE(x509::find(plan.request.extensions, x509::oid::subject_alt_name)->critical);
}

TEST(EstPlan, ASubjectThatNoNameMayHoldIsAnError) {
    RequestInfoTemplate wanted;
    wanted.subject = {{{x509::oid::country_name, std::pair{der::Tag::printable_string, std::string(200, 'X')}}}};
    EXPECT_FALSE(plan_request(wishes("CN=a"), asks(wanted)));
}

}  // namespace
}  // namespace estuary::est
