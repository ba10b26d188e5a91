#include "estuary/est/client.h"

#include <deque>

#include "world.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

/// A server that says what it was told to say, and remembers what it was asked.
struct Script {
    std::deque<http::Response> answers;
    std::vector<http::Request> asked;
    Exchange exchange() {
        return [this](const http::Request& request) -> Result<http::Response> {
            asked.push_back(request);
            if (answers.empty()) return fail(Code::unavailable, "no more answers");
            auto next = std::move(answers.front());
            answers.pop_front();
            return next;
        };
    }
};

http::Response answer(unsigned status, std::string type, std::string body, std::initializer_list<http::Header> more = {}) {
    http::Response response;
    response.status = status;
    if (!type.empty()) response.headers.add("Content-Type", std::move(type));
    for (const auto& field : more) response.headers.add(field.name, field.value);
    response.body = std::move(body);
    return response;
}

class EstClient : public testing::Test {
protected:
    Client client() { return Client{script.exchange(), "est.example", "/.well-known/est", clock}; }
    void with(http::Response response) { script.answers.push_back(std::move(response)); }

    Script script;
    ManualClock clock{start_time};
    const ByteVec request = data_file("rfc9148-a2-request.b64");
};

constexpr const char* certs_only = "application/pkcs7-mime; smime-type=certs-only";

TEST_F(EstClient, CaCertificatesOfRfc9148) {
    with(answer(200, "application/pkcs7-mime", data_text("rfc9148-a1-cacerts.b64")));
    const auto got = client().ca_certificates();
    ASSERT_TRUE(got) << failure(got);
    const auto& certificates = std::get<0>(*got);
    ASSERT_EQ(certificates.size(), 1u);
    EXPECT_THAT(certificates[0].subject().to_text(), HasSubstr("CN=Root CA"));
    EXPECT_EQ(script.asked[0].method, "GET");
    EXPECT_EQ(script.asked[0].target, "/.well-known/est/cacerts");
    const auto bag = sort_ca_certificates(certificates);
    ASSERT_TRUE(bag) << failure(bag);
    EXPECT_EQ(bag->anchors, certificates);
}

TEST_F(EstClient, CaCertificatesOfRfc7030) {
    for (const auto* encoding : {"base64", "binary", "7bit"}) {   // RFC 8951 3: whatever it says
        with(answer(200, "application/pkcs7-mime", data_text("rfc7030-a1-cacerts.b64"), {{"Content-Transfer-Encoding", encoding}}));
        const auto got = client().ca_certificates();
        ASSERT_TRUE(got) << failure(got);
        EXPECT_EQ(std::get<0>(*got).size(), 4u);   // OldWithOld, OldWithNew, NewWithOld, NewWithNew
    }
}

TEST_F(EstClient, EnrollmentOfRfc9148) {
    with(answer(200, certs_only, data_text("rfc9148-a2-response.b64")));
    const auto got = client().enroll(request, false);
    ASSERT_TRUE(got) << failure(got);
    EXPECT_THAT(std::get<0>(*got).subject().to_text(), HasSubstr("Wt1234"));
    const auto& asked = script.asked.at(0);
    EXPECT_EQ(asked.method, "POST");
    EXPECT_EQ(asked.target, "/.well-known/est/simpleenroll");
    EXPECT_EQ(asked.headers.find("Content-Type"), "application/pkcs10");
    EXPECT_EQ(from_base64(asked.body).value(), request);
    with(answer(200, certs_only, data_text("rfc9148-a2-response.b64")));
    ASSERT_TRUE(client().enroll(request, true));
    EXPECT_EQ(script.asked.at(1).target, "/.well-known/est/simplereenroll");
}

struct AnswerCase {
    std::string name, type, body;
    bool good;
};
class EstClientAnswer : public testing::TestWithParam<AnswerCase> {};

std::string response_body() { return data_text("rfc9148-a2-response.b64"); }
ByteVec response_der() { return data_file("rfc9148-a2-response.b64"); }

