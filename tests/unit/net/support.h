#pragma once
// What the tests of this room share: certificates made with OpenSSL's own API, a handler of many moods, a bare socket.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "estuary/net/client.h"
#include "estuary/net/fd.h"
#include "estuary/net/server.h"

namespace estuary::net::test {

/// A certificate and its key, and the certificates above it (nearest first, without the root).
struct Issued {
    ByteVec der;
    crypto::PrivateKey key;
    std::vector<ByteVec> above;

    std::vector<ByteVec> chain() const;
};

struct CertificateWish {
    std::string name = "test";
    bool ca = false;
    std::string san;      ///< "DNS:a,IP:127.0.0.1"
    std::string usage;    ///< extended key usage, "serverAuth,1.3.6.1.5.5.7.3.28"
    long from_s = -3600;  ///< notBefore and notAfter, seconds from now
    long to_s = 24 * 3600;
};

Issued self_signed(const CertificateWish& wish);
Issued issue(const Issued& ca, const CertificateWish& wish);

/// One PKI for all tests: root, issuing CA, server certificate for localhost and 127.0.0.1.
struct Pki {
    Issued root, issuing, server;
};
const Pki& pki();

/// Answers by the path:
///   /quick         "quick", on the I/O thread
///   /slow          "slow", on a worker
///   /echo          the body
///   /peer          a line for each fact about the peer
///   /large/N       N octets
///   /drop          drops the responder; /throw and /quick/throw throw; /twice answers twice
///   /block         waits for release()
class MoodyHandler final : public Handler {
public:
    bool is_quick(const http::Request& request) const override;
    void serve(http::Request request, std::shared_ptr<const http::Peer> peer, ResponderPtr responder) override;

    /// Waits until so many requests are in /block.
    void await_blocked(int count);
    void release();

private:
    http::Response answer(const http::Request& request, const http::Peer& peer);

    std::mutex mutex_;
    std::condition_variable changed_;
    int blocked_ = 0;
    bool released_ = false;
};

/// A server on a free port of the loopback, ready to serve.
class TestServer {
public:
    explicit TestServer(ServerOptions options = {});
    ~TestServer();

    Server& operator*() { return *server_; }
    Server* operator->() { return server_.get(); }
    std::uint16_t port() const { return server_->port(); }
    http::Url url(std::string_view host = "localhost") const;

    MoodyHandler handler;

private:
    bool tls_;
    std::unique_ptr<Server> server_;
};

TlsIdentity server_identity();
ServerOptions tls_options();
/// Options of a client that trusts the test root.
ClientOptions trusting();
ClientOptions trusting(const Issued& identity);

/// A request for /quick in its wire form.
inline constexpr std::string_view get_quick = "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n";
http::Request get(std::string target);
http::Request post(std::string target, std::string body);
/// Opens a connection and exchanges one request; a failure is a test failure and gives status 0.
http::Response fetch(const http::Url& url, const ClientOptions& options, const http::Request& request);
std::unique_ptr<Connection> open(const http::Url& url, const ClientOptions& options);

/// A blocking TCP connection to the loopback that sends and reads bare octets; reads give up after 20 s.
class BareClient {
public:
    explicit BareClient(std::uint16_t port);
    void send(std::string_view octets);
    /// Up to and including `mark`, or all until the end.
    std::string read_until(std::string_view mark);
    std::string read_all() { return read_until({}); }
    /// One response with Content-Length, head and body.
    std::string read_response();
    void half_close();
    int fd() const { return fd_.get(); }

private:
    bool read_more();

    Fd fd_;
    std::string buffer_;
};

/// A directory that goes away with the test.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    std::string file(const std::string& name) const { return (path_ / name).string(); }
    std::string write(const std::string& name, std::string_view content) const;

private:
    std::filesystem::path path_;
};

std::string pem(Bytes certificate);
std::string key_pem(const crypto::PrivateKey& key);
bool installed(const std::string& program);
/// What a command prints on both outputs.
std::string output_of(const std::string& command);

/// Waits (at most 20 s) until it is true.
template <class Condition>
bool eventually(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        ::usleep(2000);
    }
    return condition();
}

}  // namespace estuary::net::test
