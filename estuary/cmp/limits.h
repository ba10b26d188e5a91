#pragma once
// What the readers of this room put up with from a peer.
#include <cstddef>

#include "estuary/asn1/der.h"

namespace estuary::cmp {

/// Counts and octets of one message; whoever passes one gets Code::too_large. A nested message is held to all of them as well.
struct Limits {
    std::size_t bytes_max = 1u << 20;      ///< the whole message
    unsigned depth_max = 48;               ///< of DER: nesting_max messages deep, each with the deepest body known
    unsigned nesting_max = 4;              ///< messages in messages; each registration authority on the way adds one
    std::size_t messages_max = 64;         ///< PKIMessage in one nested message
    std::size_t extra_certs_max = 32;      ///< extraCerts (bug class 16)
    std::size_t certificates_max = 64;     ///< caPubs, caCerts, and the like
    std::size_t requests_max = 64;         ///< CertReqMsg, CertResponse, RevDetails, CertStatus, … of one body
    std::size_t crls_max = 16;
    std::size_t info_max = 64;             ///< InfoTypeAndValue in generalInfo, genm or genp
    std::size_t texts_max = 32;            ///< of one PKIFreeText
    std::size_t text_octets_max = 8192;    ///< of one of them
    std::size_t identifier_octets_max = 128;  ///< transactionID, nonces, key identifiers: 16 to 64 are in use
};

/// The part of it that the DER reader keeps.
inline der::Limits der_limits(const Limits& limits) { return {.depth_max = limits.depth_max, .bytes_max = limits.bytes_max}; }

}  // namespace estuary::cmp