TEST_P(EstClientAnswer, IsJudged) {
    Script script;
    ManualClock clock{start_time};
    script.answers.push_back(answer(200, GetParam().type, GetParam().body));
    const auto got = Client{script.exchange(), "h", "/.well-known/est", clock}.enroll(data_file("rfc9148-a2-request.b64"), false);
    EXPECT_EQ(got.has_value(), GetParam().good) << failure(got);
}
INSTANTIATE_TEST_SUITE_P(Enroll, EstClientAnswer, testing::Values(
    AnswerCase{"usual", certs_only, response_body(), true}, AnswerCase{"one_line", certs_only, to_base64(response_der()), true},
    AnswerCase{"upper_case", "APPLICATION/PKCS7-MIME;SMIME-TYPE=CERTS-ONLY", response_body(), true},
    AnswerCase{"without_parameter", "application/pkcs7-mime", response_body(), true},
    AnswerCase{"of_old_servers", "application/x-pkcs7-mime", response_body(), true},
    AnswerCase{"without_type", "", response_body(), true},
    AnswerCase{"pem", certs_only, to_pem("PKCS7", response_der()), true},
    AnswerCase{"der", certs_only, std::string{as_text(response_der())}, true},
    AnswerCase{"html", "text/html", response_body(), false}, AnswerCase{"empty", certs_only, "", false},
    AnswerCase{"not_base64", certs_only, "<html>", false},
    AnswerCase{"no_certificates", certs_only, to_base64(cms::encode_certs_only({})), false},
    AnswerCase{"another_key", certs_only, data_text("rfc9148-a1-cacerts.b64"), false},
    AnswerCase{"key_of_rfc7030", certs_only, data_text("rfc7030-a3-response.b64"), false}),
    [](const auto& test) { return test.param.name; });

TEST_F(EstClient, ACertificateForAnotherKeyIsNamedAsSuch) {
    with(answer(200, certs_only, data_text("rfc9148-a1-cacerts.b64")));
    EXPECT_EQ(client().enroll(request, false).error().code, Code::bad_key);
}

TEST_F(EstClient, WaitsAsLongAsTheServerSays) {
    const auto wait = [&](std::initializer_list<http::Header> fields) {
        with(answer(202, "text/plain", "later", fields));
        const auto got = client().enroll(request, false);
        return std::get<Wait>(*got).retry_after;
    };
    EXPECT_EQ(wait({{"Retry-After", "120"}}), Seconds{120});
    EXPECT_EQ(wait({{"Retry-After", http::imf_fixdate(start_time + Seconds{90})}}), Seconds{90});
    EXPECT_EQ(wait({{"Retry-After", "0"}}), Seconds{1});
    EXPECT_EQ(wait({{"Retry-After", "soon"}}), Seconds{60});
    EXPECT_EQ(wait({}), Seconds{60});
}

TEST_F(EstClient, RedirectsAreHandedBack) {
    for (const unsigned status : {301u, 302u, 307u, 308u}) {
        with(answer(status, "", "", {{"Location", "https://other.example/est"}}));
        const auto got = client().enroll(request, false);
        ASSERT_TRUE(got) << failure(got);
        EXPECT_EQ(std::get<Redirect>(*got).location, "https://other.example/est");
    }
    with(answer(307, "", ""));   // without Location
    EXPECT_FALSE(client().enroll(request, false));
    with(answer(303, "", "", {{"Location", "/x"}}));   // says GET, which enrolls nobody
    EXPECT_FALSE(client().enroll(request, false));
}

TEST_F(EstClient, CsrAttributesMayBeMissing) {
    const auto nothing = [&](http::Response response) {
        with(std::move(response));
        const auto got = client().csr_attributes();
        return got && std::get<CsrAttrs>(*got).empty();
    };
    EXPECT_TRUE(nothing(answer(204, "", "")));
    EXPECT_TRUE(nothing(answer(404, "text/plain", "no such thing")));
    EXPECT_TRUE(nothing(answer(200, "application/csrattrs", "")));
    EXPECT_TRUE(nothing(answer(200, "application/csrattrs", "MAA=")));
    EXPECT_FALSE(nothing(answer(200, "application/csrattrs", data_text("rfc7030-a2-csrattrs.b64"))));
    EXPECT_FALSE(nothing(answer(200, "text/html", "MAA=")));
    EXPECT_FALSE(nothing(answer(500, "", "")));
}

struct ErrorCase {
    unsigned status;
    Code code;
};
class EstClientError : public testing::TestWithParam<ErrorCase> {};
TEST_P(EstClientError, TellsWhatTheServerSaid) {
    Script script;
    ManualClock clock{start_time};
    script.answers.push_back(answer(GetParam().status, "text/plain; charset=utf-8", "the reason\r\nin two lines\n"));
    const auto got = Client{script.exchange(), "h", "/est", clock}.ca_certificates();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, GetParam().code);
    EXPECT_THAT(got.error().detail, HasSubstr("the reason"));
    EXPECT_THAT(got.error().detail, Not(HasSubstr("\n")));
}
INSTANTIATE_TEST_SUITE_P(Http, EstClientError, testing::Values(
    ErrorCase{400, Code::malformed}, ErrorCase{401, Code::not_authenticated}, ErrorCase{403, Code::not_authorised},
    ErrorCase{404, Code::not_found}, ErrorCase{405, Code::unsupported}, ErrorCase{413, Code::too_large},
    ErrorCase{415, Code::unsupported}, ErrorCase{429, Code::too_busy}, ErrorCase{500, Code::unavailable},
    ErrorCase{501, Code::unsupported}, ErrorCase{503, Code::too_busy}, ErrorCase{201, Code::policy}),
    [](const auto& test) { return "status_" + std::to_string(test.param.status); });

