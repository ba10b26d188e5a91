#pragma once
// CMC's server (RFC 10002, 5272, 6402): a message in, a message out. Knows the authority and the store's transactions; no HTTP,
// no sockets, no SQL.
#include <functional>
#include <memory>

#include "estuary/authority/authority.h"
#include "estuary/cmc/protection.h"
#include "estuary/cmc/witness.h"

namespace estuary::cmc {

/// Who may ask at one endpoint, and how. Default deny: with nothing accepted every request is refused (bug class 9).
struct Endpoint {
    std::string label;  ///< certificates are recorded under it; its holders renew here
    std::string profile;
    bool enabled = true;
    bool certificate = false;                ///< signed by a certificate of the profile's CA
    bool registration_authority = false;     ///< signed by one with id-kp-cmcRA, for others
    std::vector<std::string> ra_labels;      ///< labels whose registration authorities count here; empty: this label's
    std::vector<std::string> manufacturers;  ///< signed by a certificate of these
    bool shared_secret = false;              ///< identityProofV2 by a credential of protocol "cmc"
    bool transport = false;                  ///< what the transport proved (EST's authentication)
    bool pop_link_required = true;           ///< with a shared secret: popLinkWitness, unless the credential names the subject
    bool ra_may_prove_possession = true;     ///< lraPOPWitness and raVerified of registration authorities
    bool challenge_possession = true;        ///< encryptedPOP for keys that have not signed
    bool revocation_by_secret = false;       ///< revokeRequest with the shared secret that the certificate was got with
    bool key_reuse = true;                   ///< false: noKeyReuse for a renewal with the same key
    bool publish_trust_anchors = false;      ///< full responses name the CA's trust anchors
    std::optional<Seconds> confirm_within;   ///< certificates wait for confirmCertAcceptance
    std::optional<Seconds> signing_time_tolerance;  ///< badTime for a signingTime further off; absent: not looked at
    WitnessLimits witnesses;
};

/// Who answers for a CA: a key with id-kp-cmcCA that its certificates belong to (RFC 10002 9.1). Messages to the server are
/// encrypted for it.
struct Responder {
    crypto::PrivateKey key;
    x509::Certificate certificate;
};
/// Asked for every message; null: none, and the CA's endpoints answer that they cannot.
using ResponderSource = std::function<std::shared_ptr<const Responder>(std::string_view ca)>;
/// The published CRLs of a CA, complete ones, in DER.
using CrlSource = std::function<Result<std::vector<ByteVec>>(std::string_view ca)>;

struct ServerConfig {
    std::vector<Endpoint> endpoints;
    ResponderSource responder;
    CrlSource crls;  ///< empty: getCRL is not offered
    Limits limits;
    Seconds transaction_lifetime{86'400};  ///< how long a repeated message gets its former answer
    Seconds challenge_lifetime{600};       ///< to answer an encryptedPOP
};

/// What the transport knows of the sender.
struct Transport {
    authority::Principal principal;  ///< anonymous, if it proved nothing
    /// How a request's attributes link it to the session that carried it (RFC 7030 3.5); empty: it is not looked at.
    std::function<Result<authority::Linking>(const std::vector<x509::Attribute>&)> linking = {};
    bool covers_message = false;  ///< whoever that is sent the whole message (TLS): also its controls are theirs
};

/// A finished answer.
struct Answer {
    enum class Form : std::uint8_t { simple, full };
    Form form = Form::full;
    ByteVec der;
    /// Everything that was asked for failed: the first error. A request that waits, or has to prove possession, has not failed.
    std::optional<Code> rejected;
};

/// A PKI request as it was sent: PKCS #10, or a ContentInfo, in DER or BER.
class Server {
public:
    /// `authority`, `store` and `clock` outlive it. policy: an endpoint without its profile, or twice.
    static Result<std::unique_ptr<Server>> create(ServerConfig config, authority::Authority& authority, store::Store& store,
                                                  const Clock& clock, crypto::Entropy& entropy);
    ~Server();

    /// Whether there is an endpoint of that label.
    bool has(std::string_view label) const noexcept;
    /// Answers. If `work` is not empty afterwards, the answer may leave only once it is committed. An error is for where there
    /// can be no answer of CMC's: not_found: no such endpoint; unavailable: no responder; internal.
    Result<Answer> serve(std::string_view label, Bytes message, const Transport& transport, store::UnitOfWork& work);
    /// The same, for a body that has to be a full PKI request (RFC 7030 4.3.1).
    Result<Answer> serve_full(std::string_view label, Bytes message, const Transport& transport, store::UnitOfWork& work);

private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace estuary::cmc
