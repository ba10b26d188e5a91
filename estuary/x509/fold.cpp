// String preparation for comparison (RFC 4518, as RFC 5280 7.1 applies it).
#include "estuary/x509/string_types.h"

namespace estuary::x509::strings {
namespace {

/// RFC 4518 2.2: characters that comparison does not see.
bool maps_to_nothing(char32_t c) noexcept {
    if (c < 0x80) return c < 0x20 ? !(c >= 0x09 && c <= 0x0D) : c == 0x7F;
    return (c <= 0x9F && c != 0x85) || c == 0x00AD || c == 0x034F || c == 0x1806 || (c >= 0x180B && c <= 0x180E) ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2063) ||
           (c >= 0x206A && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC) ||
           c == 0xE0001 || (c >= 0xE0020 && c <= 0xE007F);
}

/// RFC 4518 2.2: TAB, LF, VT, FF, CR, NEL, and every Unicode separator.
bool maps_to_space(char32_t c) noexcept {
    return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Latin Extended-A: upper and lower case alternate, with the phase changing at U+0139 and U+0179.
char32_t lower_extended_a(char32_t c) noexcept {
    if (c == 0x130 || c == 0x131 || c == 0x138 || c == 0x149) return c;
    if (c == 0x178) return 0xFF;
    if (c == 0x17F) return 's';
    const bool odd_is_upper = (c >= 0x139 && c <= 0x148) || c >= 0x179;
    return ((c & 1) != 0) == odd_is_upper ? c + 1 : c;
}

char32_t lower_greek(char32_t c) noexcept {
    switch (c) {
        case 0x386: return 0x3AC;
        case 0x388:
        case 0x389:
        case 0x38A: return c + 37;
        case 0x38C: return 0x3CC;
        case 0x38E:
        case 0x38F: return c + 63;
        case 0x3C2: return 0x3C3;  // final sigma
        default: return c >= 0x391 && c <= 0x3AB && c != 0x3A2 ? c + 32 : c;
    }
}

/// One-to-one case folding (RFC 3454 B.2) of the bicameral scripts that names are written in.
char32_t lower(char32_t c) noexcept {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c < 0x100) return c >= 0xC0 && c <= 0xDE && c != 0xD7 ? c + 32 : c;
    if (c < 0x180) return lower_extended_a(c);
    if (c >= 0x370 && c < 0x400) return lower_greek(c);
    if (c >= 0x400 && c <= 0x40F) return c + 80;
    if (c >= 0x410 && c <= 0x42F) return c + 32;
    if ((c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x4FF)) return c | 1;
    if (c >= 0x531 && c <= 0x556) return c + 48;
    if (c >= 0x1E00 && c <= 0x1EFF && (c < 0x1E96 || c > 0x1E9F)) return c | 1;
    return c;
}

}  // namespace

std::string fold(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size());
    bool blank = false;  // blanks seen and not yet written
    while (!utf8.empty()) {
        const auto taken = take_character(utf8);
        if (!taken) break;  // callers hold well-formed text
        const char32_t c = *taken;
        if (maps_to_space(c)) {
            blank = true;
            continue;
        }
        if (maps_to_nothing(c)) continue;
        if (blank && !out.empty()) out += ' ';
        blank = false;
        if (c == 0xDF || c == 0x1E9E) {
            out += "ss";
        } else {
            append_utf8(out, lower(c));
        }
    }
    return out;
}

}  // namespace estuary::x509::strings
