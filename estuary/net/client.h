#pragma once
// The TLS and HTTP/1.1 client: blocking, one connection at a time, with deadlines. Trust is decided here, strictly:
// chain to the given anchors, name by RFC 9525 (or id-kp-cmcRA where the caller allows it, RFC 7030 3.6.1).
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estuary/base/result.h"
#include "estuary/crypto/key.h"
#include "estuary/http/grammar.h"
#include "estuary/http/message.h"

namespace estuary::net {

struct ClientTrust {
    std::vector<ByteVec> explicit_anchors;  ///< DER; the Explicit TA database (RFC 7030 section 3)
    bool system_anchors = false;            ///< the Implicit TA database: OpenSSL's default paths
    /// With an explicit anchor the server may prove itself by id-kp-cmcRA instead of its name (RFC 7030 3.6.1).
    bool cmc_ra_instead_of_name = true;
    /// Bootstrap (RFC 7030 4.1.1): the handshake goes on without trust; only for /cacerts, and the result says so.
    bool provisional = false;
};

struct ClientIdentity {
    std::vector<ByteVec> chain;  ///< DER, end entity first
    crypto::PrivateKey key;
};

struct ClientOptions {
    ClientTrust trust;
    std::optional<ClientIdentity> identity;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds exchange_timeout{60'000};
    /// Without it an http:// URL is refused: nothing goes out in the clear unless its caller means it to, since what comes back is
    /// signed by itself (CRLs, OCSP responses, CA certificates).
    bool plain_http = false;
    /// Only addresses that the Internet routes to: for URLs that a peer chose (bug class 29). Others are an error: policy.
    bool public_addresses_only = false;
    bool tls_1_3 = true;                    ///< false: TLS 1.2 only, where proof linking must use tls-unique
    std::size_t body_bytes_max = 8u << 20;  ///< a CA bag with post-quantum roots is below 1 MB
};

enum class ServerProof { none, explicit_anchor_and_name, explicit_anchor_and_cmc_ra, system_anchor_and_name };

/// One connection to one server. Not thread-safe.
class Connection {
public:
    /// Resolves, connects, shakes hands, checks the server. unavailable: no connection; not_authenticated: the server's
    /// chain or name is not right (the detail says which and what to do); policy: plain http that was not asked for.
    static Result<std::unique_ptr<Connection>> open(const http::Url& url, const ClientOptions& options);
    virtual ~Connection() = default;
    virtual Result<http::Response> exchange(const http::Request& request) = 0;
    virtual ServerProof server_proof() const = 0;
    /// Of this TLS session, for RFC 7030 3.5.
    virtual http::ChannelBindings bindings() const = 0;
    virtual const std::vector<ByteVec>& server_chain() const = 0;  ///< DER as sent
    /// The path by which the server was believed, end entity first, anchor last; empty if there is no proof.
    virtual const std::vector<ByteVec>& verified_chain() const = 0;
    virtual const std::string& tls_version() const = 0;
};

}  // namespace estuary::net
