#include "estuary/cmp/http_client.h"

#include <charconv>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/cmp/http_server.h"

namespace estuary::cmp {
namespace {

constexpr std::string_view well_known = "/.well-known/cmp";

/// application/pkixcmp-poll is what drafts called it (RFC 9811 4).
bool holds_message(const http::Response& response) {
    const auto field = response.headers.find("Content-Type");
    if (!field) return false;
    const auto type = text::trim(field->substr(0, field->find(';')));
    return text::equal_ignoring_case(type, media_pkixcmp) || text::equal_ignoring_case(type, "application/pkixcmp-poll");
}

unsigned retry_after(const http::Response& response) {
    const auto field = response.headers.find("Retry-After");
    unsigned seconds = 0;
    if (field) std::from_chars(field->data(), field->data() + field->size(), seconds);
    return seconds;
}

Code code_of(unsigned status) {
    if (status == 401 || status == 403) return Code::not_authorised;
    if (status == 404 || status == 410) return Code::not_found;
    if (status == 429 || status == 503) return Code::too_busy;
    if (status >= 500) return Code::unavailable;
    if (status >= 300 && status < 400) return Code::policy;
    return Code::malformed;
}

}  // namespace

Result<HttpTarget> http_target(const http::Url& url, std::string_view name) {
    HttpTarget target;
    auto path = url.path;
    if (path.ends_with('/') && path.size() == 1) path.clear();
    const bool is_well_known = path.empty() || path == well_known || path.starts_with(std::string{well_known} + "/");
    if (!is_well_known) {
        if (!name.empty())
            return fail(Code::policy, fmt::format("a name belongs behind {}/p/, and the URL has another path", well_known));
        return HttpTarget{url.path, false};
    }
    while (path.ends_with('/')) path.pop_back();
    if (!path.empty()) target.path = path;
    if (!name.empty()) target.path += "/p/" + std::string{name};
    return target;
}

http::Request make_http_request(const HttpTarget& target, std::string_view host, std::string_view operation, Bytes message) {
    http::Request request;
    request.method = "POST";
    request.target = target.path;
    if (target.operation_labels && !operation.empty()) request.target += "/" + std::string{operation};
    request.headers.add("Host", std::string{host});
    request.headers.add("Content-Type", std::string{media_pkixcmp});
    request.headers.add("Accept", std::string{media_pkixcmp});
    request.body = estuary::to_string(message);
    return request;
}

//= https://www.rfc-editor.org/rfc/rfc9811#section-3.1
//# Whenever a client receives an HTTP response with a status code in the 2xx, 4xx, or 5xx ranges, it MUST support handling response
//# message content containing a CMP response PKIMessage.
Result<Bytes> read_http_response(const http::Response& response) {
    const bool redirected = response.status >= 300 && response.status < 400;
    if (holds_message(response) && !response.body.empty() && !redirected) return as_bytes(response.body);
    if (response.status == 200) return fail(Code::malformed, "the server's answer is not a CMP message (application/pkixcmp)");
    auto detail = fmt::format("the server answers {} {} instead of a CMP message", response.status, http::reason_phrase(response.status));
    if (const auto location = response.headers.find("Location"); redirected && location)
        detail += fmt::format("; it points to {}: if that is right, use this address", text::printable(*location));
    Error error{code_of(response.status), std::move(detail)};
    error.retry_after_s = retry_after(response);
    return fail(std::move(error));
}

}  // namespace estuary::cmp
