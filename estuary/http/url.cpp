#include <arpa/inet.h>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/http/characters.h"
#include "estuary/http/grammar.h"

namespace estuary::http {
namespace {

constexpr std::size_t url_octets_max = 2048;
constexpr std::size_t host_octets_max = 253;  // RFC 1035 2.3.4, as text
constexpr detail::CharTable name_chars = detail::table_of("-._", true);

bool is_ipv6(const std::string& text) {
    in6_addr ignored{};
    return inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

Result<std::uint16_t> parse_port(std::string_view digits) {
    unsigned port = 0;
    for (const char c : digits) {
        if (!detail::is_digit(c) || digits.size() > 5) return fail(Code::malformed, "URL: the port must be 1 to 65535");
        port = port * 10 + static_cast<unsigned>(c - '0');
    }
    if (port == 0 || port > 65535) return fail(Code::malformed, "URL: the port must be 1 to 65535");
    return static_cast<std::uint16_t>(port);
}

/// host [ ":" port ], where an IPv6 address is in brackets.
Result<void> read_authority(std::string_view text, Url& into) {
    if (text.find('@') != std::string_view::npos) return fail(Code::malformed, "URL: user and password do not belong in a URL");
    std::string_view host, port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return fail(Code::malformed, "URL: ']' is missing");
        host = text.substr(1, close - 1);
        port = text.substr(close + 1);
        if (!is_ipv6(std::string{host})) return fail(Code::malformed, "URL: expected an IPv6 address in brackets");
    } else {
        host = text.substr(0, text.find(':'));
        port = text.substr(host.size());
        if (host.empty() || host.size() > host_octets_max) return fail(Code::malformed, "URL: the host is missing or too long");
        if (!detail::all_of(name_chars, host))
            return fail(Code::malformed, "URL: the host has characters that names do not have (write IDNs as xn--…)");
    }
    into.host = text::lower(host);
    if (port.empty()) return {};
    if (port.front() != ':') return fail(Code::malformed, "URL: expected ':' and a port after the host");
    if (port.size() == 1) return {};  // "host:" means the default port (RFC 3986 3.2.3)
    ESTUARY_TRY(into.port, parse_port(port.substr(1)));
    return {};
}

/// RFC 3986 5.2.4, for a path that starts with '/'. Empty segments stay.
std::string without_dot_segments(std::string_view path) {
    const auto query = path.find('?');
    const auto tail = query == std::string_view::npos ? std::string_view{} : path.substr(query);
    std::vector<std::string_view> kept;
    bool directory = false;
    for (const auto segment : text::split(path.substr(1, query == std::string_view::npos ? query : query - 1), '/')) {
        directory = segment == "." || segment == "..";
        if (segment == ".." && !kept.empty()) kept.pop_back();
        if (!directory) kept.push_back(segment);
    }
    std::string out;
    for (const auto segment : kept) (out += '/') += segment;
    if (directory || kept.empty()) out += '/';
    return out += tail;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    if (text.empty()) return fail(Code::malformed, "URL: empty");
    if (text.size() > url_octets_max) return fail(Code::too_large, "URL: longer than 2048 octets");
    if (text.find('#') != std::string_view::npos) return fail(Code::malformed, "URL: a fragment is not allowed");
    if (!detail::all_of(detail::target_chars, text))
        return fail(Code::malformed, "URL: blanks, control characters and non-ASCII must be percent-encoded");
    Url url;
    url.scheme = "https";
    if (const auto mark = text.find("://"); mark != std::string_view::npos && mark < text.find_first_of("/?")) {
        url.scheme = text::lower(text.substr(0, mark));
        text.remove_prefix(mark + 3);
    }
    if (url.scheme != "https" && url.scheme != "http") return fail(Code::unsupported, "URL: only https and http are supported");
    url.port = url.scheme == "https" ? 443 : 80;
    const auto authority = text.substr(0, text.find_first_of("/?"));
    ESTUARY_CHECK(read_authority(authority, url));
    url.path = text.substr(authority.size());
    if (url.path.starts_with('?')) url.path.insert(0, 1, '/');
    return url;
}

Result<Url> Url::resolve(std::string_view reference) const {
    reference = detail::trim_blanks(reference);
    reference = reference.substr(0, reference.find('#'));
    const auto before_slash = reference.substr(0, reference.find_first_of("/?"));
    if (before_slash.find(':') != std::string_view::npos) {
        if (reference.find("://") != before_slash.size() - 1)
            return fail(Code::unsupported, "URL: only https and http are supported");
        return parse(reference);
    }
    if (reference.starts_with("//")) return parse(scheme + ':' + std::string{reference});
    std::string merged;
    const auto base_path = path.empty() ? std::string_view{"/"} : std::string_view{path}.substr(0, path.find('?'));
    if (reference.empty()) {
        merged = path.empty() ? "/" : path;
    } else if (reference.starts_with('/')) {
        merged = reference;
    } else if (reference.starts_with('?')) {
        merged = std::string{base_path} + std::string{reference};
    } else {
        merged = std::string{base_path.substr(0, base_path.rfind('/') + 1)} + std::string{reference};
    }
    Url whole{scheme, host, port, {}};
    return parse(whole.to_string() + without_dot_segments(merged));
}

std::string Url::authority() const {
    auto out = host.find(':') == std::string::npos ? host : '[' + host + ']';
    if (port != (scheme == "https" ? 443 : 80)) out += fmt::format(":{}", port);
    return out;
}

std::string Url::to_string() const { return scheme + "://" + authority() + path; }

}  // namespace estuary::http
