// TLS between our server and our client: identities, client certificates, channel bindings, trust.
#include <gmock/gmock.h>

#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "support.h"

namespace estuary::net::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Tls, ServesOverBothVersions) {
    TestServer server{tls_options()};
    for (const bool tls_1_3 : {true, false}) {
        auto options = trusting();
        options.tls_1_3 = tls_1_3;
        const auto connection = open(server.url(), options);
        ASSERT_TRUE(connection);
        EXPECT_EQ(connection->tls_version(), tls_1_3 ? "TLSv1.3" : "TLSv1.2");
        EXPECT_EQ(connection->server_proof(), ServerProof::explicit_anchor_and_name);
        EXPECT_THAT(connection->server_chain(), testing::ElementsAre(pki().server.der, pki().issuing.der));
        EXPECT_THAT(connection->verified_chain(), testing::ElementsAre(pki().server.der, pki().issuing.der, pki().root.der));
        for (int i = 0; i < 3; ++i) {
            const auto response = connection->exchange(get(i % 2 == 0 ? "/quick" : "/slow"));
            ASSERT_TRUE(response) << response.error().detail;
            EXPECT_EQ(response->status, 200u);
        }
    }
}

TEST(Tls, LargeBodiesGoBothWays) {
    TestServer server{tls_options()};
    const std::string body(120'000, 'a');
    EXPECT_EQ(fetch(server.url(), trusting(), post("/echo", body)).body, body + "\n");
    EXPECT_EQ(fetch(server.url(), trusting(), get("/large/5000000")).body.size(), 5'000'000u);
}

TEST(Tls, ManyClientsAtOnce) {
    TestServer server{tls_options()};
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            const auto connection = open(server.url(), trusting());
            for (int i = 0; connection && i < 25; ++i) {
                const auto response = connection->exchange(post(i % 2 == 0 ? "/quick" : "/echo", "x"));
                if (response && response->status == 200) ++good;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, 100);
}

TEST(Tls, ChannelBindingsAreTheSameOnBothSides) {
    TestServer server{tls_options()};
    for (const bool tls_1_3 : {true, false}) {
        auto options = trusting();
        options.tls_1_3 = tls_1_3;
        const auto connection = open(server.url(), options);
        ASSERT_TRUE(connection);
        const auto ours = connection->bindings();
        EXPECT_EQ(ours.tls_exporter.size(), 32u);  // on 1.2 too: both ends have extended master secret
        EXPECT_EQ(ours.tls_unique.size(), tls_1_3 ? 0u : 12u);
        // The first request is a GET and has none; the second is a POST and has them.
        EXPECT_THAT(connection->exchange(get("/peer"))->body, HasSubstr("unique=\nexporter=\n"));
        EXPECT_THAT(connection->exchange(post("/peer", ""))->body,
                    HasSubstr(fmt::format("unique={}\nexporter={}\n", to_hex(ours.tls_unique), to_hex(ours.tls_exporter))));
        const auto other = open(server.url(), options);
        EXPECT_NE(other->bindings().tls_exporter, ours.tls_exporter);
    }
}

struct ClientCase {
    std::string name;
    std::function<Issued()> make;
    std::string says;
};
void PrintTo(const ClientCase& each, std::ostream* out) { *out << each.name; }
class ClientCertificate : public testing::TestWithParam<ClientCase> {};
TEST_P(ClientCertificate, IsJudgedAndTheHandshakeGoesOn) {
    TestServer server{tls_options()};
    for (const bool tls_1_3 : {true, false}) {
        auto options = trusting(GetParam().make());
        options.tls_1_3 = tls_1_3;
        EXPECT_THAT(fetch(server.url(), options, post("/peer", "")).body, HasSubstr(GetParam().says));
    }
}
CertificateWish client(std::string usage = {}) { return {.name = "device", .san = {}, .usage = std::move(usage)}; }
INSTANTIATE_TEST_SUITE_P(
    All, ClientCertificate,
    testing::Values(
        ClientCase{"good", [] { return issue(pki().issuing, client("clientAuth")); }, "verified=true\nerror=\nchain=3\n"},
        ClientCase{"no_usage", [] { return issue(pki().issuing, client()); }, "verified=true\nerror=\nchain=3\n"},
        ClientCase{"other_usage", [] { return issue(pki().issuing, client("1.3.6.1.5.5.7.3.28")); }, "verified=true\n"},
        ClientCase{"issuing_ca_not_sent",
                   [] {
                       auto made = issue(pki().issuing, client());
                       made.above.clear();
                       return made;
                   },
                   "verified=true\nerror=\nchain=3\n"},
        ClientCase{"expired",
                   [] { return issue(pki().issuing, {.name = "old", .san = {}, .usage = {}, .from_s = -7200, .to_s = -3600}); },
                   "verified=false\nerror=certificate has expired\nchain=2\n"},
        ClientCase{"not_yet_valid", [] { return issue(pki().issuing, {.name = "new", .san = {}, .usage = {}, .from_s = 3600}); },
                   "verified=false\nerror=certificate is not yet valid\n"},
        ClientCase{"self_signed", [] { return self_signed(client()); }, "verified=false\nerror=self"},
        ClientCase{"unknown_ca",
                   [] { return issue(self_signed({.name = "Other", .ca = true, .san = {}, .usage = {}}), client()); },
                   "verified=false\nerror=unable to get local issuer certificate\nchain=1\n"},
        // A CA of the same name as ours but another key.
        ClientCase{"same_name_ca",
                   [] { return issue(self_signed({.name = "Test Root", .ca = true, .san = {}, .usage = {}}), client()); },
                   "verified=false\n"},
        ClientCase{"issued_by_end_entity", [] { return issue(issue(pki().issuing, client()), client()); }, "verified=false\n"}),
    [](const auto& test) { return test.param.name; });

TEST(Tls, NoClientCertificateIsNoFault) {
    TestServer server{tls_options()};
    EXPECT_THAT(fetch(server.url(), trusting(), post("/peer", "")).body, HasSubstr("verified=false\nerror=\nchain=0\n"));
}

TEST(Tls, IssuingCaMayBeTheAnchor) {
    auto options = tls_options();
    options.tls->client_anchors = {pki().issuing.der};
    options.tls->client_intermediates = {};
    TestServer server{std::move(options)};
    EXPECT_THAT(fetch(server.url(), trusting(issue(pki().issuing, client())), post("/peer", "")).body,
                HasSubstr("verified=true\nerror=\nchain=2\n"));
    // The anchor's issuer does not become one.
    EXPECT_THAT(fetch(server.url(), trusting(issue(pki().root, client())), post("/peer", "")).body,
                HasSubstr("verified=false\n"));
}

TEST(Tls, IntermediatesAreNoAnchors) {
    auto options = tls_options();
    options.tls->client_anchors = {};
    TestServer server{std::move(options)};
    EXPECT_THAT(fetch(server.url(), trusting(issue(pki().issuing, client())), post("/peer", "")).body,
                HasSubstr("verified=false\n"));
}

TEST(Tls, ReplacedIdentityIsForNewConnections) {
    TestServer server{tls_options()};
    const auto before = open(server.url(), trusting());
    ASSERT_TRUE(before);
    const auto other_root = self_signed({.name = "Next Root", .ca = true, .san = {}, .usage = {}});
    const auto next = issue(other_root, {.name = "server", .san = "DNS:localhost", .usage = "serverAuth"});
    auto identity = server_identity();
    identity.chain = next.chain();
    identity.key = next.key;
    ASSERT_TRUE(server->replace_tls(identity));
    EXPECT_TRUE(before->exchange(get("/quick")));
    EXPECT_FALSE(Connection::open(server.url(), trusting()));
    ClientOptions knows_next;
    knows_next.trust.explicit_anchors = {other_root.der};
    EXPECT_EQ(fetch(server.url(), knows_next, get("/quick")).status, 200u);

    identity.key = pki().server.key;  // not the certificate's
    const auto mismatch = server->replace_tls(identity);
    ASSERT_FALSE(mismatch);
    EXPECT_EQ(mismatch.error().code, Code::conflict);
    EXPECT_EQ(fetch(server.url(), knows_next, get("/quick")).status, 200u);  // the old one stays
}

TEST(Tls, PlainServerHasNoIdentityToReplace) {
    TestServer server;
    EXPECT_FALSE(server->replace_tls(server_identity()));
    ClientOptions plain;
    plain.plain_http = true;
    EXPECT_EQ(fetch(server.url(), plain, get("/quick")).status, 200u);
}

TEST(Tls, GarbageAndPlainHttpDoNoHarm) {
    TestServer server{tls_options()};
    BareClient garbage{server.port()};
    garbage.send(std::string(2000, '\xAA'));
    garbage.half_close();
    garbage.read_all();
    BareClient plain{server.port()};
    plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = plain.read_until("https.\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(answer, HasSubstr("TLS"));
    EXPECT_TRUE(eventually([&] { return server->counters().handshakes_failed == 2; }));
    EXPECT_EQ(fetch(server.url(), trusting(), get("/quick")).status, 200u);
}

Error refusal_of(const http::Url& url, const ClientOptions& options) {
    const auto connection = Connection::open(url, options);
    if (connection) return {Code::internal, "was accepted"};
    return connection.error();
}

/// A server that shows `identity`.
ServerOptions showing(const Issued& identity) {
    auto out = tls_options();
    out.tls->chain = identity.chain();
    out.tls->key = identity.key;
    return out;
}

TEST(ServerTrust, NamesAndAddresses) {
    TestServer server{tls_options()};
    EXPECT_TRUE(open(server.url("localhost"), trusting()));
    EXPECT_TRUE(open(server.url("127.0.0.1"), trusting()));
}

TEST(ServerTrust, OtherNameIsRefused) {
    TestServer server{
        showing(issue(pki().issuing, {.name = "localhost", .san = "DNS:other.example,IP:192.0.2.1", .usage = "serverAuth"}))};
    for (const std::string host : {"localhost", "127.0.0.1"}) {  // the common name never counts
        const auto error = refusal_of(server.url(host), trusting());
        EXPECT_EQ(error.code, Code::not_authenticated);
        EXPECT_THAT(error.detail, HasSubstr("'" + host + "'"));
        EXPECT_THAT(error.detail, HasSubstr("other.example, 192.0.2.1"));
    }
    EXPECT_TRUE(eventually([&] { return server->counters().handshakes_failed == 2; }));  // nothing of ours was sent
}

TEST(ServerTrust, CmcRaMayStandInForTheName) {  // RFC 7030 3.6.1
    TestServer server{showing(issue(pki().issuing, {.name = "ra", .san = {}, .usage = "serverAuth,1.3.6.1.5.5.7.3.28"}))};
    const auto connection = open(server.url(), trusting());
    ASSERT_TRUE(connection);
    EXPECT_EQ(connection->server_proof(), ServerProof::explicit_anchor_and_cmc_ra);
    auto strict = trusting();
    strict.trust.cmc_ra_instead_of_name = false;
    EXPECT_THAT(refusal_of(server.url(), strict).detail, HasSubstr("no host names"));
}

TEST(ServerTrust, ChainFaultsAreTold) {
    const auto wish = [](long from, long to) {
        return CertificateWish{.name = "s", .san = "DNS:localhost", .usage = "serverAuth", .from_s = from, .to_s = to};
    };
    {
        TestServer server{showing(issue(pki().issuing, wish(-7200, -3600)))};
        EXPECT_THAT(refusal_of(server.url(), trusting()).detail, HasSubstr("expired"));
    }
    {
        TestServer server{showing(issue(pki().issuing, wish(3600, 7200)))};
        EXPECT_THAT(refusal_of(server.url(), trusting()).detail, HasSubstr("not valid yet"));
    }
    {
        TestServer server{showing(self_signed(wish(-10, 3600)))};
        EXPECT_THAT(refusal_of(server.url(), trusting()).detail, HasSubstr("unknown CA"));
    }
    {
        TestServer server{showing(issue(pki().issuing, {.name = "s", .san = "DNS:localhost", .usage = "clientAuth"}))};
        EXPECT_THAT(refusal_of(server.url(), trusting()).detail, HasSubstr("extended key usage"));
    }
    {
        TestServer server{tls_options()};
        EXPECT_THAT(refusal_of(server.url(), {}).detail, HasSubstr("no trust anchors"));
    }
}

TEST(ServerTrust, IssuersMustBeCasThatSigned) {
    const CertificateWish wish{.name = "s", .san = "DNS:localhost", .usage = "serverAuth"};
    const auto end_entity = issue(pki().issuing, client());
    const auto namesake = self_signed({.name = "Test Root", .ca = true, .san = {}, .usage = {}});
    for (const auto& shown : {issue(end_entity, wish), issue(namesake, wish)}) {
        TestServer server{showing(shown)};
        EXPECT_EQ(refusal_of(server.url(), trusting()).code, Code::not_authenticated);
    }
}

/// The Implicit trust anchors of RFC 7030 are off on both sides: a client may be told to use them, a server has none.
TEST(ServerTrust, SystemAnchorsCountOnlyWhereAskedFor) {
    const auto other_root = self_signed({.name = "Other Root", .ca = true, .san = {}, .usage = {}});
    const TempDir directory;
    ::setenv("SSL_CERT_FILE", directory.write("other.pem", pem(other_root.der)).c_str(), 1);
    TestServer other{showing(issue(other_root, {.name = "s", .san = "DNS:localhost", .usage = "serverAuth"}))};
    EXPECT_EQ(refusal_of(other.url(), trusting()).code, Code::not_authenticated);
    auto both = trusting();
    both.trust.system_anchors = true;
    EXPECT_EQ(open(other.url(), both)->server_proof(), ServerProof::system_anchor_and_name);
    TestServer server{tls_options()};
    EXPECT_EQ(open(server.url(), both)->server_proof(), ServerProof::explicit_anchor_and_name);
    EXPECT_THAT(fetch(server.url(), trusting(issue(other_root, client())), post("/peer", "")).body, HasSubstr("verified=false\n"));
    ::unsetenv("SSL_CERT_FILE");
}

TEST(ServerTrust, ProvisionalGoesOnAndSaysSo) {  // RFC 7030 4.1.1
    TestServer server{tls_options()};
    ClientOptions options;
    options.trust.provisional = true;
    const auto connection = open(server.url(), options);
    ASSERT_TRUE(connection);
    EXPECT_EQ(connection->server_proof(), ServerProof::none);
    EXPECT_EQ(connection->server_chain().size(), 2u);
    EXPECT_THAT(connection->verified_chain(), IsEmpty());
    EXPECT_TRUE(connection->exchange(get("/quick")));
    options.trust.explicit_anchors = {pki().root.der};
    EXPECT_EQ(open(server.url(), options)->server_proof(), ServerProof::explicit_anchor_and_name);
}

TEST(ServerTrust, SystemAnchors) {
    const TempDir directory;
    ::setenv("SSL_CERT_FILE", directory.write("root.pem", pem(pki().root.der)).c_str(), 1);
    TestServer server{tls_options()};
    ClientOptions options;
    options.trust.system_anchors = true;
    const auto connection = open(server.url(), options);
    ASSERT_TRUE(connection);
    EXPECT_EQ(connection->server_proof(), ServerProof::system_anchor_and_name);
    // id-kp-cmcRA stands in for the name with explicit anchors only.
    TestServer ra{showing(issue(pki().issuing, {.name = "ra", .san = {}, .usage = "serverAuth,1.3.6.1.5.5.7.3.28"}))};
    EXPECT_EQ(refusal_of(ra.url(), options).code, Code::not_authenticated);
    ::unsetenv("SSL_CERT_FILE");
}

}  // namespace
}  // namespace estuary::net::test
