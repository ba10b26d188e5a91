#pragma once
// The network as a Fetch.
#include <chrono>

#include "estuary/ocsp/status_check.h"
#include "trust.h"

namespace estuary::client {

struct NetworkOptions {
    Trust trust;                                 ///< of https servers, beside the system's CA certificates
    std::optional<Seconds> timeout;              ///< of each answer
};
ocsp::Fetch network_fetch(NetworkOptions options);

}  // namespace estuary::client
