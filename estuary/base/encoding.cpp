#include "estuary/base/encoding.h"

#include <array>

#include <fmt/format.h>

namespace estuary {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t not_in_alphabet = 0xFF;
constexpr std::uint8_t blank = 0xFE;
constexpr std::uint8_t padding = 0xFD;

constexpr std::array<std::uint8_t, 256> decode_table = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(not_in_alphabet);
    for (std::size_t i = 0; i < base64_alphabet.size(); ++i)
        table[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
    for (const char c : {' ', '\t', '\r', '\n'}) table[static_cast<unsigned char>(c)] = blank;
    table[static_cast<unsigned char>('=')] = padding;
    return table;
}();

/// Writes the characters of `bytes` to `out` (which has room) and returns the end.
char* encode(Bytes bytes, char* out, std::string_view alphabet, bool pad) {
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const unsigned group = static_cast<unsigned>(bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2]);
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = alphabet[group >> 6 & 63];
        *out++ = alphabet[group & 63];
    }
    const std::size_t left = bytes.size() - i;
    if (left == 0) return out;
    const unsigned group = static_cast<unsigned>(bytes[i] << 16 | (left == 2 ? bytes[i + 1] << 8 : 0));
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    if (left == 2) *out++ = alphabet[group >> 6 & 63];
    if (pad) {
        if (left == 1) *out++ = '=';
        *out++ = '=';
    }
    return out;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    return line;
}

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view end_mark = "-----END ";
constexpr std::string_view dashes = "-----";

bool is_marker(std::string_view line, std::string_view mark) {
    return line.starts_with(mark) && line.ends_with(dashes) && line.size() >= mark.size() + dashes.size();
}

}  // namespace

std::string to_hex(Bytes bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const auto byte : bytes) {
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

Result<ByteVec> from_hex(std::string_view text) {
    ByteVec bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == ':' && i != 0) {
            ++i;
            continue;
        }
        const int high = hex_value(text[i]);
        const int low = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
        if (high < 0 || low < 0) return fail(Code::malformed, fmt::format("not hexadecimal at character {}", i + 1));
        bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
        i += 2;
    }
    return bytes;
}

std::string to_base64(Bytes bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '\0');
    encode(bytes, text.data(), base64_alphabet, true);
    return text;
}

std::string to_base64_lines(Bytes bytes) {
    constexpr std::size_t octets_per_line = 48;  // 64 characters
    const std::size_t lines = (bytes.size() + octets_per_line - 1) / octets_per_line;
    std::string text((bytes.size() + 2) / 3 * 4 + lines, '\0');
    char* out = text.data();
    for (std::size_t at = 0; at < bytes.size(); at += octets_per_line) {
        out = encode(bytes.subspan(at, std::min(octets_per_line, bytes.size() - at)), out, base64_alphabet, true);
        *out++ = '\n';
    }
    return text;
}

std::string to_base64url(Bytes bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '\0');
    const char* end = encode(bytes, text.data(), base64url_alphabet, false);
    text.resize(static_cast<std::size_t>(end - text.data()));
    return text;
}

Result<ByteVec> from_base64(std::string_view text) {
    ByteVec bytes(text.size() / 4 * 3 + 3);
    std::uint8_t* out = bytes.data();
    unsigned group = 0;
    unsigned in_group = 0;
    unsigned pads = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto value = decode_table[static_cast<unsigned char>(text[i])];
        if (value == blank) continue;
        if (value == not_in_alphabet) return fail(Code::malformed, fmt::format("not base64 at character {}", i + 1));
        if (value == padding) {
            ++pads;
            continue;
        }
        if (pads != 0) return fail(Code::malformed, "base64 goes on after its padding");
        group = group << 6 | value;
        if (++in_group == 4) {
            *out++ = static_cast<std::uint8_t>(group >> 16);
            *out++ = static_cast<std::uint8_t>(group >> 8);
            *out++ = static_cast<std::uint8_t>(group);
            group = in_group = 0;
        }
    }
    if (in_group == 1 || (in_group + pads) % 4 != 0 || pads > 2)
        return fail(Code::malformed, "base64 is cut short or wrongly padded");
    if (in_group == 2) {
        if ((group & 0xF) != 0) return fail(Code::malformed, "base64 has stray bits before its padding");
        *out++ = static_cast<std::uint8_t>(group >> 4);
    } else if (in_group == 3) {
        if ((group & 0x3) != 0) return fail(Code::malformed, "base64 has stray bits before its padding");
        *out++ = static_cast<std::uint8_t>(group >> 10);
        *out++ = static_cast<std::uint8_t>(group >> 2);
    }
    bytes.resize(static_cast<std::size_t>(out - bytes.data()));
    return bytes;
}

Result<std::vector<PemBlock>> parse_pem(std::string_view text, std::size_t blocks_max) {
    std::vector<PemBlock> blocks;
    while (!text.empty()) {
        const auto line = next_line(text);
        if (!is_marker(line, begin_mark)) continue;
        const std::string label{line.substr(begin_mark.size(), line.size() - begin_mark.size() - dashes.size())};
        std::string body;
        bool ended = false;
        while (!text.empty() && !ended) {
            const auto inner = next_line(text);
            if (is_marker(inner, end_mark)) {
                if (inner.substr(end_mark.size(), inner.size() - end_mark.size() - dashes.size()) != label)
                    return fail(Code::malformed, "PEM: the END line names another label than the BEGIN line");
                ended = true;
            } else {
                body += inner;
            }
        }
        if (!ended) return fail(Code::malformed, fmt::format("PEM: no END line for {}", label));
        if (blocks.size() == blocks_max) return fail(Code::too_large, fmt::format("PEM: more than {} blocks", blocks_max));
        auto der = from_base64(body);
        if (!der) return fail(in_context("PEM " + label, std::move(der).error()));
        blocks.push_back({label, std::move(*der)});
    }
    return blocks;
}

std::string to_pem(std::string_view label, Bytes der) {
    return fmt::format("-----BEGIN {}-----\n{}-----END {}-----\n", label, to_base64_lines(der), label);
}

}  // namespace estuary