TEST_F(EstClient, ErrorTextIsPrintableAndShort) {   // bug class 13
    with(answer(400, "text/plain", "\x1b[2J" + std::string(2000, 'x')));
    const auto detail = client().ca_certificates().error().detail;
    EXPECT_LT(detail.size(), 400u);
    EXPECT_THAT(detail, Not(HasSubstr("\x1b")));
    with(answer(400, "text/html", "<h1>no</h1>"));
    EXPECT_THAT(client().ca_certificates().error().detail, Not(HasSubstr("<h1>")));
    with(answer(400, "", "untyped is text"));   // RFC 7030 4.2.3
    EXPECT_THAT(client().ca_certificates().error().detail, HasSubstr("untyped is text"));
}

TEST_F(EstClient, RetryAfterOfAnErrorIsKept) {
    with(answer(503, "text/plain", "busy", {{"Retry-After", "9"}}));
    EXPECT_EQ(client().ca_certificates().error().retry_after_s, 9u);
}

// -- authentication --------------------------------------------------------------------------------------------------------

HttpCredentials alices_credentials() { return {"alice", crypto::Secret{std::string_view{alice_password}}}; }
http::Response asks(std::initializer_list<const char*> challenges) {
    auto response = answer(401, "text/plain", "who are you");
    for (const auto* challenge : challenges) response.headers.add("WWW-Authenticate", challenge);
    return response;
}
std::string scheme(const http::Request& request) {
    const auto field = request.headers.find("Authorization");
    return field ? std::string{field->substr(0, field->find(' '))} : "none";
}
constexpr const char* digest = R"(Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n1")";
constexpr const char* md5 = R"(Digest realm="r", qop="auth", algorithm=MD5, nonce="n1")";

TEST_F(EstClient, GivesNoPasswordUnasked) {
    with(answer(200, "application/pkcs7-mime", data_text("rfc9148-a1-cacerts.b64")));
    auto asking = client();
    asking.set_credentials(alices_credentials());
    ASSERT_TRUE(asking.ca_certificates());
    EXPECT_EQ(scheme(script.asked[0]), "none");
}

TEST_F(EstClient, AnswersTheStrongestChallenge) {
    with(asks({"Basic realm=\"r\"", digest}));
    with(answer(200, certs_only, data_text("rfc9148-a2-response.b64")));
    auto asking = client();
    asking.set_credentials(alices_credentials());
    ASSERT_TRUE(asking.enroll(request, false));
    EXPECT_EQ(scheme(script.asked.at(1)), "Digest");
    const auto shown = http::parse_digest(*script.asked.at(1).headers.find("Authorization")).value();
    EXPECT_EQ(shown.nc, "00000001");
    const auto ha1 = crypto::digest_ha1("alice", "r", crypto::Secret{std::string_view{alice_password}});
    EXPECT_EQ(shown.response, http::digest_response(ha1, "n1", shown.nc, shown.cnonce, "POST", "/.well-known/est/simpleenroll"));
    EXPECT_EQ(script.asked.at(1).body, script.asked.at(0).body);
}

TEST_F(EstClient, Md5IsNotAnswered) {
    with(asks({md5, "Basic realm=\"r\""}));
    with(answer(200, "application/pkcs7-mime", data_text("rfc9148-a1-cacerts.b64")));
    auto asking = client();
    asking.set_credentials(alices_credentials());
    ASSERT_TRUE(asking.ca_certificates());
    EXPECT_EQ(scheme(script.asked.at(1)), "Basic");
    with(asks({md5, "Negotiate"}));
    auto other = client();
    other.set_credentials(alices_credentials());
    EXPECT_EQ(other.ca_certificates().error().code, Code::not_authenticated);
    EXPECT_EQ(script.asked.size(), 3u);   // it gave up
}

