#pragma once
// The network as a Fetch.
#include <chrono>

#include "status.h"
#include "trust.h"

namespace estuary::client {

struct NetworkOptions {
    Trust trust;                                 ///< of https servers, beside the system's CA certificates
    std::optional<Seconds> timeout;              ///< of each answer
};
Fetch network_fetch(NetworkOptions options);

}  // namespace estuary::client
