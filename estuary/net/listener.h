#pragma once
// Listening sockets.
#include <string>

#include "estuary/net/fd.h"
#include "estuary/net/server.h"

namespace estuary::net {

struct Listener {
    Fd fd;
    std::uint16_t port = 0;
};

/// Binds and listens, non-blocking. The port is ours alone (no SO_REUSEPORT: a second server on the same port must fail
/// to start). unavailable, naming address and reason, if it cannot; malformed if the address is none.
Result<Listener> open_listener(const Listen& where);

/// How accepting one connection ended.
enum class Accepted : std::uint8_t { yes, none, out_of_descriptors };
/// Accepts a connection, ready for non-blocking use; `address` without port.
Accepted accept_connection(int listener, Fd& fd, std::string& address);

}  // namespace estuary::net