TEST_F(EstClient, WithoutCredentialsTheChallengeIsAnError) {
    with(asks({"Basic realm=\"r\""}));
    const auto got = client().ca_certificates();
    EXPECT_EQ(got.error().code, Code::not_authenticated);
    EXPECT_EQ(script.asked.size(), 1u);
}

TEST_F(EstClient, APasswordWithoutUserNameIsSent) {   // RFC 7030 3.2.3
    with(asks({"Basic realm=\"r\""}));
    with(answer(200, "application/pkcs7-mime", data_text("rfc9148-a1-cacerts.b64")));
    auto asking = client();
    asking.set_credentials({"", crypto::Secret{std::string_view{"secret"}}});
    ASSERT_TRUE(asking.ca_certificates());
    EXPECT_EQ(script.asked.at(1).headers.find("Authorization"), "Basic OnNlY3JldA==");
}

TEST_F(EstClient, AWrongPasswordIsGivenOnce) {
    with(asks({"Basic realm=\"r\""}));
    with(asks({"Basic realm=\"r\""}));
    auto asking = client();
    asking.set_credentials(alices_credentials());
    const auto got = asking.ca_certificates();
    EXPECT_THAT(got.error().detail, HasSubstr("refused"));
    EXPECT_THAT(got.error().detail, Not(HasSubstr(alice_password)));
    EXPECT_EQ(script.asked.size(), 2u);
}

TEST_F(EstClient, AStaleNonceIsAnsweredOnceMore) {
    constexpr const char* stale = R"(Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n2", stale=true)";
    for (const auto* challenge : {digest, stale, stale}) with(asks({challenge}));
    auto asking = client();
    asking.set_credentials(alices_credentials());
    EXPECT_FALSE(asking.ca_certificates());
    ASSERT_EQ(script.asked.size(), 3u);
    EXPECT_THAT(std::string{*script.asked[2].headers.find("Authorization")}, HasSubstr("n2"));
}

// -- against our own server ------------------------------------------------------------------------------------------------

class EstLoop : public EstServer {
protected:
    Client client(const std::string& label, http::Peer from = peer()) {
        return Client{world.exchange(std::move(from)), "est.example", "/.well-known/est" + (label.empty() ? "" : "/" + label),
                      world.clock};
    }
};

TEST_F(EstLoop, EnrollsByWhatTheServerAsksAndBuildsTheChain) {
    auto asking = client("");
    asking.set_credentials(alices_credentials());
    const auto attributes = std::get<CsrAttrs>(asking.csr_attributes().value());
    const auto plan = plan_request({x509::Name::from_text("CN=device").value(), {}, {}}, attributes);
    ASSERT_TRUE(plan) << failure(plan);
    EXPECT_EQ(plan->key_type, "p256");
    const auto key = crypto::PrivateKey::generate(plan->key_type).value();
    const auto got = asking.enroll(x509::make_request(plan->request, key).value(), false);
    ASSERT_TRUE(got) << failure(got);
    const auto bag = sort_ca_certificates(std::get<0>(asking.ca_certificates().value())).value();
    const auto chain = build_chain(std::get<0>(*got), bag, world.clock.now());
    ASSERT_TRUE(chain) << failure(chain);
    EXPECT_THAT(*chain, testing::ElementsAre(std::get<0>(*got), world.ca->issuing));
}

TEST_F(EstLoop, DigestLogsInAndStaysLoggedIn) {
    auto asking = client("digest");
    asking.set_credentials(alices_credentials());
    for (int i = 0; i < 3; ++i) {
        const auto got = asking.enroll(make_request(test::subject("CN=device")).der, false);
        ASSERT_TRUE(got) << failure(got);
    }
    world.clock.advance(Seconds{400});   // the nonce went stale: one more round
    EXPECT_TRUE(asking.enroll(make_request(test::subject("CN=device")).der, false));
}

TEST_F(EstLoop, RenewsWithItsCertificate) {
    const auto identity = world.enrolled("", "CN=device");
    auto asking = client("", peer(identity));
    const auto got = asking.enroll(make_request(test::subject("CN=device")).der, true);
    ASSERT_TRUE(got) << failure(got);
    EXPECT_NE(std::get<0>(*got).serial_hex(), identity.certificate.serial_hex());
}

TEST_F(EstLoop, WaitsForApproval) {
    auto asking = client("manual");
    asking.set_credentials(alices_credentials());
    const auto got = asking.enroll(make_request(test::subject("CN=device")).der, false);
    ASSERT_TRUE(got) << failure(got);
    EXPECT_EQ(std::get<Wait>(*got).retry_after, Seconds{77});
}

}  // namespace
}  // namespace estuary::est
