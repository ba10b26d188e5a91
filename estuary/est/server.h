#pragma once
// EST's server (RFC 7030): request value in, response value out. Knows HTTP values and the authority; no sockets, no SQL.
#include <functional>
#include <map>
#include <memory>

#include "estuary/authority/authority.h"
#include "estuary/authority/packages.h"
#include "estuary/est/messages.h"
#include "estuary/http/message.h"

namespace estuary::cmc {
class Server;
}

namespace estuary::est {

/// What proves who asks, under one label. Default deny: with nothing allowed the enrolling operations refuse (bug class 9).
struct Authentication {
    bool certificate_of_ours = false;      ///< issued by the label's CA
    std::vector<std::string> manufacturers;///< names of anchor sets whose certificates may enroll
    bool basic = false, digest = false;
    bool certificate_and_password = false; ///< both are needed, not either
    bool anything() const noexcept { return certificate_of_ours || !manufacturers.empty() || basic || digest; }
};

struct Label {
    std::string name;                      ///< "" is /.well-known/est/simpleenroll itself
    std::string profile;
    bool enabled = true;
    Authentication enroll, renew;          ///< renewal: a certificate of this CA for this label is needed in any case
    Authentication serverkeygen;           ///< who may have keys made for it (RFC 7030 4.4); nothing: not offered
    bool serverkeygen_encrypted = false;   ///< those leave encrypted only, with a key that the request names
    bool fullcmc = false;                  ///< /fullcmc is offered: the cmc endpoint of the same label answers
    bool linking_required = false;         ///< RFC 7030 3.5
    bool csrattrs_needs_authentication = false;
    Authentication packages{};             ///< who may see and fetch what waits for it (RFC 8295); ours: of this label only
};

/// The complete CRLs of a CA, and of those above it, as they are published: DER. Called for every /crls.
using CrlSource = std::function<Result<std::vector<ByteVec>>(std::string_view ca)>;

/// Who signs for keys that are made here, end entity first (id-kp-cmKGA).
struct KeyGenerator {
    std::vector<x509::Certificate> chain;
    crypto::PrivateKey key;
};

struct ServerConfig {
    std::vector<Label> labels;
    std::map<std::string, KeyGenerator, std::less<>> key_generators{};  ///< by CA; without it, keys leave under TLS only
    CrlSource crls;                        ///< empty: /crls is not offered (RFC 8295 section 4)
    authority::Packages* packages = nullptr; ///< outlives the server; null: RFC 8295 is offered no further than /crls
    std::size_t pal_entries_max = 64;      ///< of one PAL, before it points to another; at least 16
    cmc::Server* cmc = nullptr;            ///< outlives the server; null: /fullcmc is not offered (RFC 7030 4.3)
    std::string realm = "estuary";
    Seconds digest_nonce_lifetime{300};
};

class Server {
public:
    static Result<std::unique_ptr<Server>> create(ServerConfig config, authority::Authority& authority, const Clock& clock,
                                                  crypto::Entropy& entropy);
    ~Server();
    /// Whether a target is EST's (starts with /.well-known/est).
    static bool owns(std::string_view target) noexcept;
    /// cacerts and csrattrs: answered from prepared octets, without signature or database.
    bool is_quick(const http::Request& request) const noexcept;
    /// Answers. If `work` is not empty afterwards, the response may leave only once it is committed.
    http::Response serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work);

private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The answer for an error in EST's terms: status, WWW-Authenticate is added by the server, Retry-After where it helps.
http::Response to_response(const Error& error);

}  // namespace estuary::est
