#include "estuary/cmp/http_server.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/http/grammar.h"

namespace estuary::cmp {
namespace {

constexpr std::string_view prefix = "/.well-known/cmp";
constexpr std::string_view media_poll = "application/pkixcmp-poll";   // RFC 9811 4: of drafts, to be taken alike

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// "/pkix/" and "/pkix" are one path.
std::string_view without_slash(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path;
}

std::optional<http::Response> wrong_media_type(const http::Request& request) {
    constexpr std::string_view hint = "Send a PKIMessage in DER with Content-Type: application/pkixcmp.";
    if (request.headers.count("Content-Type") > 1) return http::text_response(400, "Send one Content-Type field, not several.");
    const auto field = request.headers.find("Content-Type");
    const auto type = field ? http::MediaType::parse(*field) : fail(Code::not_found, "");
    if (!type || (type->type != media_pkixcmp && type->type != media_poll)) return http::text_response(415, hint);
    return std::nullopt;
}

}  // namespace

Result<HttpServer> HttpServer::create(HttpConfig config, Server& server) {
    HttpServer out{server};
    for (const auto& text : config.legacy_paths) {
        const auto equals = text.find('=');
        Legacy legacy{std::string{without_slash(text.substr(0, equals))}, equals == std::string::npos ? "" : text.substr(equals + 1)};
        if (!legacy.path.starts_with('/') || legacy.path.starts_with("/.well-known/") || !http::path_segments(legacy.path))
            return fail(Code::policy, fmt::format("'{}' is not the path of a URI, as /pkix/", text::printable(text)));
        if (!server.has_label(legacy.label)) return fail(Code::policy, fmt::format("'{}': there is no label '{}'", text::printable(text), legacy.label));
        out.legacy_.push_back(std::move(legacy));
    }
    return out;
}

bool HttpServer::owns(std::string_view target) const noexcept {
    const auto path = path_of(target);
    if (path.starts_with(prefix)) return path.size() == prefix.size() || path[prefix.size()] == '/';
    return std::ranges::any_of(legacy_, [&](const Legacy& legacy) { return without_slash(path) == legacy.path; });
}

/// RFC 9811 3.4: /.well-known/cmp, …/OPERATION, …/p/NAME, …/p/NAME/OPERATION.
Result<Transport> HttpServer::transport_of(std::string_view target) const {
    for (const auto& legacy : legacy_)
        if (without_slash(path_of(target)) == legacy.path) return Transport{legacy.label};
    ESTUARY_TRY(auto segments, http::path_segments(without_slash(path_of(target))));
    if (segments.size() < 2 || segments[0] != ".well-known" || segments[1] != "cmp") return fail(Code::not_found, "There is nothing here.");
    segments.erase(segments.begin(), segments.begin() + 2);
    Transport transport;
    if (segments.size() >= 2 && segments[0] == "p") {
        transport.label = segments[1];
        segments.erase(segments.begin(), segments.begin() + 2);
    }
    if (segments.size() == 1) {
        transport.operation = operation_named(segments.front());
        if (!transport.operation) return fail(Code::not_found, "There is no such CMP operation (RFC 9483 6.1).");
    } else if (!segments.empty()) {
        return fail(Code::not_found, "CMP's paths are /.well-known/cmp[/p/NAME][/OPERATION].");
    }
    return transport;
}

http::Response HttpServer::serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work) {
    auto transport = transport_of(request.target);
    if (!transport) return http::text_response(404, transport.error().detail);
    if (!server_->has_label(transport->label))
        return http::text_response(404, transport->label.empty() ? "CMP needs a name here: /.well-known/cmp/p/NAME." : "There is no such name.");
    if (request.method != "POST") {
        auto response = http::text_response(405, "Use POST.");
        response.headers.add("Allow", "POST");
        return response;
    }
    if (auto wrong = wrong_media_type(request)) return std::move(*wrong);
    if (request.body.empty()) return http::text_response(400, "There is no PKIMessage in the request.");
    transport->address = peer.address;
    auto answer = server_->answer(as_bytes(request.body), *transport, work);
    http::Response response;
    //= https://www.rfc-editor.org/rfc/rfc9811#section-3.5
    //# A receiver MUST answer with a suitable 4xx or 5xx error code when a problem occurs.
    if (answer.message.empty()) {
        response.status = 403;   // announcements are of no use here
        return response;
    }
    if (!answer.understood) response.status = 400;
    response.headers.add("Content-Type", std::string{media_pkixcmp});
    response.headers.add("Cache-Control", "no-store");
    response.body = estuary::to_string(Bytes{answer.message});
    return response;
}

http::Response not_stored(const Error& error) {
    const bool again = error.code == Code::conflict || error.code == Code::too_busy;
    auto response = http::text_response(503, again ? "The same was asked twice at once; send the message again." : "Not now; try again later.");
    response.headers.add("Retry-After", again ? "1" : "60");
    return response;
}

}  // namespace estuary::cmp
