#include "world.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

class EstAuthentication : public EstServer {
protected:
    http::Response enroll(const std::string& label, const http::Peer& from, const std::string& login = {},
                          const std::string& name = "CN=device") {
        return world.send(post(target(label, "simpleenroll"), make_request(test::subject(name)).der, login), from);
    }
    http::Response renew(const std::string& label, const Identity& identity, const std::string& name,
                         const std::string& login = {}) {
        return world.send(post(target(label, "simplereenroll"), make_request(test::subject(name)).der, login), peer(identity));
    }
};

std::vector<std::string> challenges(const http::Response& response) {
    std::vector<std::string> out;
    for (const auto& field : response.headers.fields())
        if (field.name == "WWW-Authenticate") out.push_back(field.value.substr(0, field.value.find(' ')));
    return out;
}

TEST_F(EstAuthentication, UnauthenticatedIsChallengedByWhatTheLabelAccepts) {
    const auto response = enroll("", peer());
    EXPECT_EQ(response.status, 401u);
    EXPECT_EQ(response.headers.find("WWW-Authenticate"), "Basic realm=\"test realm\", charset=\"UTF-8\"");
    EXPECT_THAT(response.body, HasSubstr("password"));
    EXPECT_THAT(challenges(enroll("digest", peer())), testing::ElementsAre("Digest"));
    world.restart([](ServerConfig& config) { config.labels[0].enroll.digest = true; });
    EXPECT_THAT(challenges(enroll("", peer())), testing::ElementsAre("Digest", "Basic"));
}

struct LoginCase {
    std::string name, login;
    unsigned status;
};
class EstLogin : public testing::TestWithParam<LoginCase> {};

TEST_P(EstLogin, IsJudged) {
    World world;
    const auto before = world.certificates();
    const auto response = world.send(post(target("", "simpleenroll"), make_request(subject("CN=device")).der, GetParam().login),
                                     peer());
    EXPECT_EQ(response.status, GetParam().status) << response.body;
    EXPECT_EQ(world.certificates() - before, GetParam().status == 200 ? 1 : 0);
}
INSTANTIATE_TEST_SUITE_P(Basic, EstLogin, testing::Values(
    LoginCase{"right", basic("alice", alice_password), 200}, LoginCase{"lower_case_scheme", "basic" + basic("alice", alice_password).substr(5), 200},
    LoginCase{"wrong_password", basic("alice", "wrong"), 401}, LoginCase{"empty_password", basic("alice", ""), 401},  // bug class 9
    LoginCase{"unknown_name", basic("nobody", alice_password), 401}, LoginCase{"empty_name", basic("", alice_password), 401},
    LoginCase{"both_empty", basic("", ""), 401}, LoginCase{"other_case", basic("Alice", alice_password), 401},   // bug class 13
    LoginCase{"blank_after_name", basic("alice ", alice_password), 401}, LoginCase{"star", basic("*", alice_password), 401},
    LoginCase{"of_another", basic("alice", bob_password), 401}, LoginCase{"no_base64", "Basic !!!", 400},
    LoginCase{"no_colon", "Basic YWxpY2U=", 400}, LoginCase{"nul", "Basic YQBiOmM=", 400},
    LoginCase{"bearer", "Bearer abc", 401}, LoginCase{"digest_where_basic_is", "Digest username=\"alice\"", 401},
    LoginCase{"blank", " ", 401}),
    [](const auto& test) { return test.param.name; });

TEST_F(EstAuthentication, UnknownNameAndWrongPasswordLookAlike) {
    EXPECT_EQ(enroll("", peer(), basic("alice", "wrong")).body, enroll("", peer(), basic("nobody", "wrong")).body);
}

TEST_F(EstAuthentication, ExpiredCredentialIsRefused) {
    world.add_credential("late", "the-password-of-late-people", [&](auto& record) { record.expires_at = world.clock.now() + Seconds{60}; });
    const auto login = basic("late", "the-password-of-late-people");
    EXPECT_EQ(enroll("", peer(), login).status, 200u);
    world.clock.advance(Seconds{60});
    EXPECT_EQ(enroll("", peer(), login).status, 401u);
}

