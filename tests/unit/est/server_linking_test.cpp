#include "estuary/est/linking.h"
#include "world.h"

namespace estuary::est {
namespace {

using namespace test;
using authority::Linking;
using testing::HasSubstr;

const ByteVec unique_binding(12, 0x11), exporter_binding(32, 0x22), foreign_binding(32, 0x33);

http::ChannelBindings bindings(bool unique, bool exporter) {
    return {unique ? unique_binding : ByteVec{}, exporter ? exporter_binding : ByteVec{}};
}

struct LinkCase {
    std::string name;
    std::optional<std::string> challenge, linking;   // challengePassword, estIdentityLinking
    bool unique, exporter;
    Linking outcome;
};
class EstLinking : public testing::TestWithParam<LinkCase> {};

x509::RequestTemplate with(const std::optional<std::string>& challenge, const std::optional<std::string>& linking) {
    auto wanted = subject("CN=device");
    if (challenge) wanted.attributes.push_back(x509::make_challenge_password(*challenge));
    if (linking)
        wanted.attributes.push_back(x509::make_directory_string_attribute(x509::oid::est_identity_linking, *linking));
    return wanted;
}

TEST_P(EstLinking, IsFound) {
    const auto& param = GetParam();
    const auto request = x509::SignedRequest::parse(make_request(with(param.challenge, param.linking)).der).value();
    const auto found = linking_of(request.attributes(), bindings(param.unique, param.exporter));
    ASSERT_TRUE(found) << failure(found);
    EXPECT_EQ(*found, param.outcome);
}
const auto unique_text = to_base64(unique_binding), exporter_text = to_base64(exporter_binding),
           foreign_text = to_base64(foreign_binding);
INSTANTIATE_TEST_SUITE_P(Rfc7030, EstLinking, testing::Values(
    LinkCase{"absent", {}, {}, true, true, Linking::absent},
    LinkCase{"unique_on_tls12", unique_text, {}, true, false, Linking::matched},
    LinkCase{"exporter_on_tls13", exporter_text, {}, false, true, Linking::matched},
    LinkCase{"exporter_on_tls12", exporter_text, {}, true, true, Linking::matched},
    LinkCase{"foreign", foreign_text, {}, true, true, Linking::mismatched},
    LinkCase{"unique_on_tls13", unique_text, {}, false, true, Linking::mismatched},
    LinkCase{"without_bindings", exporter_text, {}, false, false, Linking::mismatched},
    LinkCase{"a_password", "correct horse battery staple", {}, true, true, Linking::mismatched},
    LinkCase{"nothing_in_base64", "====", {}, false, false, Linking::mismatched},
    LinkCase{"one_octet_short", to_base64(Bytes{exporter_binding}.first(31)), {}, true, true, Linking::mismatched},
    LinkCase{"rfc7894", {}, exporter_text, false, true, Linking::matched},
    LinkCase{"rfc7894_foreign", {}, foreign_text, false, true, Linking::mismatched},
    LinkCase{"both", exporter_text, exporter_text, false, true, Linking::matched},
    LinkCase{"both_of_different_kinds", unique_text, exporter_text, true, true, Linking::matched},
    LinkCase{"first_wrong", foreign_text, exporter_text, false, true, Linking::mismatched},   // RFC 7894 4: each for itself
    LinkCase{"second_wrong", exporter_text, foreign_text, false, true, Linking::mismatched}),
    [](const auto& test) { return test.param.name; });

TEST(EstLinking, LongerThan255IsMalformed) {
    auto wanted = subject("CN=device");
    wanted.attributes.push_back({x509::oid::est_identity_linking, {utf8(std::string(256, 'A'))}});
    const auto request = x509::SignedRequest::parse(make_request(wanted).der).value();
    EXPECT_EQ(linking_of(request.attributes(), {}).error().code, Code::malformed);
}

TEST(EstLinking, SeveralValuesAreMalformed) {
    for (const auto& type : {x509::oid::otp_challenge, x509::oid::revocation_challenge}) {
        auto wanted = subject("CN=device");
        wanted.attributes.push_back({type, {utf8("one"), utf8("two")}});
        const auto request = x509::SignedRequest::parse(make_request(wanted).der).value();
        EXPECT_EQ(one_time_password_of(request.attributes()).error().code, Code::malformed);
    }
    auto wanted = subject("CN=device");
    wanted.attributes.push_back({x509::oid::est_identity_linking, {utf8(exporter_text), utf8(exporter_text)}});
    const auto request = x509::SignedRequest::parse(make_request(wanted).der).value();
    EXPECT_EQ(linking_of(request.attributes(), bindings(true, true)).error().code, Code::malformed);
}

TEST(EstLinking, OidsAreThoseAssigned) {   // RFC 7894 3.1 to 3.3
    EXPECT_EQ(x509::oid::otp_challenge.dotted(), "1.2.840.113549.1.9.16.2.56");
    EXPECT_EQ(x509::oid::revocation_challenge.dotted(), "1.2.840.113549.1.9.16.2.57");
    EXPECT_EQ(x509::oid::est_identity_linking.dotted(), "1.2.840.113549.1.9.16.2.58");
}

TEST(EstLinking, PrintableAndUtf8StringsAreRead) {   // RFC 7894 3
    for (const auto* text : {"plain", "sch\xc3\xb6n"}) {
        auto wanted = subject("CN=device");
        wanted.attributes.push_back(x509::make_directory_string_attribute(x509::oid::otp_challenge, text));
        const auto request = x509::SignedRequest::parse(make_request(wanted).der).value();
        EXPECT_EQ(one_time_password_of(request.attributes()).value(), text);
    }
}

/// The challengePassword of RFC 9148 A.2 is 39 characters of anything; no session ever had such a binding.
TEST(EstLinking, ExampleOfRfc9148IsNotOfThisSession) {
    const auto request = x509::SignedRequest::parse(data_file("rfc9148-a2-request.b64")).value();
    EXPECT_EQ(linking_of(request.attributes(), bindings(true, true)).value(), Linking::mismatched);
}

class EstLinkingServer : public EstServer {
protected:
    http::Response enroll(const std::string& label, const x509::RequestTemplate& wanted, const http::Peer& from = peer(),
                          const std::string& login = alice()) {
        return world.send(post(target(label, "simpleenroll"), make_request(wanted).der, login), from);
    }
    const std::string right = to_base64(peer().bindings.tls_exporter);
};

TEST_F(EstLinkingServer, PresentBindingIsCheckedAlways) {
    EXPECT_EQ(enroll("", with(right, {})).status, 200u);
    EXPECT_EQ(enroll("", with({}, right)).status, 200u);
    const auto response = enroll("", with(foreign_text, {}));
    EXPECT_EQ(response.status, 400u);
    EXPECT_THAT(response.body, HasSubstr("linked"));
    EXPECT_EQ(enroll("", with(right, foreign_text)).status, 400u);
}

TEST_F(EstLinkingServer, RequiredBindingIsAskedFor) {
    const auto response = enroll("linked", with({}, {}));
    EXPECT_EQ(response.status, 400u);
    EXPECT_THAT(response.body, HasSubstr("must be linked"));
    EXPECT_EQ(enroll("linked", with(right, {})).status, 200u);
}

/// RFC 7030 3.7: a registration authority passes on what it checked itself. Only one of this CA.
TEST_F(EstLinkingServer, RegistrationAuthorityIsExempt) {
    auto wanted = subject("CN=ra");
    wanted.extensions.push_back(x509::make_subject_alt_name({x509::GeneralName::from_text("dns:ra.example").value()}, false));
    const auto made = make_request(wanted);
    const auto response = world.send(post(target("ra", "simpleenroll"), made.der, alice()), peer());
    ASSERT_EQ(response.status, 200u) << response.body;
    const auto certificate = issued(response);
    const Identity ra{made.key, certificate,
                      {to_vec(certificate.der()), to_vec(world.ca->issuing.der()), to_vec(world.ca->root.der())}};
    EXPECT_EQ(enroll("", with(foreign_text, {}), peer(ra), {}).status, 200u);
    EXPECT_EQ(enroll("linked", with({}, {}), peer(ra), {}).status, 200u);
    const auto plain = world.enrolled("", "CN=device");
    EXPECT_EQ(enroll("", with(foreign_text, {}), peer(plain), {}).status, 400u);
}

/// Approval takes longer than a TLS session lasts: the same octets are answered over another one, made-up ones are not.
TEST_F(EstLinkingServer, ApprovalOutlivesTheTlsSession) {
    const auto request = post(target("manual", "simpleenroll"), make_request(with(right, {})).der, alice());
    ASSERT_EQ(world.send(request, peer()).status, 202u);
    auto later = peer();
    later.bindings.tls_exporter = ByteVec(32, 0x77);
    EXPECT_EQ(world.send(request, later).status, 202u);
    authority::Principal person;
    person.operator_ = true;
    store::UnitOfWork work;
    ASSERT_TRUE(world.authority->decide(world.store->pending_requests(std::nullopt).value().at(0).id, true, "", person, work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_EQ(world.send(request, later).status, 200u);
    EXPECT_EQ(enroll("manual", with(right, {}), later).status, 400u);
}

x509::RequestTemplate with_otp(const std::string& password) {
    auto wanted = subject("CN=device");
    wanted.attributes.push_back(x509::make_directory_string_attribute(x509::oid::otp_challenge, password));
    return wanted;
}

/// RFC 7894 3.1 and 4: the one-time password is the credential's own; anything else refuses the whole request.
TEST_F(EstLinkingServer, OneTimePasswordIsTheCredentials) {
    EXPECT_EQ(enroll("", with_otp(alice_password)).status, 200u);
    const auto wrong = enroll("", with_otp("guess"));
    EXPECT_EQ(wrong.status, 400u);
    EXPECT_THAT(wrong.body, HasSubstr("otpChallenge"));
    EXPECT_EQ(enroll("", with_otp(bob_password)).status, 400u);
    std::string other_case{alice_password};
    other_case[0] = 'A';
    EXPECT_EQ(enroll("", with_otp(other_case)).status, 400u);
    const auto identity = world.enrolled("", "CN=device");
    EXPECT_EQ(enroll("", with_otp(alice_password), peer(identity), {}).status, 400u);   // nobody's password
}

TEST_F(EstLinkingServer, RevocationChallengeIsPutUpWith) {
    auto wanted = subject("CN=device");
    wanted.attributes.push_back(x509::make_directory_string_attribute(x509::oid::revocation_challenge, "later"));
    EXPECT_EQ(enroll("", wanted).status, 200u);
}

}  // namespace
}  // namespace estuary::est
