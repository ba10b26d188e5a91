#include "estuary/x509/string_types.h"

#include <fmt/format.h>

namespace estuary::x509::strings {
namespace {

using der::Tag;

std::string_view type_name(Tag tag) noexcept {
    switch (tag) {
        case Tag::utf8_string: return "UTF8String";
        case Tag::numeric_string: return "NumericString";
        case Tag::printable_string: return "PrintableString";
        case Tag::teletex_string: return "TeletexString";
        case Tag::ia5_string: return "IA5String";
        case Tag::visible_string: return "VisibleString";
        case Tag::universal_string: return "UniversalString";
        case Tag::bmp_string: return "BMPString";
        default: return "string";
    }
}

/// One octet a character: each must be in the alphabet of its type.
bool in_alphabet(Tag tag, std::uint8_t octet) noexcept {
    switch (tag) {
        case Tag::numeric_string: return (octet >= '0' && octet <= '9') || octet == ' ';
        case Tag::printable_string: return is_printable_character(static_cast<char>(octet));
        case Tag::visible_string: return octet >= 0x20 && octet < 0x7F;
        case Tag::ia5_string: return octet != 0 && octet < 0x80;
        default: return octet != 0;  // TeletexString
    }
}

/// A character of 2 (BMPString) or 4 (UniversalString) octets, big-endian.
char32_t wide_character(Bytes octets) noexcept {
    char32_t character = 0;
    for (const auto octet : octets) character = character << 8 | octet;
    return character;
}

bool is_scalar(char32_t character) noexcept { return character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF); }

/// BMPString or UniversalString; `visit` gets each character.
template <class Visit>
Result<std::size_t> each_wide(Tag tag, Bytes content, Visit visit) {
    const std::size_t width = tag == Tag::bmp_string ? 2 : 4;
    if (content.size() % width != 0) return fail(Code::malformed, fmt::format("{} of {} octets", type_name(tag), content.size()));
    for (std::size_t at = 0; at < content.size(); at += width) {
        const auto character = wide_character(content.subspan(at, width));
        if (character == 0 || !is_scalar(character))
            return fail(Code::malformed, fmt::format("{} with a character that it cannot hold", type_name(tag)));
        visit(character);
    }
    return content.size() / width;
}

Result<std::size_t> count_utf8(Bytes content) {
    std::size_t count = 0;
    for (auto rest = as_text(content); !rest.empty(); ++count) {
        const auto character = take_character(rest);
        if (!character) return fail(Code::malformed, "UTF8String is not well-formed UTF-8");
        if (*character == 0) return fail(Code::malformed, "UTF8String with a NUL character");
    }
    return count;
}

Result<std::size_t> count_octets(Tag tag, Bytes content) {
    for (const auto octet : content)
        if (!in_alphabet(tag, octet))
            return fail(Code::malformed, fmt::format("{} with octet {:02x}, which it cannot hold", type_name(tag), octet));
    return content.size();
}

}  // namespace

std::optional<char32_t> take_character(std::string_view& text) noexcept {
    if (text.empty()) return std::nullopt;
    const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto first = octet(0);
    if (first < 0x80) {
        text.remove_prefix(1);
        return first;
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return std::nullopt;
    char32_t character = first & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((octet(i) & 0xC0) != 0x80) return std::nullopt;
        character = character << 6 | (octet(i) & 0x3Fu);
    }
    const bool over_long = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
    if (over_long || !is_scalar(character)) return std::nullopt;
    text.remove_prefix(length);
    return character;
}

void append_utf8(std::string& out, char32_t character) {
    const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (character >> shift & 0x3F)); };
    if (character < 0x80) {
        out += static_cast<char>(character);
    } else if (character < 0x800) {
        out += static_cast<char>(0xC0 | character >> 6);
        tail(0);
    } else if (character < 0x10000) {
        out += static_cast<char>(0xE0 | character >> 12);
        tail(6), tail(0);
    } else {
        out += static_cast<char>(0xF0 | character >> 18);
        tail(12), tail(6), tail(0);
    }
}

bool is_string_type(Tag tag) noexcept {
    switch (tag) {
        case Tag::utf8_string:
        case Tag::numeric_string:
        case Tag::printable_string:
        case Tag::teletex_string:
        case Tag::ia5_string:
        case Tag::visible_string:
        case Tag::universal_string:
        case Tag::bmp_string: return true;
        default: return false;
    }
}

Result<std::size_t> count_characters(Tag tag, Bytes content) {
    switch (tag) {
        case Tag::utf8_string: return count_utf8(content);
        case Tag::bmp_string:
        case Tag::universal_string: return each_wide(tag, content, [](char32_t) {});
        default: break;
    }
    if (!is_string_type(tag)) return fail(Code::unsupported, "the value is not a character string");
    return count_octets(tag, content);
}

Result<std::string> to_utf8(Tag tag, Bytes content) {
    std::string out;
    if (tag == Tag::bmp_string || tag == Tag::universal_string) {
        ESTUARY_CHECK(each_wide(tag, content, [&](char32_t character) { append_utf8(out, character); }));
        return out;
    }
    ESTUARY_CHECK(count_characters(tag, content));
    if (tag != Tag::teletex_string) return estuary::to_string(content);
    for (const auto octet : content) append_utf8(out, octet);
    return out;
}

bool is_printable_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && std::string_view{" '()+,-./:=?"}.find(c) != std::string_view::npos);
}

bool is_printable_string(std::string_view text) noexcept { return std::ranges::all_of(text, is_printable_character); }

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_deceptive(char32_t c) noexcept {
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;                           // control characters
    if ((c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E)) return true;  // zero width, separators, embedding
    if ((c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == 0x00AD) return true;    // joiners, isolates, BOM, soft hyphen
    return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE || (c >= 0xE0000 && c <= 0xE007F);
}

}  // namespace estuary::x509::strings
