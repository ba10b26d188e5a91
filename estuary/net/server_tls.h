#pragma once
// The server's half of TLS: what it presents, which clients it believes, who the peer turned out to be.
#include <memory>

#include "estuary/net/server.h"
#include "estuary/net/tls.h"

namespace estuary::net {

/// One identity in use. Sessions keep the one that they began with, so it is shared.
class ServerTls {
public:
    static Result<std::shared_ptr<const ServerTls>> create(const TlsIdentity& identity);

    /// A session that waits for a client's handshake; null when memory is short.
    SslPtr new_session() const { return SslPtr{SSL_new(context_.get())}; }

private:
    ServerTls() = default;
    Result<void> ask_for_client_certificates(const TlsIdentity& identity);

    SslContextPtr context_;
    CertificatesPtr intermediates_;
};

/// Fills in what the handshake proved (not the channel bindings, which cost time).
void describe_peer(SSL& ssl, http::Peer& peer);

}  // namespace estuary::net
