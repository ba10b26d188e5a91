#include <cstdlib>

#include "estuary/est/server.h"

namespace estuary::est {
namespace {

constexpr unsigned retry_busy_s = 5;          // a queue of requests empties in well under that
constexpr unsigned retry_unavailable_s = 60;  // storage and upstreams take a person, or a restart

/// RFC 7030 4.2.3: a fitting 4xx or 5xx.
unsigned status_of(Code code) noexcept {
    switch (code) {
        case Code::malformed: return 400;
        case Code::too_large: return 413;
        case Code::unsupported: return 400;
        case Code::not_authenticated: return 401;
        case Code::not_authorised: return 403;
        case Code::bad_proof: return 400;
        case Code::policy: return 400;
        case Code::bad_key: return 400;
        case Code::not_found: return 404;
        case Code::conflict: return 409;
        case Code::too_busy: return 503;
        case Code::unavailable: return 503;
        case Code::internal: return 500;
    }
    std::abort();  // every code is above; -Wswitch sees to it
}

std::string_view fallback(unsigned status) noexcept {
    switch (status) {
        case 401: return "authentication is needed";
        case 403: return "this is not allowed";
        case 404: return "there is nothing here";
        case 409: return "the request came in between with another; send it again";
        case 413: return "the request is too large";
        case 503: return "not now; try again later";
        case 500: return "the server failed; its log says why";
        default: return "the request cannot be read";
    }
}

}  // namespace

http::Response to_response(const Error& error) {
    const auto status = status_of(error.code);
    // Faults of our own are the log's business only.
    const bool say = !error.detail.empty() && error.code != Code::internal;
    auto response = http::text_response(status, say ? std::string_view{error.detail} : fallback(status));
    if (status == 503) {
        const auto hint = error.code == Code::too_busy ? retry_busy_s : retry_unavailable_s;
        response.headers.add("Retry-After", std::to_string(error.retry_after_s != 0 ? error.retry_after_s : hint));
    }
    return response;
}

}  // namespace estuary::est
