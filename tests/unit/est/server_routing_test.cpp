#include <algorithm>

#include "estuary/cms/signed_data.h"
#include "world.h"

namespace estuary::est {
namespace {

using namespace test;

constexpr std::array operations{"cacerts", "csrattrs", "simpleenroll", "simplereenroll", "fullcmc", "serverkeygen", "crls"};
constexpr std::array methods{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "post"};

unsigned wanted_status(std::string_view operation, std::string_view method) {
    if (operation == "fullcmc" || operation == "serverkeygen") return 404;
    if (operation == "crls") return method == "GET" || method == "HEAD" ? 404 : 405;  // none are published here
    const bool read = operation == "cacerts" || operation == "csrattrs";
    if (read) return method == "GET" || method == "HEAD" ? 200 : 405;
    if (method != "POST") return 405;
    return operation == "simpleenroll" ? 401 : 403;
}

/// bug class 1: every operation by every method, with a good request and nobody behind it.
TEST_F(EstServer, EveryOperationAndMethod) {
    const auto request = make_request(subject("CN=nobody"));
    const auto before = world.certificates();
    for (const auto* operation : operations) {
        for (const auto* method : methods) {
            auto http = post(target("", operation), request.der);
            http.method = method;
            const auto response = world.send(http, peer());
            EXPECT_EQ(response.status, wanted_status(operation, method)) << method << ' ' << operation;
            EXPECT_EQ(response.headers.find("Allow").has_value(), response.status == 405);
            EXPECT_EQ(response.headers.find("WWW-Authenticate").has_value(), response.status == 401);
            EXPECT_FALSE(response.body.empty());
        }
    }
    EXPECT_EQ(world.certificates(), before);
}

TEST_F(EstServer, WrongMethodNamesTheRightOnes) {
    EXPECT_EQ(world.send(get(target("", "simpleenroll")), peer()).headers.find("Allow"), "POST");
    EXPECT_EQ(world.send(get(target("", "cacerts"), "POST"), peer()).headers.find("Allow"), "GET, HEAD");
}

TEST_F(EstServer, UnknownPathsAreNotFound) {
    for (const auto* path : {"/.well-known/est", "/.well-known/est/enroll", "/.well-known/est/nolabel/cacerts",
                             "/.well-known/est/CLOSED/cacerts", "/.well-known/est/cacerts/cacerts", "/est/cacerts",
                             "/.well-known/est/a/b/cacerts"})
        EXPECT_EQ(world.send(get(path), peer()).status, 404u) << path;
    EXPECT_EQ(world.send(get("/.well-known/est/../est/cacerts"), peer()).status, 400u);
}

// RFC 8295 4.2
TEST_F(EstServer, CrlsComeAsCrlsOnlyMessage) {
    store::UnitOfWork work;
    const auto made = world.authority->make_crl("issuing", 0, authority::CrlKind::complete, work);
    ASSERT_TRUE(made) << made.error().detail;
    Result<std::vector<ByteVec>> source{std::vector<ByteVec>{made->der}};
    world.restart([&](ServerConfig& config) { config.crls = [&](std::string_view) { return source; }; });
    const auto answer = world.send(get(target("", "crls")), peer());
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(answer.headers.find("Content-Type"), "application/pkcs7-mime; smime-type=crls-only");
    const auto message = cms::SignedData::parse(from_base64(answer.body).value());
    ASSERT_TRUE(message) << message.error().detail;
    ASSERT_EQ(message->crls().size(), 1u);
    EXPECT_TRUE(same(message->crls()[0], made->der));
    EXPECT_TRUE(message->certificates().empty());
    EXPECT_EQ(world.send(get(target("", "crls"), "POST"), peer()).status, 405u);

    source = std::vector<ByteVec>{};
    EXPECT_EQ(world.send(get(target("", "crls")), peer()).status, 404u);
    source = std::vector<ByteVec>{ByteVec(2u << 20)};
    EXPECT_EQ(world.send(get(target("", "crls")), peer()).status, 404u) << "too long to be made for everybody who asks";
    source = fail(Code::unavailable, "the disk does not answer");
    EXPECT_EQ(world.send(get(target("", "crls")), peer()).status, 503u);
}

TEST_F(EstServer, OwnsItsPrefixOnly) {
    EXPECT_TRUE(Server::owns("/.well-known/est/cacerts"));
    EXPECT_TRUE(Server::owns("/.well-known/est"));
    EXPECT_FALSE(Server::owns("/.well-known/established"));
    EXPECT_FALSE(Server::owns("/"));
}

TEST_F(EstServer, OptionalOperationsAreNotOffered) {
    for (const auto* operation : {"fullcmc", "serverkeygen"}) {
        const auto response = world.send(post(target("", operation), {}, alice()), peer());
        EXPECT_EQ(response.status, 404u);
        EXPECT_THAT(response.body, testing::HasSubstr("not offered"));
    }
}

/// RFC 7030 3.3: HTTPS and nothing else; also for what needs no authentication.
TEST_F(EstServer, WithoutTlsNothingIsAnswered) {
    auto plain = peer();
    plain.tls = false;
    const auto request = make_request(subject("CN=a"));
    for (const auto* operation : operations) {
        EXPECT_EQ(world.send(get(target("", operation)), plain).status, 403u) << operation;
        EXPECT_EQ(world.send(post(target("", operation), request.der, alice()), plain).status, 403u);
    }
}

/// bug class 11: a label that is off is gone, whatever its configuration still says.
TEST_F(EstServer, DisabledLabelIsNotFound) {
    const auto request = make_request(subject("CN=a"));
    const auto identity = world.enrolled("", "CN=holder");
    for (const auto* operation : operations) {
        EXPECT_EQ(world.send(get(target("off", operation)), peer(identity)).status, 404u) << operation;
        EXPECT_EQ(world.send(post(target("off", operation), request.der, alice()), peer(identity)).status,
                  404u) << operation;
    }
    world.restart([](ServerConfig& config) { for (auto& label : config.labels) label.enabled = true; });
    EXPECT_EQ(world.send(get(target("off", "cacerts")), peer()).status, 200u);
}

TEST_F(EstServer, LabelsAndNoLabelAreServed) {
    EXPECT_EQ(world.send(get("/.well-known/est/cacerts"), peer()).status, 200u);
    EXPECT_EQ(world.send(get("/.well-known/est/linked/cacerts"), peer()).status, 200u);
    EXPECT_EQ(world.send(get("/.well-known/est/%6cinked/cacerts?x=1"), peer()).status, 200u);
    world.restart([](ServerConfig& config) { config.labels.erase(config.labels.begin()); });
    const auto response = world.send(get("/.well-known/est/cacerts"), peer());
    EXPECT_EQ(response.status, 404u);
    EXPECT_THAT(response.body, testing::HasSubstr("LABEL"));
}

TEST_F(EstServer, CaCertificatesNeedNobodyAndHoldTheChain) {
    const auto response = world.send(get(target("", "cacerts")), peer());
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(response.headers.find("Content-Type"), "application/pkcs7-mime");
    const auto certificates = cms::parse_certs_only(from_base64(response.body).value()).value();
    EXPECT_THAT(certificates, testing::UnorderedElementsAre(world.ca->issuing, world.ca->root));
    EXPECT_EQ(response.body.back(), '\n');
}

/// OpenSSL's base64 filter needs lines, strongSwan's pki (no User-Agent) one line; both decode to the same.
TEST_F(EstServer, LinesOrOneLineByTheClient) {
    auto request = get(target("", "cacerts"));
    const auto one_line = world.send(request, peer()).body;
    request.headers.add("User-Agent", "curl/7.88.1");
    const auto lines = world.send(request, peer()).body;
    EXPECT_EQ(std::ranges::count(one_line, '\n'), 1);
    EXPECT_EQ(lines.find('\n'), 64u);
    EXPECT_EQ(from_base64(one_line).value(), from_base64(lines).value());
}

TEST_F(EstServer, CaCertificatesAfterARolloverHoldTheLinks) {
    const auto response = world.send(get(target("rolled", "cacerts")), peer());
    const auto certificates = cms::parse_certs_only(from_base64(response.body).value()).value();
    const auto& next = world.rolled->next;
    EXPECT_THAT(certificates, testing::UnorderedElementsAre(next.issuing, next.root, world.rolled->old_with_new,
                                                            world.rolled->new_with_old));
}

TEST_F(EstServer, EachLabelPublishesItsOwnCa) {   // bug class 2
    const auto response = world.send(get(target("other", "cacerts")), peer());
    const auto certificates = cms::parse_certs_only(from_base64(response.body).value()).value();
    EXPECT_THAT(certificates, testing::UnorderedElementsAre(world.other_ca->issuing, world.other_ca->root));
}

TEST_F(EstServer, CsrAttributesSayWhatTheProfileAsks) {
    const auto response = world.send(get(target("linked", "csrattrs")), peer());
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(response.headers.find("Content-Type"), "application/csrattrs");
    const auto attributes = CsrAttrs::parse(from_base64(response.body).value());
    ASSERT_TRUE(attributes) << failure(attributes);
    EXPECT_EQ(attributes->items.front().oid, x509::oid::challenge_password);
    EXPECT_TRUE(attributes->request_template);
}

TEST_F(EstServer, NothingToAskIsNoContent) {
    const auto response = world.send(get(target("silent", "csrattrs")), peer());
    EXPECT_EQ(response.status, 204u);
    EXPECT_TRUE(response.body.empty());
}

TEST_F(EstServer, CsrAttributesNeedNobodyUnlessConfigured) {
    EXPECT_EQ(world.send(get(target("", "csrattrs")), peer()).status, 200u);
    auto request = get(target("private", "csrattrs"));
    EXPECT_EQ(world.send(request, peer()).status, 401u);
    request.headers.add("Authorization", basic("alice", "wrong"));
    EXPECT_EQ(world.send(request, peer()).status, 401u);
    request.headers.set("Authorization", alice());
    EXPECT_EQ(world.send(request, peer()).status, 200u);
}

TEST_F(EstServer, QuickIsWhatIsPrepared) {
    EXPECT_TRUE(world.server->is_quick(get(target("", "cacerts"))));
    EXPECT_TRUE(world.server->is_quick(get(target("", "csrattrs"), "HEAD")));
    EXPECT_FALSE(world.server->is_quick(get(target("private", "csrattrs"))));
    EXPECT_FALSE(world.server->is_quick(get(target("", "cacerts"), "POST")));
    EXPECT_FALSE(world.server->is_quick(get(target("off", "cacerts"))));
    EXPECT_FALSE(world.server->is_quick(post(target("", "simpleenroll"), {})));
}

struct ConfigCase {
    std::string name;
    void (*change)(ServerConfig&);
    std::string says;
};
class EstServerConfig : public testing::TestWithParam<ConfigCase> {};

TEST_P(EstServerConfig, IsRefused) {
    World world;
    ServerConfig config;
    config.labels.emplace_back().profile = "device";
    ASSERT_TRUE(Server::create(config, *world.authority, world.clock, world.entropy));
    GetParam().change(config);
    const auto server = Server::create(config, *world.authority, world.clock, world.entropy);
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, Code::policy);
    EXPECT_THAT(server.error().detail, testing::HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(Labels, EstServerConfig, testing::Values(
    ConfigCase{"named_like_an_operation", [](ServerConfig& c) { c.labels[0].name = "cacerts"; }, "operation"},
    ConfigCase{"with_a_slash", [](ServerConfig& c) { c.labels[0].name = "a/b"; }, "path segment"},
    ConfigCase{"dots", [](ServerConfig& c) { c.labels[0].name = ".."; }, "path segment"},
    ConfigCase{"control_character", [](ServerConfig& c) { c.labels[0].name = "a\nb"; }, "path segment"},
    ConfigCase{"twice", [](ServerConfig& c) { c.labels.push_back(c.labels[0]); }, "twice"},
    ConfigCase{"unknown_profile", [](ServerConfig& c) { c.labels[0].profile = "none"; }, "no profile 'none'"},
    ConfigCase{"both_without_password",
               [](ServerConfig& c) {
                   c.labels[0].enroll.certificate_and_password = true;
                   c.labels[0].enroll.certificate_of_ours = true;
               },
               "certificate_and_password"},
    ConfigCase{"both_without_certificate",
               [](ServerConfig& c) { c.labels[0].renew.certificate_and_password = c.labels[0].renew.basic = true; }, "renew"},
    ConfigCase{"no_realm", [](ServerConfig& c) { c.realm.clear(); }, "realm"},
    ConfigCase{"no_nonce_lifetime", [](ServerConfig& c) { c.digest_nonce_lifetime = Seconds{0}; }, "digest_nonce_lifetime"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace estuary::est
