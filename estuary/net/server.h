#pragma once
// The TLS and HTTP/1.1 server: one epoll-driven context a thread, SSL_read and SSL_write straight on the non-blocking socket
// (a BIO pair per connection would cost four times the memory). Handlers see http::Request values only.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estuary/base/clock.h"
#include "estuary/base/result.h"
#include "estuary/crypto/key.h"
#include "estuary/http/message.h"
#include "estuary/net/framing.h"

namespace estuary::net {

/// Every limit has a name, a unit and a reason.
struct Limits {
    std::size_t header_bytes_max = 16 * 1024;  ///< a Basic header with a 4 kB password fits several times
    std::size_t body_bytes_max = 128 * 1024;   ///< the largest SLH-DSA signature is 49,856 bytes, 68 kB in base64
    std::chrono::milliseconds handshake_timeout{10'000};
    std::chrono::milliseconds request_timeout{15'000};  ///< first octet to last octet of one request
    std::chrono::milliseconds idle_timeout{60'000};     ///< between requests on a kept-alive connection
    std::chrono::milliseconds write_timeout{15'000};    ///< a peer that does not read its answer
    std::size_t connections_max = 10'000;               ///< past this the oldest idle connection is closed, or the new one
    std::size_t connections_per_address_max = 0;        ///< 0: no such limit (NAT gateways serve many devices)
    unsigned requests_per_connection_max = 100'000;
    std::size_t queued_requests_max = 4'096;  ///< waiting for a worker; past this 503 at once
};

/// What a TLS listener presents and accepts. Replaced as a whole by Server::replace_tls (reload).
struct TlsIdentity {
    std::vector<ByteVec> chain;  ///< DER, end entity first, without the root
    crypto::PrivateKey key;
    std::vector<ByteVec> client_anchors;        ///< DER; their names go into the CertificateRequest
    std::vector<ByteVec> client_intermediates;  ///< DER; help to build the client's chain
    bool ask_for_client_certificate = true;     ///< asked for, never needed at the handshake; checked by whoever needs it
    std::string ciphers;                        ///< empty: TLS 1.2 ECDHE with AES-GCM or ChaCha20, and TLS 1.3
};

/// Answers one request, exactly once, from any thread, now or later.
class Responder {
public:
    virtual ~Responder() = default;
    virtual void respond(http::Response response) = 0;
};
using ResponderPtr = std::shared_ptr<Responder>;

struct Handler {
    virtual ~Handler() = default;
    /// Called on an I/O thread when a request's head and body are complete. True: `serve` costs less than the way to a worker thread
    /// and back (some ten microseconds: at most one P-256 or Ed25519 signature and one read of a local database) and waits for
    /// nobody; it is called at once on the I/O thread. False: it is called on a worker thread.
    virtual bool is_quick(const http::Request& request) const = 0;
    /// May keep the responder and answer later (after the group commit). Must not throw; if it does, net logs it and
    /// answers 500.
    virtual void serve(http::Request request, std::shared_ptr<const http::Peer> peer, ResponderPtr responder) = 0;
};

struct Listen {
    std::string address = "127.0.0.1";  ///< IPv4, IPv6 or "*"
    std::uint16_t port = 8443;          ///< 0: chosen by the system, see Server::port
};

struct ServerOptions {
    std::vector<Listen> listen;
    Limits limits;
    unsigned io_threads = 0;              ///< 0: one a core
    unsigned worker_threads = 0;          ///< 0: one a core
    std::optional<TlsIdentity> tls;       ///< absent: plain HTTP (metrics, OCSP, CRLs)
    std::string server_name = "estuary";  ///< for logs
    /// Makes what a connection to the listener of that index speaks; on I/O threads. Empty: HTTP/1.1.
    std::function<std::unique_ptr<Framing>(std::size_t listener)> framing{};
};

struct ServerCounters {
    std::uint64_t connections_accepted = 0, connections_open = 0, handshakes_failed = 0, requests = 0, timeouts = 0,
                  refused_busy = 0;
};

class Server {
public:
    /// Binds and listens; unavailable (naming address and reason) if it cannot. Serves once start() is called.
    static Result<std::unique_ptr<Server>> create(ServerOptions options, Handler& handler);
    virtual ~Server() = default;
    virtual void start() = 0;  ///< returns at once
    /// Stops accepting, lets requests under way finish (at most `patience`), closes, joins all threads.
    virtual void drain(std::chrono::milliseconds patience) = 0;
    virtual Result<void> replace_tls(TlsIdentity identity) = 0;  ///< for new connections
    virtual std::uint16_t port(std::size_t listener = 0) const = 0;
    virtual ServerCounters counters() const = 0;
};

}  // namespace estuary::net
