// The grammar of header values. The first octet chooses what is read; each has a property that must hold.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "estuary/base/text.h"
#include "estuary/http/grammar.h"

namespace {

using namespace estuary;

void require(bool good) {
    if (!good) std::abort();
}

/// Written anew with quoted values, it reads the same.
void media_type(std::string_view text) {
    const auto type = http::MediaType::parse(text);
    if (!type) return;
    require(type->type.find('/') != std::string::npos && type->type == text::lower(type->type));
    std::string again = type->type;
    for (const auto& [name, value] : type->parameters) again += "; " + name + "=" + http::quoted(value);
    if (again.size() > 1024) return;
    const auto reread = http::MediaType::parse(again);
    require(reread && reread->type == type->type && reread->parameters == type->parameters);
}

/// No segment can climb or hide a separator.
void path(std::string_view text) {
    const auto segments = http::path_segments(text);
    if (!segments) return;
    for (const auto& segment : *segments)
        require(!segment.empty() && segment != "." && segment != ".." && segment.find('/') == std::string::npos &&
                segment.find('\0') == std::string::npos);
}

void url(std::string_view text) {
    const auto parsed = http::Url::parse(text);
    if (!parsed) return;
    require(parsed->scheme == "https" || parsed->scheme == "http");
    require(parsed->port != 0 && (parsed->path.empty() || parsed->path.front() == '/'));
    const auto whole = parsed->to_string();
    if (whole.size() > 2048) return;
    const auto again = http::Url::parse(whole);
    require(again && again->to_string() == whole && again->host == parsed->host && again->port == parsed->port);
}

void reference(std::string_view text) {
    static const auto base = *http::Url::parse("https://host.example:8443/a/b?c");
    const auto resolved = base.resolve(text);
    if (!resolved) return;
    require(resolved->path.empty() || resolved->path.front() == '/');
    require(http::Url::parse(resolved->to_string()).has_value());
}

void challenges(std::string_view text) {
    const auto found = http::parse_challenges(text);
    if (!found) return;
    require(!found->empty());
    for (const auto& challenge : *found) require(!challenge.scheme.empty());
}

void credentials(std::string_view text) {
    if (const auto basic = http::parse_basic(text)) {
        require(basic->user.find(':') == std::string::npos && text::is_plain_utf8(basic->user));
        const auto again = http::parse_basic(http::write_basic(basic->user, basic->password));
        require(again && again->user == basic->user && again->password.reveal_text() == basic->password.reveal_text());
    }
    if (const auto digest = http::parse_digest(text))
        require(!digest->username.empty() && !digest->nonce.empty() && text::is_plain_utf8(digest->username));
}

void retry_after(std::string_view text) {
    const auto delay = http::parse_retry_after(text, Time{Seconds{1'700'000'000}});
    if (delay) require(*delay >= Seconds{0});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    switch (data[0]) {
        case 'm': media_type(text); break;
        case 'p': path(text); break;
        case 'u': url(text); break;
        case 'r': reference(text); break;
        case 'c': challenges(text); break;
        case 'a': credentials(text); break;
        case 't': retry_after(text); break;
        default: break;
    }
    return 0;
}
