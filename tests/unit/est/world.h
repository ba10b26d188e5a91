#pragma once
// A whole server in memory: two CAs, a manufacturer, labels of every kind, over a real authority and store.
#include "estuary/authority/ceremony.h"
#include "estuary/cms/certs_only.h"
#include "estuary/est/server.h"
#include "support.h"

namespace estuary::test {

using est::Label;

inline constexpr Time start_time{Seconds{1'795'233'600}};  // 2026-11-21
inline constexpr const char* realm = "test realm";
inline constexpr const char* alice_password = "alices-canary-password";
inline constexpr const char* bob_password = "bobs-canary-password";

/// A certificate and its key, as a TLS client has them.
struct Identity {
    crypto::PrivateKey key;
    x509::Certificate certificate;
    std::vector<ByteVec> chain;   // as net hands it over: anchor last
};

class World {
public:
    World();
    ~World();

    http::Response send(const http::Request& request, const http::Peer& peer);
    /// As after a restart: everything but the database is new.
    void restart(std::function<void(est::ServerConfig&)> change = [](est::ServerConfig&) {});

    /// An exchange of est::Client with this server, over one TLS session.
    est::Exchange exchange(http::Peer peer);
    /// A certificate issued under a label, asked for by alice or with `authorization`.
    Identity enrolled(const std::string& label, const std::string& subject, const std::string& authorization = {});
    /// A certificate by the manufacturer "acme" (or another), not by us.
    Identity device(const std::string& subject, const std::string& manufacturer = "acme");
    void revoke(const x509::Certificate& certificate);
    void add_credential(const std::string& name, const std::string& password,
                        std::function<void(store::CredentialRecord&)> change = [](store::CredentialRecord&) {});
    std::int64_t certificates() { return store->count_certificates().value(); }

    ManualClock clock{start_time};
    crypto::SystemEntropy entropy;
    std::filesystem::path directory;
    std::unique_ptr<store::Store> store;
    std::optional<authority::NewCa> ca, other_ca, acme, globex;
    std::optional<authority::RolledOver> rolled;
    std::unique_ptr<authority::Authority> authority;
    std::unique_ptr<authority::Packages> packages;
    std::unique_ptr<est::Server> server;

private:
    authority::Config authority_config() const;
    est::ServerConfig server_config() const;
};

/// TLS 1.3 from 192.0.2.1, with bindings and no client certificate.
http::Peer peer();
http::Peer peer(const Identity& identity);
std::string basic(const std::string& user, const std::string& password);
/// The Authorization field of alice.
std::string alice();
http::Request get(const std::string& target, const std::string& method = "GET");
http::Request post(const std::string& target, Bytes request_der, const std::string& authorization = {});
std::string target(const std::string& label, const std::string& operation);
/// The one certificate of an enrollment answer.
x509::Certificate issued(const http::Response& response);

class EstServer : public testing::Test {
protected:
    World world;
};

}  // namespace estuary::test
