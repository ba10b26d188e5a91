#include "estuary/http/multipart.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/http/characters.h"

namespace estuary::http {
namespace {

constexpr std::size_t boundary_characters_max = 70;  // RFC 2046 5.1.1
constexpr detail::CharTable boundary_chars = detail::table_of("'()+_,-./:=? ", true);
constexpr std::string_view crlf = "\r\n";

tl::unexpected<Error> malformed(std::string_view why) { return fail(Code::malformed, "multipart: " + std::string{why}); }

bool is_boundary(std::string_view text) {
    return !text.empty() && text.size() <= boundary_characters_max && text.back() != ' ' && detail::all_of(boundary_chars, text);
}

/// Lines of a text one by one: what they hold, and where they stand.
class Lines {
public:
    explicit Lines(std::string_view text) : text_{text} {}

    struct Line {
        std::string_view content;  ///< without its end
        std::size_t begin = 0;
    };
    std::optional<Line> next() {
        if (at_ >= text_.size()) return std::nullopt;
        const auto begin = at_;
        const auto end = text_.find('\n', begin);
        at_ = end == std::string_view::npos ? text_.size() : end + 1;
        auto content = text_.substr(begin, (end == std::string_view::npos ? text_.size() : end) - begin);
        if (end != std::string_view::npos && content.ends_with('\r')) content.remove_suffix(1);
        return Line{content, begin};
    }
    std::size_t at() const noexcept { return at_; }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

enum class Delimiter : std::uint8_t { none, next, close };

/// "--boundary" or "--boundary--", and nothing but blanks behind it (RFC 2046 5.1.1, transport-padding).
Result<Delimiter> delimiter_of(std::string_view line, std::string_view boundary) {
    if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) return Delimiter::none;
    auto rest = line.substr(2 + boundary.size());
    const bool close = rest.starts_with("--");
    if (close) rest.remove_prefix(2);
    if (!detail::trim_blanks(rest).empty()) return malformed("a line begins like a boundary and goes on with other text");
    return close ? Delimiter::close : Delimiter::next;
}

/// `text` without the line break at its end, which is the delimiter's.
std::string_view without_line_end(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

/// The octets between two delimiters. Nothing: there are no more.
class Sections {
public:
    Sections(std::string_view body, std::string_view boundary) : body_{body}, boundary_{boundary}, lines_{body} {}

    /// Goes to the first delimiter.
    Result<void> skip_preamble() {
        ESTUARY_TRY(const auto section, next());
        if (!section && !closed_) return malformed("the boundary does not occur");
        return {};
    }

    Result<std::optional<std::string_view>> next() {
        const auto begin = lines_.at();
        if (closed_) return std::nullopt;
        while (const auto line = lines_.next()) {
            ESTUARY_TRY(const auto delimiter, delimiter_of(line->content, boundary_));
            if (delimiter == Delimiter::none) continue;
            closed_ = delimiter == Delimiter::close;
            return without_line_end(body_.substr(begin, line->begin - begin));
        }
        if (begin == 0) return std::nullopt;
        return malformed("it ends without its closing boundary");
    }

private:
    std::string_view body_, boundary_;
    Lines lines_;
    bool closed_ = false;
};

Result<void> read_header(std::string_view line, Headers& into, const MultipartLimits& limits) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || !detail::is_token(name)) return malformed("a header line is not NAME: VALUE");
    const auto value = detail::trim_blanks(line.substr(colon + 1));
    if (!detail::all_of(detail::field_chars, value)) return malformed("a header has control characters");
    if (into.fields().size() == limits.headers_max) return fail(Code::too_large, "multipart: too many headers in a part");
    into.add(std::string{name}, std::string{value});
    return {};
}

/// Headers up to the first blank line, continuation lines joined; the body is what follows (RFC 2046 5.1: both may be empty).
Result<Part> read_part(std::string_view section, const MultipartLimits& limits) {
    Part part;
    Lines lines{section};
    std::string header;
    const auto finish = [&]() -> Result<void> {
        if (header.empty()) return {};
        ESTUARY_CHECK(read_header(header, part.headers, limits));
        header.clear();
        return {};
    };
    while (const auto line = lines.next()) {
        if (lines.at() > limits.header_bytes_max) return fail(Code::too_large, "multipart: the headers of a part are too large");
        const auto content = line->content;
        const bool continues = content.starts_with(' ') || content.starts_with('\t');
        if (continues && header.empty()) return malformed("a header line begins with a blank");
        if (continues) {
            header.append(" ").append(detail::trim_blanks(content));
            continue;
        }
        ESTUARY_CHECK(finish());
        if (content.empty()) {
            part.body = section.substr(lines.at());
            return part;
        }
        header = content;
    }
    ESTUARY_CHECK(finish());
    return part;
}

bool occurs(std::string_view delimiter, const std::vector<Part>& parts) {
    return std::ranges::any_of(parts, [&](const Part& part) { return part.body.find(delimiter) != std::string::npos; });
}

std::size_t size_of(const std::vector<Part>& parts, std::string_view boundary) {
    constexpr std::size_t punctuation = 8;  // "--", "--", ": " and line breaks
    std::size_t size = boundary.size() + punctuation;
    for (const auto& part : parts) {
        size += boundary.size() + part.body.size() + 2 * punctuation;
        for (const auto& field : part.headers.fields()) size += field.name.size() + field.value.size() + punctuation;
    }
    return size;
}

}  // namespace

Result<std::string> boundary_of(const MediaType& type) {
    if (!type.type.starts_with("multipart/")) return malformed("the media type is another one");
    const auto found = type.parameters.find("boundary");
    if (found == type.parameters.end()) return malformed("the media type names no boundary");
    if (!is_boundary(found->second)) return malformed("the boundary is not 1 to 70 of the characters allowed in it");
    return found->second;
}

Result<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary, const MultipartLimits& limits) {
    if (body.size() > limits.bytes_max) return fail(Code::too_large, "multipart: the body is too large");
    if (!is_boundary(boundary)) return malformed("the boundary is not 1 to 70 of the characters allowed in it");
    Sections sections{body, boundary};
    ESTUARY_CHECK(sections.skip_preamble());
    std::vector<Part> parts;
    for (;;) {
        ESTUARY_TRY(const auto section, sections.next());
        if (!section) break;
        if (parts.size() == limits.parts_max) return fail(Code::too_large, "multipart: too many parts");
        ESTUARY_TRY(auto part, read_part(*section, limits));
        parts.push_back(std::move(part));
    }
    if (parts.empty()) return malformed("there is no part");
    return parts;
}

Multipart write_multipart(const std::vector<Part>& parts) {
    Multipart out{"estuary-boundary", {}};
    for (unsigned number = 1; occurs("--" + out.boundary, parts); ++number) out.boundary = fmt::format("estuary-boundary-{}", number);
    auto& body = out.body;
    body.reserve(size_of(parts, out.boundary));
    for (const auto& part : parts) {
        body.append("--").append(out.boundary).append(crlf);
        for (const auto& field : part.headers.fields()) body.append(field.name).append(": ").append(field.value).append(crlf);
        body.append(crlf).append(part.body).append(crlf);
    }
    body.append("--").append(out.boundary).append("--").append(crlf);
    return out;
}

}  // namespace estuary::http