TEST_F(EstAuthentication, GuessingIsSlowedAndSaysWhenToTryAgain) {
    auto guesser = peer();
    guesser.address = "198.51.100.7";
    http::Response response;
    for (int i = 0; i < 40 && response.status != 503; ++i) response = enroll("", guesser, basic("alice", "guess"));
    EXPECT_EQ(response.status, 503u);
    EXPECT_TRUE(response.headers.find("Retry-After"));
    EXPECT_EQ(enroll("", peer(), alice()).status, 200u);   // others are not kept out
}

/// bug class 9: a label for which nothing is configured refuses everybody.
TEST_F(EstAuthentication, ClosedLabelRefusesEverybody) {
    const auto ours = world.enrolled("", "CN=device");
    const auto device = world.device("CN=device");
    for (const auto& login : {std::string{}, alice()}) {
        EXPECT_EQ(enroll("closed", peer(), login).status, 403u);
        EXPECT_EQ(enroll("closed", peer(ours), login).status, 403u);
        EXPECT_EQ(enroll("closed", peer(device), login).status, 403u);
        EXPECT_EQ(renew("closed", ours, "CN=device", login).status, 403u);
    }
}

TEST_F(EstAuthentication, NoLabelsNoService) {   // bug class 9
    world.restart([](ServerConfig& config) { config.labels.clear(); });
    for (const auto* operation : {"cacerts", "csrattrs", "simpleenroll", "simplereenroll"}) {
        EXPECT_EQ(world.send(post(target("", operation), {}, alice()), peer()).status, 404u);
        EXPECT_EQ(world.send(get(target("", operation)), peer()).status, 404u);
    }
}

/// bug class 2: every label by every kind of client; what is off the diagonal is refused.
TEST_F(EstAuthentication, MatrixOfLabelsAndClients) {
    const std::map<std::string, http::Peer> clients{
        {"nobody", peer()},
        {"ours", peer(world.enrolled("", "CN=device"))},
        {"of other CA", peer(world.enrolled("other", "CN=device"))},
        {"acme", peer(world.device("CN=device", "acme"))},
        {"globex", peer(world.device("CN=device", "globex"))},
    };
    // The order of `clients`: acme, globex, nobody, of other CA, ours.
    const std::map<std::string, std::vector<unsigned>> without_password{
        {"", {401, 401, 401, 401, 200}},     {"other", {401, 401, 401, 200, 401}}, {"digest", {401, 401, 401, 401, 401}},
        {"acme", {200, 403, 403, 403, 403}}, {"both", {401, 403, 403, 403, 403}},  {"closed", {403, 403, 403, 403, 403}},
        {"off", {404, 404, 404, 404, 404}},  {"private", {401, 401, 401, 401, 401}},
    };
    const std::map<std::string, std::vector<unsigned>> with_password{
        {"", {200, 200, 200, 200, 200}},     {"other", {200, 200, 200, 200, 200}}, {"digest", {401, 401, 401, 401, 401}},
        {"acme", {200, 403, 403, 403, 403}}, {"both", {200, 403, 403, 403, 403}},  {"closed", {403, 403, 403, 403, 403}},
        {"off", {404, 404, 404, 404, 404}},  {"private", {200, 200, 200, 200, 200}},
    };
    const auto walk = [&](const auto& table, const std::string& login) {
        for (const auto& [label, statuses] : table) {
            std::size_t column = 0;
            for (const auto& [client, from] : clients)
                EXPECT_EQ(enroll(label, from, login).status, statuses[column++]) << '\'' << label << "' by " << client;
        }
    };
    walk(without_password, {});
    walk(with_password, alice());
}

