#include <cstring>

#include "estuary/base/text.h"
#include "estuary/http/characters.h"
#include "estuary/http/refuse.h"

namespace estuary::http {
namespace {

using detail::refuse_with;

/// 1*DIGIT and nothing else: no sign, no list, no blanks (RFC 9112 6.3). Numbers past 19 digits are larger than any limit.
Parsed<std::uint64_t> parse_length(std::string_view digits) {
    if (digits.empty() || !std::ranges::all_of(digits, detail::is_digit))
        return refuse_with(400, "Content-Length must be one decimal number.");
    if (digits.size() > 19) return refuse_with(413, "Content-Length is past any limit.");
    std::uint64_t out = 0;
    for (const char c : digits) out = out * 10 + static_cast<std::uint64_t>(c - '0');
    return out;
}

void read_connection(std::string_view value, Framing& into) {
    for (const auto option : text::split(value, ','))
        if (text::equal_ignoring_case(detail::trim_blanks(option), "close")) into.close = true;
}

/// What one field says about framing. Anything that could be read in two ways is refused.
Parsed<void> read_framing(const Header& field, Framing& into) {
    if (text::equal_ignoring_case(field.name, "Content-Length")) {
        if (into.content_length) return refuse_with(400, "Content-Length must occur once.");
        const auto length = parse_length(field.value);
        if (!length) return tl::unexpected<Refusal>(length.error());
        into.content_length = *length;
    } else if (text::equal_ignoring_case(field.name, "Transfer-Encoding")) {
        if (into.chunked) return refuse_with(400, "Transfer-Encoding must occur once.");
        if (!text::equal_ignoring_case(field.value, "chunked"))
            return refuse_with(501, "The only Transfer-Encoding supported is chunked.");
        into.chunked = true;
    } else if (text::equal_ignoring_case(field.name, "Connection")) {
        read_connection(field.value, into);
    } else if (text::equal_ignoring_case(field.name, "Expect")) {
        if (!text::equal_ignoring_case(field.value, "100-continue"))
            return refuse_with(417, "The only expectation supported is 100-continue.");
        into.expects_continue = true;
    }
    return {};
}

/// field-line = field-name ":" OWS field-value OWS  -- RFC 9112 5
Parsed<Header> read_field(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t')
        return refuse_with(400, "A header field must be on one line (line folding is obsolete).");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return refuse_with(400, "A header line has no colon.");
    const auto name = line.substr(0, colon);
    // Covers blanks before the colon too, which RFC 9112 5.1 demands to refuse.
    if (!detail::is_token(name)) return refuse_with(400, "A header field name has characters that names do not have.");
    const auto value = detail::trim_blanks(line.substr(colon + 1));
    if (!detail::all_of(detail::field_chars, value)) return refuse_with(400, "A header field value has control characters.");
    return Header{std::string{name}, std::string{value}};
}

}  // namespace

Parsed<std::optional<std::size_t>> HeadBuffer::find_end(std::string_view text) {
    while (scanned_ < text.size()) {
        const auto* at = static_cast<const char*>(std::memchr(text.data() + scanned_, '\n', text.size() - scanned_));
        if (at == nullptr) {
            scanned_ = text.size();
            break;
        }
        const auto feed_at = static_cast<std::size_t>(at - text.data());
        if (feed_at == line_start_ || text[feed_at - 1] != '\r') return refuse_with(400, "Lines must end with CR LF.");
        const bool blank = feed_at == line_start_ + 1;
        scanned_ = line_start_ = feed_at + 1;
        if (blank) return std::optional{feed_at + 1};
    }
    return std::nullopt;
}

Parsed<std::optional<HeadBuffer::Found>> HeadBuffer::feed(std::string_view input, std::size_t bytes_max) {
    const auto size_before = input.size();
    // Blank lines before a start line are passed over (RFC 9112 2.2), also when a CR and its LF come apart.
    if (pending_ == "\r" && input.starts_with('\n')) {
        release();
        input.remove_prefix(1);
    }
    if (pending_.empty())
        while (input.starts_with("\r\n")) input.remove_prefix(2);
    if (input.empty()) return std::nullopt;

    const auto kept = pending_.size();
    if (kept > 0) pending_.append(input.substr(0, bytes_max + 1 - std::min(bytes_max, kept)));
    const auto text = kept > 0 ? std::string_view{pending_} : input.substr(0, bytes_max + 1);
    if (!detail::is_one_of(detail::token_chars, text.front()) && text != "\r") return refuse_with(400, "This is not HTTP.");
    const auto end = find_end(text);
    if (!end) return tl::unexpected<Refusal>(end.error());
    if ((*end ? **end : text.size()) > bytes_max) return refuse_with(431, "The request line and header fields are too large.");
    if (!*end) {
        if (kept == 0) pending_ = text;
        return std::nullopt;
    }
    const auto skipped = size_before - input.size();
    return Found{text.substr(0, **end - 2), skipped + **end - kept};
}

void HeadBuffer::release() noexcept {
    std::string{}.swap(pending_);
    scanned_ = line_start_ = 0;
}

Parsed<Framing> read_fields(std::string_view lines, Headers& into, const WireLimits& limits) {
    Framing framing;
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        auto field = read_field(lines.substr(0, end));
        if (!field) return tl::unexpected<Refusal>(std::move(field).error());
        if (into.fields().size() == limits.fields_max) return refuse_with(431, "There are too many header fields.");
        if (const auto ok = read_framing(*field, framing); !ok) return tl::unexpected<Refusal>(ok.error());
        into.add(std::move(field->name), std::move(field->value));
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
    }
    if (framing.chunked && framing.content_length)
        return refuse_with(400, "Content-Length and Transfer-Encoding exclude each other.");
    return framing;
}

}  // namespace estuary::http
