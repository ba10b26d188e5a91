#pragma once
// A whole CMC server in memory: two CAs, a manufacturer, endpoints of every kind, over a real authority and store.
#include <filesystem>

#include "estuary/authority/ceremony.h"
#include "estuary/cmc/client.h"
#include "estuary/cmc/server.h"
#include "support.h"

namespace estuary::test {

inline constexpr Time start_time{Seconds{1'795'233'600}};  // 2026-11-21
inline constexpr const char* alice_secret = "alices-canary-shared-secret";

/// A certificate and its key.
struct Holder {
    crypto::PrivateKey key;
    x509::Certificate certificate;

    cmc::ClientCertificate for_client() const { return {key, certificate}; }
};

class World {
public:
    World();
    ~World();

    /// As after a restart: everything but the database is new.
    void restart(const std::function<void(cmc::ServerConfig&)>& change = [](cmc::ServerConfig&) {});

    /// Serves and commits. A failed commit is a failed test.
    cmc::Answer send(Bytes message, const std::string& label = "", const cmc::Transport& transport = nobody());
    /// What a client without anchors of its own reads.
    cmc::ClientReply exchange(cmc::Client& client, const Result<ByteVec>& message, const std::string& label = "",
                              const cmc::Transport& transport = nobody());

    cmc::Client client(cmc::ClientConfig config = {});
    cmc::Client client(const Holder& holder);
    cmc::Client client_with_secret(const std::string& name = "alice", const std::string& secret = alice_secret);

    /// A certificate by an operator's order under that label.
    Holder holder(const std::string& subject, const std::string& label = "", const std::string& profile = "device",
                  const std::string& key_type = "p256");
    /// With id-kp-cmcRA.
    Holder registration_authority(const std::string& label = "", const std::string& profile = "ra");
    Holder device_of_manufacturer(const std::string& subject);
    void revoke(const x509::Certificate& certificate);
    void decide(bool approve);
    void add_credential(
        const std::string& name, const std::string& secret,
        const std::function<void(store::CredentialRecord&)>& change = [](store::CredentialRecord&) {});
    std::int64_t certificates() { return store->count_certificates().value(); }
    bool is_revoked(const x509::Certificate& certificate);

    static cmc::Transport nobody();
    /// What EST's authentication proves.
    static cmc::Transport transport(const std::string& credential);

    ManualClock clock{start_time};
    crypto::SystemEntropy entropy;
    std::filesystem::path directory;
    std::unique_ptr<store::Store> store;
    std::optional<authority::NewCa> ca, other_ca, acme;
    std::optional<Holder> responder, other_responder;
    std::vector<ByteVec> crls;
    std::unique_ptr<authority::Authority> authority;
    std::unique_ptr<cmc::Server> server;

private:
    authority::Config authority_config() const;
    cmc::ServerConfig server_config();
    Holder own_certificate(const std::string& profile);
};

/// What is wished for under a name, with a new key.
cmc::CertificateWish wish(std::string_view subject, const std::string& key_type = "p256");
/// A full PKI request by this signer, as it is: no transaction, no nonces.
ByteVec signed_message(const cmc::PkiData& data, const Holder& signer);
/// Signed by a key that has no certificate, under that key identifier.
ByteVec signed_message(const cmc::PkiData& data, const crypto::PrivateKey& key, Bytes key_identifier);
cmc::PkiResponse response_of(const cmc::Answer& answer);
/// Every status of an answer in words: "failed badRequest 1 2".
std::vector<std::string> statuses(const std::vector<cmc::StatusInfoV2>& list);
std::vector<std::string> statuses(const cmc::Answer& answer);

class CmcServer : public testing::Test {
protected:
    World world;
};

}  // namespace estuary::test
