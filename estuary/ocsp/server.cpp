#include "estuary/ocsp/server.h"

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/http/grammar.h"

namespace estuary::ocsp {
namespace {

bool is_read(const http::Request& request) { return request.method == "GET" || request.method == "HEAD"; }

/// If-None-Match (RFC 9110 13.1.2): a list of entity tags, compared weakly, or "*".
bool has_tag(std::string_view if_none_match, std::string_view etag) {
    for (auto tag : text::split(if_none_match, ',')) {
        tag = text::trim(tag);
        if (tag == "*") return true;
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        if (tag == etag) return true;
    }
    return false;
}

/// RFC 5019 6.2, RFC 9919 7.2; net adds Date and Content-Length.
void add_caching(http::Headers& headers, const Answer& answer, Time now) {
    headers.add("ETag", fmt::format("\"{}\"", answer.etag));
    headers.add("Last-Modified", http::imf_fixdate(answer.this_update));
    headers.add("Expires", http::imf_fixdate(answer.next_update));
    const auto age_max = std::max(answer.fresh_until - now, Seconds{0});
    headers.add("Cache-Control", fmt::format("max-age={}, public, no-transform, must-revalidate", age_max.count()));
}

http::Response to_response(const Answer& answer, const http::Request& request, Time now) {
    http::Response response;
    if (!answer.cacheable) {
        response.headers.add("Content-Type", std::string{media_response});
        response.headers.add("Cache-Control", "no-store");
        response.body = as_text(answer.der);
        return response;
    }
    const auto known = request.headers.find("If-None-Match");
    if (known && is_read(request) && has_tag(*known, fmt::format("\"{}\"", answer.etag))) {
        response.status = 304;
        add_caching(response.headers, answer, now);
        return response;
    }
    response.headers.add("Content-Type", std::string{media_response});
    add_caching(response.headers, answer, now);
    response.body = as_text(answer.der);
    return response;
}

/// The media type of a POST: 415 if it is another, absent or doubtful.
bool is_ocsp_request(const http::Headers& headers) {
    const auto value = headers.find("Content-Type");
    if (!value || headers.count("Content-Type") != 1) return false;
    const auto type = http::MediaType::parse(*value);
    return type && type->type == media_request;
}

/// The request's octets from whichever method, or the response that refuses it.
tl::expected<ByteVec, http::Response> request_octets(const http::Request& request, std::string_view path,
                                                     const ServerConfig& config, Responder& responder) {
    if (request.method == "POST") {
        if (!path.empty() && path != "/") return tl::unexpected{http::text_response(404, "Post to the path itself.")};
        if (!is_ocsp_request(request.headers))
            return tl::unexpected{http::text_response(415, fmt::format("Content-Type must be {}.", media_request))};
        if (request.body.size() > responder.limits().octets_max)
            return tl::unexpected{http::text_response(413, fmt::format("More than {} octets.", responder.limits().octets_max))};
        return to_vec(as_bytes(request.body));
    }
    if (request.target.size() > config.target_octets_max)
        return tl::unexpected{http::text_response(414, "Too long for GET: use POST.")};
    const auto text = decode_get_path(path);
    if (!text) return tl::unexpected{http::text_response(400, text.error().detail)};
    if (text->empty()) return tl::unexpected{http::text_response(400, "The path must go on with the base64 of a request.")};
    auto readings = readings_of(*text);
    if (!readings) return tl::unexpected{http::text_response(400, readings.error().detail)};
    if (readings->size() == 1) return std::move(readings->front());
    std::erase_if(*readings, [&](const ByteVec& der) {
        const auto parsed = Request::parse(der, responder.limits());
        return !parsed || !responder.knows(*parsed);
    });
    // Two that fit differ in the serial number: to guess would be to answer about another certificate.
    if (readings->size() != 1)
        return tl::unexpected{http::text_response(400, "A '//' of the path was collapsed: percent-encode it, or use POST.")};
    return std::move(readings->front());
}

}  // namespace

Server::Server(ServerConfig config, Responder& responder, const Clock& clock)
    : config_{std::move(config)}, responder_{responder}, clock_{clock} {}

bool Server::owns(std::string_view target) const noexcept {
    if (!target.starts_with(config_.path)) return false;
    const auto rest = target.substr(config_.path.size());
    return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

http::Response Server::serve(const http::Request& request) {
    if (!owns(request.target)) return http::text_response(404, "There is no such path.");
    if (!is_read(request) && request.method != "POST") {
        auto response = http::text_response(405, "Use GET, HEAD or POST here.");
        response.headers.add("Allow", "GET, HEAD, POST");
        return response;
    }
    const auto path = std::string_view{request.target}.substr(config_.path.size());
    const auto octets = request_octets(request, path, config_, responder_);
    if (!octets) return octets.error();
    return to_response(*responder_.answer(*octets), request, clock_.now());
}

std::optional<http::Response> Server::serve_ready(const http::Request& request) {
    if (!owns(request.target) || (!is_read(request) && request.method != "POST")) return serve(request);
    const auto path = std::string_view{request.target}.substr(config_.path.size());
    const auto octets = request_octets(request, path, config_, responder_);
    if (!octets) return octets.error();
    const auto answer = responder_.ready(*octets);
    if (!answer) return std::nullopt;
    return to_response(*answer, request, clock_.now());
}

}  // namespace estuary::ocsp