TEST_F(EstAuthentication, CertificateAloneEnrollsItsOwnNamesOnly) {   // bug class 8
    const auto identity = world.enrolled("", "CN=device");
    EXPECT_EQ(enroll("", peer(identity), {}, "CN=device").status, 200u);
    EXPECT_EQ(enroll("", peer(identity), {}, "CN=somebody else").status, 403u);
}

TEST_F(EstAuthentication, UnverifiedCertificateCountsForNothing) {
    auto from = peer(world.enrolled("", "CN=device"));
    from.client_verified = false;
    from.client_verify_error = "certificate has expired";
    const auto without = enroll("", from);
    EXPECT_EQ(without.status, 401u);
    EXPECT_THAT(without.body, HasSubstr("certificate has expired"));
    EXPECT_EQ(enroll("", from, alice()).status, 200u);   // the password alone will do here
    const auto needed = enroll("acme", from);
    EXPECT_EQ(needed.status, 403u);
    EXPECT_THAT(needed.body, HasSubstr("certificate has expired"));
    EXPECT_EQ(enroll("both", from, alice()).status, 403u);
    EXPECT_EQ(world.send(post(target("", "simplereenroll"), make_request(test::subject("CN=device")).der, alice()), from).status, 403u);
}

TEST_F(EstAuthentication, ForgedVerificationErrorCannotBreakTheAnswer) {   // bug class 13
    auto from = peer();
    from.client_chain = {{0x30, 0x00}};
    from.client_verify_error = "bad\r\nSet-Cookie: x\x1b[31m";
    const auto response = enroll("", from);
    EXPECT_EQ(response.status, 401u);
    EXPECT_THAT(response.body, Not(HasSubstr("\r\n")));
    EXPECT_THAT(response.body, Not(HasSubstr("\x1b")));
}

TEST_F(EstAuthentication, WrongPasswordRefusesBesideAGoodCertificate) {
    const auto identity = world.enrolled("", "CN=device");
    EXPECT_EQ(enroll("", peer(identity), basic("alice", "wrong")).status, 401u);
}

TEST_F(EstAuthentication, CertificateAndPasswordAreBothNeeded) {
    const auto device = world.device("CN=device");
    EXPECT_EQ(enroll("both", peer(device)).status, 401u);
    EXPECT_EQ(enroll("both", peer(device), basic("alice", "wrong")).status, 401u);
    const auto response = enroll("both", peer(), alice());
    EXPECT_EQ(response.status, 403u);
    EXPECT_THAT(response.body, HasSubstr("client certificate"));
    EXPECT_EQ(enroll("both", peer(device), alice()).status, 200u);
}

/// bug class 6: revoked is refused at once, by every operation that asks who it is, also after a restart.
TEST_F(EstAuthentication, RevokedCertificateIsRefusedEverywhere) {
    const auto identity = world.enrolled("", "CN=device");
    ASSERT_EQ(enroll("", peer(identity)).status, 200u);
    world.revoke(identity.certificate);
    for (int round = 0; round < 2; ++round) {
        for (const auto* label : {"", "digest", "both", "acme", "linked", "manual", "other", "private"}) {
            EXPECT_EQ(enroll(label, peer(identity)).status, 403u) << label;
            EXPECT_EQ(enroll(label, peer(identity), alice()).status, 403u) << label;
            EXPECT_EQ(renew(label, identity, "CN=device").status, 403u) << label;
        }
        EXPECT_EQ(world.send(get(target("private", "csrattrs")), peer(identity)).status, 403u);
        EXPECT_THAT(enroll("", peer(identity)).body, HasSubstr("revoked"));
        world.restart();
    }
}

