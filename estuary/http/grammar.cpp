#include "estuary/http/grammar.h"

#include "estuary/base/text.h"
#include "estuary/http/cursor.h"

namespace estuary::http {
namespace {

constexpr std::size_t media_type_octets_max = 1024;  // the longest in use (multipart with boundary) stays below 200
constexpr std::size_t media_parameters_max = 16;
constexpr std::size_t path_octets_max = 1024;  // a label and an operation; leaves room for proxies' prefixes

tl::unexpected<Error> bad_media_type(std::string_view why) { return fail(Code::malformed, "media type: " + std::string{why}); }

Result<void> read_media_parameter(detail::Cursor& cursor, MediaType& into) {
    const auto name = text::lower(cursor.token());
    if (name.empty() || !cursor.skip('=')) return bad_media_type("expected name=value after ';'");
    auto value = cursor.token_or_quoted();
    if (!value) return bad_media_type("expected a token or a quoted string after '='");
    if (into.parameters.size() == media_parameters_max) return bad_media_type("too many parameters");
    if (!into.parameters.emplace(name, std::move(*value)).second) return bad_media_type("a parameter occurs twice");
    return {};
}

Result<std::string> decode_segment(std::string_view encoded) {
    std::string out;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        char c = encoded[i];
        if (c == '%') {
            const int high = i + 1 < encoded.size() ? detail::hex_value(encoded[i + 1]) : -1;
            const int low = i + 2 < encoded.size() ? detail::hex_value(encoded[i + 2]) : -1;
            if (high < 0 || low < 0) return fail(Code::malformed, "path: '%' must be followed by two hexadecimal digits");
            c = static_cast<char>(high * 16 + low);
            i += 2;
            if (c == '/') return fail(Code::malformed, "path: an encoded slash is not allowed");
        }
        out += c;
    }
    if (out.empty() || out == "." || out == "..")
        return fail(Code::malformed, "path: empty, '.' and '..' segments are not allowed");
    if (!text::is_plain_utf8(out)) return fail(Code::malformed, "path: must be UTF-8 without control characters");
    return out;
}

}  // namespace

Result<MediaType> MediaType::parse(std::string_view text) {
    if (text.size() > media_type_octets_max) return fail(Code::too_large, "media type: too long");
    detail::Cursor cursor{detail::trim_blanks(text)};
    const auto type = cursor.token();
    if (type.empty() || !cursor.skip('/')) return bad_media_type("expected type/subtype");
    const auto subtype = cursor.token();
    if (subtype.empty()) return bad_media_type("expected type/subtype");
    MediaType out;
    out.type = text::lower(type) + '/' + text::lower(subtype);
    for (;;) {
        cursor.skip_blanks();
        if (cursor.at_end()) return out;
        if (!cursor.skip(';')) return bad_media_type("expected ';' before a parameter");
        cursor.skip_blanks();
        // RFC 9110 5.6.6: an empty parameter is no error.
        if (cursor.at_end() || cursor.next_is(';')) continue;
        ESTUARY_CHECK(read_media_parameter(cursor, out));
    }
}

Result<std::vector<std::string>> path_segments(std::string_view target) {
    const auto path = target.substr(0, target.find('?'));
    if (path.size() > path_octets_max) return fail(Code::too_large, "path: longer than 1024 octets");
    if (path.empty() || path.front() != '/') return fail(Code::malformed, "path: must start with '/'");
    if (path.find('#') != std::string_view::npos) return fail(Code::malformed, "path: a fragment is not allowed");
    std::vector<std::string> out;
    if (path == "/") return out;
    for (const auto segment : text::split(path.substr(1), '/')) {
        ESTUARY_TRY(auto decoded, decode_segment(segment));
        out.push_back(std::move(decoded));
    }
    return out;
}

std::string quoted(std::string_view text) {
    std::string out{'"'};
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += detail::is_one_of(detail::field_chars, c) ? c : ' ';  // a control character cannot be quoted
    }
    return out += '"';
}

}  // namespace estuary::http
