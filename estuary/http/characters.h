#pragma once
// The character classes of RFC 9110 5.6 and RFC 3986, as tables built at compile time. Used inside this room only.
#include <algorithm>
#include <array>
#include <string_view>

namespace estuary::http::detail {

using CharTable = std::array<bool, 256>;

consteval CharTable table_of(std::string_view extra, bool alphanumeric) {
    CharTable table{};
    for (const char c : extra) table[static_cast<unsigned char>(c)] = true;
    if (alphanumeric) {
        for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
        for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
        for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    }
    return table;
}

/// Field content: HTAB, SP, VCHAR and obs-text, but no other control character (RFC 9110 5.5).
consteval CharTable field_table() {
    CharTable table{};
    for (std::size_t c = 0x20; c < 256; ++c) table[c] = c != 0x7F;
    table['\t'] = true;
    return table;
}

/// Request targets: visible ASCII without '#', which starts a fragment and never goes on the wire.
consteval CharTable target_table() {
    CharTable table{};
    for (std::size_t c = 0x21; c < 0x7F; ++c) table[c] = c != '#';
    return table;
}

inline constexpr CharTable token_chars = table_of("!#$%&'*+-.^_`|~", true);
inline constexpr CharTable token68_chars = table_of("-._~+/", true);
inline constexpr CharTable field_chars = field_table();
inline constexpr CharTable target_chars = target_table();
inline constexpr CharTable host_chars = table_of("-._~!$&'()*+,;=%[]:", true);

inline bool is_one_of(const CharTable& table, char c) noexcept { return table[static_cast<unsigned char>(c)]; }

inline bool all_of(const CharTable& table, std::string_view text) noexcept {
    return std::ranges::all_of(text, [&](char c) { return is_one_of(table, c); });
}

inline bool is_token(std::string_view text) noexcept { return !text.empty() && all_of(token_chars, text); }

inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// 0 to 15, or -1.
inline int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Without spaces and tabs at both ends: OWS (RFC 9110 5.6.3).
inline std::string_view trim_blanks(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace estuary::http::detail