/// bug class 6: of our CA by name, but not in the store: refused.
TEST_F(EstAuthentication, UnrecordedCertificateIsRefused) {
    auto key = crypto::PrivateKey::generate("p256").value();
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x77};
    tbs.signature_algorithm = world.ca->issuing_key.signature_algorithm().value()->identifier;
    tbs.issuer = world.ca->issuing.subject();
    tbs.not_before = world.clock.now() - Seconds{60};
    tbs.not_after = world.clock.now() + Seconds{86400};
    tbs.subject = x509::Name::from_text("CN=device").value();
    tbs.spki = to_vec(key.public_key().spki());
    const auto encoded = x509::encode_tbs(tbs);
    const auto der = x509::encode_certificate(encoded, tbs.signature_algorithm, world.ca->issuing_key.sign(encoded).value());
    const auto certificate = x509::Certificate::parse(der).value();
    const Identity identity{key, certificate, {der, to_vec(world.ca->issuing.der()), to_vec(world.ca->root.der())}};
    EXPECT_EQ(enroll("", peer(identity)).status, 403u);
    EXPECT_EQ(renew("", identity, "CN=device").status, 403u);
}

TEST_F(EstAuthentication, RenewalAndRekeyGiveANewCertificate) {
    const auto identity = world.enrolled("", "CN=device,O=Example");
    const auto same_key = x509::make_request(test::subject("CN=device,O=Example"), identity.key).value();
    const auto renewed = world.send(post(target("", "simplereenroll"), same_key), peer(identity));
    ASSERT_EQ(renewed.status, 200u) << renewed.body;
    EXPECT_TRUE(same(issued(renewed).spki(), identity.certificate.spki()));
    EXPECT_NE(issued(renewed).serial_hex(), identity.certificate.serial_hex());
    const auto rekeyed = renew("", identity, "CN=device,O=Example");
    ASSERT_EQ(rekeyed.status, 200u) << rekeyed.body;
    EXPECT_FALSE(same(issued(rekeyed).spki(), identity.certificate.spki()));
}

/// bug class 5: renewal is authorised anew.
TEST_F(EstAuthentication, RenewalNeedsTheCertificateOfThisCaAndLabel) {
    const auto identity = world.enrolled("", "CN=device");
    const auto made = make_request(test::subject("CN=device"));
    EXPECT_EQ(world.send(post(target("", "simplereenroll"), made.der), peer()).status, 403u);
    EXPECT_EQ(world.send(post(target("", "simplereenroll"), made.der, alice()), peer()).status, 403u);
    EXPECT_EQ(renew("other", identity, "CN=device").status, 403u);                                // another CA
    EXPECT_EQ(renew("linked", identity, "CN=device").status, 403u);                               // another label
    EXPECT_EQ(renew("", world.enrolled("other", "CN=device"), "CN=device").status, 403u);
    EXPECT_EQ(renew("", world.device("CN=device"), "CN=device").status, 403u);                    // a manufacturer's
    EXPECT_EQ(renew("", identity, "CN=another").status, 400u);                                    // other names
    world.clock.advance(Seconds{91 * 86400});
    EXPECT_EQ(renew("", identity, "CN=device").status, 403u);                                     // expired
}

TEST_F(EstAuthentication, RenewalMayNeedAPasswordToo) {
    const auto identity = world.enrolled("strict-renewal", "CN=device");
    EXPECT_EQ(renew("strict-renewal", identity, "CN=device").status, 401u);
    EXPECT_EQ(renew("strict-renewal", identity, "CN=device", basic("alice", "wrong")).status, 401u);
    EXPECT_EQ(renew("strict-renewal", identity, "CN=device", alice()).status, 200u);
}

TEST_F(EstAuthentication, RenewalThatIsNotEnabledIsForbidden) {
    const auto identity = world.enrolled("", "CN=device");
    world.restart([](ServerConfig& config) { config.labels[0].renew = {}; });
    EXPECT_EQ(renew("", identity, "CN=device", alice()).status, 403u);
    world.restart([](ServerConfig& config) {   // a manufacturer's certificate is no reason to renew
        config.labels[0].renew = {};
        config.labels[0].renew.manufacturers = {"acme"};
    });
    EXPECT_EQ(renew("", identity, "CN=device", alice()).status, 403u);
}

}  // namespace
}  // namespace estuary::est
