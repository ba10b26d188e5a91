#include "estuary/cmc/http_server.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/http/grammar.h"

namespace estuary::cmc {
namespace {

constexpr std::string_view unreserved =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";  // RFC 3986, and '/'

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// What remains where there can be no answer of CMC's.
http::Response without_answer(const Error& error) {
    if (error.code == Code::not_found) return http::text_response(404, "CMC is not offered here.");
    auto response = http::text_response(error.code == Code::internal ? 500 : 503, "Not now; try again later.");
    if (response.status == 503) response.headers.add("Retry-After", "60");
    return response;
}

}  // namespace

std::string_view media_type_of(const Answer& answer) noexcept {
    return answer.form == Answer::Form::simple ? media_simple_response : media_full_response;
}

std::optional<http::Response> wrong_media_type(const http::Request& request, bool simple_allowed) {
    constexpr std::string_view hint =
        "Send a full PKI request with Content-Type: application/pkcs7-mime; smime-type=CMC-request.";
    if (request.headers.count("Content-Type") > 1) return http::text_response(400, "Send one Content-Type field, not several.");
    const auto field = request.headers.find("Content-Type");
    const auto type = field ? http::MediaType::parse(*field) : fail(Code::not_found, "");
    if (!type) return http::text_response(415, hint);
    if (simple_allowed && type->type == media_simple_request) return {};
    if (type->type != media_cms) return http::text_response(415, hint);
    const auto kind = type->parameters.find("smime-type");
    if (kind != type->parameters.end() && !text::equal_ignoring_case(kind->second, "CMC-request"))
        return http::text_response(415, hint);
    return {};
}

Result<HttpServer> HttpServer::create(std::vector<HttpPath> paths, Server& server) {
    HttpServer out{server};
    for (auto& one : paths) {
        const bool plain = one.path.size() > 1 && one.path.starts_with('/') && !one.path.ends_with('/') &&
                           !one.path.starts_with("/.well-known/") &&
                           one.path.find_first_not_of(unreserved) == std::string::npos && http::path_segments(one.path);
        if (!plain) return fail(Code::policy, fmt::format("'{}' is not the path of a URI, as /cmc", text::printable(one.path)));
        if (!server.has(one.label))
            return fail(Code::policy, fmt::format("'{}': there is no cmc label '{}'", one.path, one.label));
        if (out.path_for(one.path) != nullptr)
            return fail(Code::policy, fmt::format("'{}' is another label's path, too", one.path));
        out.paths_.push_back(std::move(one));
    }
    return out;
}

const HttpPath* HttpServer::path_for(std::string_view target) const noexcept {
    const auto found = std::ranges::find(paths_, path_of(target), &HttpPath::path);
    return found == paths_.end() ? nullptr : &*found;
}

bool HttpServer::owns(std::string_view target) const noexcept { return path_for(target) != nullptr; }

http::Response HttpServer::serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work) {
    const auto* path = path_for(request.target);
    if (path == nullptr) return http::text_response(404, "There is nothing here.");
    if (request.method != "POST") {
        auto response = http::text_response(405, "Use POST.");
        response.headers.add("Allow", "POST");
        return response;
    }
    if (auto wrong = wrong_media_type(request, true)) return std::move(*wrong);
    Transport transport;
    transport.principal.address = peer.address;
    const auto answer = server_->serve(path->label, as_bytes(request.body), transport, work);
    if (!answer) return without_answer(answer.error());
    http::Response response;
    response.headers.add("Content-Type", std::string{media_type_of(*answer)});
    response.headers.add("Cache-Control", "no-store");
    response.body = as_text(answer->der);
    return response;
}

}  // namespace estuary::cmc
