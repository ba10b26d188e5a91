#include <arpa/inet.h>

#include <array>
#include <string>

#include "estuary/base/text.h"
#include "estuary/x509/general_name.h"
#include "estuary/x509/string_types.h"

namespace estuary::x509 {
namespace {

constexpr std::size_t dns_name_max = 253;  // RFC 1035 2.3.4, without the root's octet
constexpr std::size_t dns_label_max = 63;
constexpr std::size_t local_part_max = 64;  // RFC 5321 4.5.3.1.1
constexpr std::size_t uri_max = 2048;       // more than any browser or proxy is sure to take

bool is_alphanumeric(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_one_of(std::string_view set, char c) noexcept { return set.find(c) != std::string_view::npos; }

tl::unexpected<Error> malformed(std::string_view kind, std::string_view value, std::string_view why) {
    constexpr std::size_t shown_max = 100;
    std::string shown = text::printable(value.substr(0, shown_max));
    if (value.size() > shown_max) shown += "…";
    return fail(Code::malformed, std::string{kind} + " '" + shown + "' " + std::string{why});
}

bool is_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= dns_label_max && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

/// Whether every part between dots is what `is_part` says.
bool all_between_dots(std::string_view text, bool (*is_part)(std::string_view) noexcept) noexcept {
    for (;;) {
        const auto dot = text.find('.');
        if (!is_part(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

// atext of RFC 5321
bool is_atom(std::string_view atom) noexcept {
    return !atom.empty() &&
           std::ranges::all_of(atom, [](char c) { return is_alphanumeric(c) || is_one_of("!#$%&'*+-/=?^_`{|}~", c); });
}

bool is_scheme(std::string_view scheme) noexcept {
    return !scheme.empty() && is_alphanumeric(scheme[0]) && !(scheme[0] >= '0' && scheme[0] <= '9') &&
           std::ranges::all_of(scheme, [](char c) { return is_alphanumeric(c) || is_one_of("+-.", c); });
}

bool is_uri_text(std::string_view rest) noexcept {
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '%') {
            const auto digits = rest.substr(i + 1, 2);
            if (digits.size() != 2 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return false;
        } else if (!is_alphanumeric(rest[i]) && !is_one_of("-._~:/?#[]@!$&'()*+,;=", rest[i])) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool is_ipv4_text(std::string_view text) noexcept {
    std::array<std::uint8_t, 4> octets{};
    std::array<char, 16> copy{};  // inet_pton wants a NUL at the end
    if (text.size() >= copy.size()) return false;
    std::ranges::copy(text, copy.begin());
    return ::inet_pton(AF_INET, copy.data(), octets.data()) == 1;
}

Result<void> check_dns_name(std::string_view name, bool wildcard) {
    constexpr std::string_view kind = "DNS name";
    if (!strings::is_ascii(name))
        return malformed(kind, name, "is not ASCII; write internationalised labels in punycode (xn--…)");
    if (name.empty() || name.size() > dns_name_max) return malformed(kind, name, "is empty or longer than 253 characters");
    if (name.back() == '.') return malformed(kind, name, "ends in a dot; write it without");
    if (is_ipv4_text(name)) return malformed(kind, name, "is an address; ask for it as one");
    auto labels = name;
    if (labels.starts_with("*.")) {
        if (!wildcard) return malformed(kind, name, "may not be a wildcard");
        labels.remove_prefix(2);
    }
    if (!all_between_dots(labels, is_label))
        return malformed(kind, name, "has a label that is not of 1 to 63 letters, digits and inner hyphens");
    return {};
}

Result<void> check_mailbox(std::string_view mailbox) {
    constexpr std::string_view kind = "email address";
    if (!strings::is_ascii(mailbox))
        return malformed(kind, mailbox, "is not ASCII; write an internationalised host in punycode (xn--…)");
    const auto at = mailbox.find('@');
    if (at == std::string_view::npos || mailbox.find('@', at + 1) != std::string_view::npos)
        return malformed(kind, mailbox, "has not exactly one '@'");
    const auto local = mailbox.substr(0, at);
    if (local.size() > local_part_max) return malformed(kind, mailbox, "has a local part longer than 64 characters");
    if (!all_between_dots(local, is_atom)) return malformed(kind, mailbox, "has a local part that is not a dot-atom");
    return check_dns_name(mailbox.substr(at + 1), false);
}

Result<void> check_uri(std::string_view uri) {
    constexpr std::string_view kind = "URI";
    const auto colon = uri.find(':');
    if (uri.size() > uri_max) return malformed(kind, uri, "is longer than 2048 characters");
    if (colon == std::string_view::npos || !is_scheme(uri.substr(0, colon))) return malformed(kind, uri, "has no scheme");
    const auto rest = uri.substr(colon + 1);
    if (rest.empty() || !is_uri_text(rest))
        return malformed(kind, uri, "has characters that a URI must percent-encode, or no more than a scheme");
    // RFC 5280 4.2.1.6: with an authority there is a host, and it is a name or an address. An empty one is as "file:///x" has it.
    const auto host = host_of_uri(uri);
    if (rest.starts_with("//") && !rest.starts_with("///") && (!host || host->empty()))
        return malformed(kind, uri, "has no host");
    return {};
}

std::optional<std::string_view> host_of_uri(std::string_view uri) {
    const auto colon = uri.find(':');
    if (colon == std::string_view::npos || !uri.substr(colon + 1).starts_with("//")) return std::nullopt;
    auto authority = uri.substr(colon + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    if (const auto user = authority.rfind('@'); user != std::string_view::npos) authority.remove_prefix(user + 1);
    if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
    return authority.substr(0, authority.find(':'));
}

}  // namespace estuary::x509
