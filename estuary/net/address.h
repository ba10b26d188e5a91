#pragma once
// Which addresses somebody else may send us to.
#include <sys/socket.h>

namespace estuary::net {

/// Whether the Internet routes to it: an IPv4 or IPv6 unicast address that is in none of IANA's special-purpose registries
/// (RFC 6890: loopback, link-local, private, documentation …) and holds no IPv4 address that is.
bool is_public_address(const sockaddr& address);

}  // namespace estuary::net
