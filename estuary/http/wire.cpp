#include "estuary/http/wire.h"

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/http/characters.h"

namespace estuary::http {
namespace {

/// A field cannot start another one: control characters become blanks.
void append_field(std::string& to, std::string_view name, std::string_view value) {
    to += name;
    to += ": ";
    for (const char c : value) to += detail::is_one_of(detail::field_chars, c) ? c : ' ';
    to += "\r\n";
}

bool is_ours(std::string_view name) {
    for (const std::string_view own : {"Content-Length", "Connection", "Date", "Transfer-Encoding"})
        if (text::equal_ignoring_case(name, own)) return true;
    return false;
}

void append_length(std::string& to, std::size_t length) {
    fmt::format_to(std::back_inserter(to), FMT_STRING("Content-Length: {}\r\n"), length);
}

}  // namespace

bool may_have_body(const Response& response) noexcept {
    return response.status >= 200 && response.status != 204 && response.status != 304;
}

void write_response(std::string& to, const Response& response, const ResponseFraming& framing) {
    fmt::format_to(std::back_inserter(to), FMT_STRING("HTTP/1.1 {} {}\r\n"), response.status, reason_phrase(response.status));
    if (!framing.date.empty()) append_field(to, "Date", framing.date);
    for (const auto& field : response.headers.fields())
        if (detail::is_token(field.name) && !is_ours(field.name)) append_field(to, field.name, field.value);
    // RFC 9110 8.6: none in 1xx and 204; 304 has no body, and its length would be that of another response.
    const bool bodyless = !may_have_body(response);
    if (!bodyless) append_length(to, response.shared.owner ? response.shared.octets.size() : response.body.size());
    if (framing.close) append_field(to, "Connection", "close");
    to += "\r\n";
    if (!bodyless && !framing.to_head && !response.shared.owner) to += response.body;
}

void write_request(std::string& to, const Request& request, std::string_view authority) {
    to += request.method;
    to += ' ';
    to += request.target;
    to += " HTTP/1.1\r\n";
    append_field(to, "Host", authority);
    for (const auto& field : request.headers.fields())
        if (detail::is_token(field.name) && !text::equal_ignoring_case(field.name, "Host") &&
            !text::equal_ignoring_case(field.name, "Content-Length") &&
            !text::equal_ignoring_case(field.name, "Transfer-Encoding"))
            append_field(to, field.name, field.value);
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") append_length(to, request.body.size());
    to += "\r\n";
    to += request.body;
}

}  // namespace estuary::http
