#include "estuary/net/fetch.h"

#include <fmt/format.h>

namespace estuary::net {
namespace {

using Clock = std::chrono::steady_clock;

bool is_followed(unsigned status, std::string_view method) {
    if (status == 307 || status == 308) return true;
    return method == "GET" && (status == 301 || status == 302 || status == 303);
}

Result<http::Url> target_of_redirect(const http::Url& from, const http::Response& response) {
    const auto location = response.headers.find("Location");
    if (!location) return fail(Code::malformed, fmt::format("{} redirects without saying where to", from.authority()));
    ESTUARY_TRY(auto to, from.resolve(*location));
    const bool same_origin = to.scheme == from.scheme && to.authority() == from.authority();
    const bool to_tls = from.scheme == "http" && to.scheme == "https" && to.host == from.host;
    if (!same_origin && !to_tls)
        return fail(Code::policy,
                    fmt::format("{} redirects to {}, which is not followed; if that is right, give that address", from.to_string(),
                                to.to_string()));
    return to;
}

Result<http::Response> exchange_once(const http::Url& url, const http::Request& request, const FetchOptions& options,
                                     Clock::time_point deadline) {
    const auto left = [deadline] {
        return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()), std::chrono::milliseconds{1});
    };
    ClientOptions client;
    client.trust = options.trust;
    client.trust.cmc_ra_instead_of_name = false;  // that is for EST servers
    client.plain_http = true;
    client.public_addresses_only = options.public_addresses_only;
    client.body_bytes_max = options.body_bytes_max;
    client.connect_timeout = std::min(client.connect_timeout, left());
    client.exchange_timeout = left();
    ESTUARY_TRY(const auto connection, Connection::open(url, client));
    return connection->exchange(request);
}

}  // namespace

Result<http::Response> fetch(http::Url url, http::Request request, const FetchOptions& options) {
    const auto deadline = Clock::now() + options.timeout;
    if (request.target.empty()) request.target = url.path.empty() ? "/" : url.path;
    request.headers.set("Connection", "close");
    for (int redirects = 0;; ++redirects) {
        ESTUARY_TRY(auto response, exchange_once(url, request, options, deadline));
        if (!is_followed(response.status, request.method)) return response;
        if (redirects == options.redirects_max) return fail(Code::policy, fmt::format("{} redirects too often", url.authority()));
        ESTUARY_TRY(url, target_of_redirect(url, response));
        request.target = url.path.empty() ? "/" : url.path;
    }
}

}  // namespace estuary::net
