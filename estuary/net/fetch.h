#pragma once
// One request to a URL that somebody else wrote: CRLs, OCSP, CA certificates. Bounded in size, time and redirects; plain http is
// allowed here, since what is fetched is signed by itself.
#include "estuary/net/client.h"

namespace estuary::net {

struct FetchOptions {
    ClientTrust trust;  ///< for https
    std::size_t body_bytes_max = 64u << 10;
    std::chrono::milliseconds timeout{60'000};  ///< for all of it, redirects included; connecting (10 s at most) comes on top
    int redirects_max = 3;
    bool public_addresses_only = false;  ///< as ClientOptions has it, for redirects, too
};

/// The answer, whatever its status. An empty `request.target` is the path of the URL. Redirects are followed for GET, and with
/// 307 and 308 for POST: to the same host only, and never away from https. policy: a redirect elsewhere, or one too many;
/// unavailable, too_large, malformed, not_authenticated as Connection has them.
Result<http::Response> fetch(http::Url url, http::Request request, const FetchOptions& options);

}  // namespace estuary::net
