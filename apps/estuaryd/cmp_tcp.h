#pragma once
// The listeners of [cmp] tcp_listen: connections speak CMP directly over TCP, and requests go the way of those over HTTP.
#include "apps/estuaryd/config.h"

namespace estuary::daemon {

/// Addresses and framing; limits and threads are those of the other listeners.
net::ServerOptions cmp_tcp_options(const Configuration& configuration);

}  // namespace estuary::daemon
