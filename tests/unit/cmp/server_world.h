#pragma once
// A whole CMP server in memory: two CAs, a manufacturer, labels of every kind, over a real authority and store; and a client that
// makes any message.
#include <filesystem>

#include "estuary/authority/ceremony.h"
#include "estuary/authority/key_recovery.h"
#include "estuary/cmp/cert_hash.h"
#include "estuary/cmp/protection.h"
#include "estuary/cmp/failure.h"
#include "estuary/cmp/server.h"
#include "estuary/x509/crmf_controls.h"
#include "support.h"

namespace estuary::test {

using cmp::BodyType;
using cmp::PkiBody;
using cmp::PkiFailure;
using cmp::PkiMessage;
namespace crmf = x509::crmf;

inline constexpr const char* alice_secret = "alices-canary-secret";

/// A certificate and its key, and what goes along in extraCerts.
struct Identity {
    crypto::PrivateKey key;
    x509::Certificate certificate;
    std::vector<x509::Certificate> chain;
};

class ServerWorld {
public:
    ServerWorld();
    ~ServerWorld();

    PkiMessage send(Bytes message, const cmp::Transport& transport);
    /// As after a restart: everything but the database is new.
    void restart(std::function<void(cmp::ServerConfig&)> change = [](cmp::ServerConfig&) {});
    /// A certificate issued under a label to the owner of alice's secret.
    Identity enrolled(const std::string& subject, const std::string& label = {}, const std::string& profile = {});
    /// A certificate by the manufacturer "acme", not by us.
    Identity device(const std::string& subject, const std::string& manufacturer = "acme", std::uint32_t key_usage = x509::digital_signature,
                    crypto::PrivateKey key = crypto::PrivateKey::generate("p256").value());
    void add_secret(const std::string& name, const std::string& secret,
                    std::function<void(store::CredentialRecord&)> change = [](store::CredentialRecord&) {});
    void approve() { decide(true); }
    /// On all that wait for a person.
    void decide(bool approve);
    std::int64_t certificates() { return store->count_certificates().value(); }
    bool is_revoked(const x509::Certificate& certificate, const std::string& ca = "issuing");

    ManualClock clock{Time{Seconds{1'795'233'600}}};
    crypto::SystemEntropy entropy;
    std::filesystem::path directory;
    std::unique_ptr<store::Store> store;
    std::optional<authority::NewCa> ca, other_ca, acme, globex;
    std::unique_ptr<authority::Authority> authority;
    std::unique_ptr<cmp::Server> server;
    std::vector<ByteVec> published_crls;
    std::vector<Identity> agents;        ///< for whom keys are archived (label "recovery"): the first is online
    bool online_agent = true;
    authority::RecoveryRules recovery_rules{2, {"operator:ann", "operator:bob", "operator:cyd"}, Seconds{3 * 86400}};

private:
    authority::Config authority_config() const;
    cmp::ServerConfig server_config();
    cmp::Credentials own_certificate(const std::string& profile, const std::string& ca_name);
    std::map<std::string, cmp::Credentials> own_;
};

/// One side of a transaction. Every field of a message can be bent before it is protected.
class Talker {
public:
    /// By a MAC.
    Talker(ServerWorld& world, std::string reference, std::string secret, std::string label = {});
    /// By a signature.
    Talker(ServerWorld& world, const Identity& identity, std::string label = {});

    PkiMessage send(PkiBody body, std::function<void(cmp::PkiHeader&)> bend = {});
    /// The same without sending.
    ByteVec make(const PkiBody& body, std::function<void(cmp::PkiHeader&)> bend = {});
    PkiMessage deliver(Bytes message);
    /// A new transaction.
    void begin();

    cmp::Transport transport;
    std::int64_t pvno = cmp::cmp2000;
    ByteVec transaction_id;
    std::optional<ByteVec> recip_nonce;
    bool with_certificates = true;
    /// Another protection than by secret or key; the header has none yet.
    std::function<ByteVec(cmp::PkiHeader, const PkiBody&, const std::vector<Bytes>&)> protect;
    ByteVec last_sent;
    crypto::PrivateKey key = crypto::PrivateKey::generate("p256").value();   ///< that certificates are asked for

    /// ir, cr or kur for `subject` and the key above.
    PkiBody request(BodyType type, const std::string& subject, std::function<void(crmf::WantedRequest&)> bend = {});
    PkiBody p10(const std::string& subject);
    PkiBody confirmation(const x509::Certificate& certificate, std::int64_t id = 0);
    /// Key and certificate after an answer that has it.
    Identity identity(const PkiMessage& answer) const;

private:
    ServerWorld& world_;
    std::optional<crypto::Secret> secret_;
    std::string reference_;
    std::optional<Identity> identity_;
};

PkiBody revocation(const x509::Certificate& certificate, std::vector<x509::Extension> extensions = {},
                   std::function<void(crmf::CertTemplate&)> bend = {});
inline PkiBody poll_for(std::int64_t id) { return {BodyType::poll_req, cmp::PollReqContent{{id}}}; }

/// "ip accepted", "ip rejection badPOP", "error badMessageCheck", "ip waiting", "rp accepted", "pkiconf", "genp", …: the first of
/// several.
std::string verdict(const PkiMessage& answer);
/// The certificate of the first response; fails the test if there is none.
x509::Certificate certificate_of(const PkiMessage& answer, std::size_t index = 0);
inline std::function<void(cmp::PkiHeader&)> implicit() {
    return [](cmp::PkiHeader& header) { header.general_info.push_back(cmp::make_implicit_confirm()); };
}

class CmpServer : public testing::Test {
protected:
    ServerWorld world;
    Talker alice() { return {world, "alice", alice_secret}; }
};

}  // namespace estuary::test
