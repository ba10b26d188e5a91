#include "fetch.h"

#include "estuary/net/fetch.h"

namespace estuary::client {

ocsp::Fetch network_fetch(NetworkOptions options) {
    net::FetchOptions how;
    how.trust.system_anchors = true;
    for (const auto& anchor : options.trust.anchors) how.trust.explicit_anchors.push_back(to_vec(anchor.der()));
    if (options.timeout) how.timeout = *options.timeout;
    return [how](const http::Url& url, const http::Request& request, std::size_t body_bytes_max) {
        auto one = how;
        one.body_bytes_max = body_bytes_max;
        return net::fetch(url, request, one);
    };
}

}  // namespace estuary::client
