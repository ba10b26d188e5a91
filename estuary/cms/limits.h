#pragma once
// What the readers of this room put up with from a peer.
#include <cstddef>

#include "estuary/asn1/der.h"

namespace estuary::cms {

/// Counts and octets of one message; whoever passes one gets Code::too_large.
struct Limits {
    std::size_t bytes_max = 1u << 20;    ///< the whole message; a client that fetches large CRLs sets more
    std::size_t certificates_max = 64;
    std::size_t crls_max = 16;
    std::size_t signers_max = 16;
    std::size_t attributes_max = 64;     ///< of one signer; SCEP has about eight
    std::size_t values_max = 16;         ///< of one attribute
    std::size_t recipients_max = 16;
    std::size_t iterations_max = 1'000'000;  ///< of PBKDF2: about half a second
};

/// The part of it that the DER reader keeps.
inline der::Limits der_limits(const Limits& limits) { return {.bytes_max = limits.bytes_max}; }

}  // namespace estuary::cms
