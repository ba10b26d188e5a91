#include "estuary/est/client_answer.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/text.h"

namespace estuary::est {
namespace {

constexpr std::size_t error_characters_max = 300;
constexpr Seconds wait_default{60};  // a 202 without Retry-After breaks RFC 7030 4.2.3, but is not the device's fault

Code code_of(unsigned status) noexcept {
    switch (status) {
        case 400: return Code::malformed;
        case 401: return Code::not_authenticated;
        case 403: return Code::not_authorised;
        case 404: return Code::not_found;
        case 405: return Code::unsupported;
        case 406: return Code::unsupported;
        case 409: return Code::conflict;
        case 413: return Code::too_large;
        case 415: return Code::unsupported;
        case 429: return Code::too_busy;
        case 501: return Code::unsupported;
        case 503: return Code::too_busy;
        default: return status >= 500 ? Code::unavailable : Code::policy;
    }
}

std::optional<Seconds> retry_after(const http::Response& response, Time now) {
    const auto field = response.headers.find("Retry-After");
    if (!field) return std::nullopt;
    const auto read = http::parse_retry_after(*field, now);
    if (!read) return std::nullopt;
    return std::max(*read, Seconds{1});
}

bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error error_of(const http::Response& response, Time now) {
    const auto said = error_text(response);
    Error error{code_of(response.status),
                fmt::format("the server answered {} ({}){}{}", response.status, http::reason_phrase(response.status),
                            said.empty() ? "" : ": ", said)};
    if (const auto wait = retry_after(response, now))
        error.retry_after_s = static_cast<unsigned>(std::min<std::int64_t>(wait->count(), 1u << 30));
    return error;
}

}  // namespace

std::string error_text(const http::Response& response) {
    const auto field = response.headers.find("Content-Type");
    if (field) {
        // RFC 7030 4.2.3: without a type it is text for people; with another type (pkcs7-mime, HTML) it is not for them.
        const auto type = http::MediaType::parse(*field);
        if (!type || type->type != "text/plain") return {};
    }
    std::string line{text::trim(std::string_view{response.body}.substr(0, 4 * error_characters_max))};
    std::ranges::replace_if(line, [](char c) { return c == '\r' || c == '\n' || c == '\t'; }, ' ');
    line = text::printable(line);
    if (line.size() <= error_characters_max) return line;
    auto cut = error_characters_max;
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;  // not inside a character
    return line.substr(0, cut) + "...";
}

Result<Reply> read_reply(const http::Response& response, bool post, Time now) {
    Reply reply;
    if (response.status == 200) return reply;
    if (response.status == 204) {
        reply.nothing = true;
        return reply;
    }
    if (response.status == 202) {
        reply.wait = Wait{retry_after(response, now).value_or(wait_default)};
        return reply;
    }
    const auto location = response.headers.find("Location");
    if (is_redirect(response.status) && location && !(post && response.status == 303)) {
        reply.redirect = Redirect{std::string{*location}};
        return reply;
    }
    return fail(error_of(response, now));
}

Result<void> check_media_type(const http::Response& response, std::initializer_list<std::string_view> accepted) {
    const auto field = response.headers.find("Content-Type");
    if (!field) return {};
    const auto type = http::MediaType::parse(*field);
    if (type && std::ranges::find(accepted, std::string_view{type->type}) != accepted.end()) return {};
    return fail(Code::malformed, fmt::format("the server's answer is of type '{}'; expected {}",
                                             text::printable(field->substr(0, 80)), *accepted.begin()));
}

Result<x509::Certificate> pick_issued(const std::vector<x509::Certificate>& certificates, Bytes spki) {
    const auto fits = [&](const x509::Certificate& certificate) { return same(certificate.spki(), spki); };
    const auto found = std::ranges::find_if(certificates, fits);
    if (found == certificates.end())
        return fail(Code::bad_key, "the server's answer holds no certificate for the key");
    if (std::ranges::count_if(certificates, fits) != 1)
        return fail(Code::malformed, "the server's answer holds several certificates for the key");
    return *found;
}

}  // namespace estuary::est
