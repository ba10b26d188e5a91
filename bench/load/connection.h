#pragma once
// The load generator's side of one connection: blocking, with OpenSSL as it comes; it shares no code with the server.
#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "estuary/base/handle.h"

namespace estuary::load {

using SslCtx = Handle<SSL_CTX, SSL_CTX_free>;
using Ssl = Handle<SSL, SSL_free>;

struct Address {
    std::string host;
    std::uint16_t port = 0;
};

/// A client context that checks the server against `ca_pem`, and authenticates with certificate and key if given (PEM).
SslCtx client_context(const std::string& ca_pem, const std::string& certificate_pem = {}, const std::string& key_pem = {});

struct Reply {
    unsigned status = 0;
    std::string body;
};

/// Connects and shakes hands; throws std::runtime_error if it cannot.
class Connection {
public:
    Connection(SSL_CTX& context, const Address& address);
    /// Plain HTTP.
    explicit Connection(const Address& address);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();
    Reply exchange(const std::string& request);

private:
    void open(const Address& address);
    long write(const char* data, std::size_t size);
    long read(char* into, std::size_t size);

    int socket_ = -1;
    Ssl ssl_;
    std::string buffer_;
};

}  // namespace estuary::load
