#include "estuary/http/message.h"

#include <algorithm>

#include "estuary/base/text.h"

namespace estuary::http {

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
    for (const auto& field : fields_)
        if (text::equal_ignoring_case(field.name, name)) return field.value;
    return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(fields_, [&](const Header& field) { return text::equal_ignoring_case(field.name, name); }));
}

void Headers::set(std::string_view name, std::string value) {
    std::erase_if(fields_, [&](const Header& field) { return text::equal_ignoring_case(field.name, name); });
    fields_.push_back({std::string{name}, std::move(value)});
}

Response text_response(unsigned status, std::string_view sentence) {
    Response response;
    response.status = status;
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.body.reserve(sentence.size() + 1);
    response.body = sentence;
    if (!response.body.empty() && response.body.back() != '\n') response.body += '\n';
    return response;
}

std::string_view reason_phrase(unsigned status) noexcept {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Unknown";
    }
}

}  // namespace estuary::http
