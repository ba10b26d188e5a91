#pragma once
// A reader of header values, front to back: tokens, quoted strings, blanks. Used inside this room only.
#include <optional>
#include <string>
#include <string_view>

#include "estuary/http/characters.h"

namespace estuary::http::detail {

class Cursor {
public:
    explicit Cursor(std::string_view text) noexcept : rest_{text} {}

    bool at_end() const noexcept { return rest_.empty(); }
    bool next_is(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }
    std::string_view rest() const noexcept { return rest_; }

    bool skip(char c) noexcept {
        if (!next_is(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    /// OWS and BWS; says whether there was any.
    bool skip_blanks() noexcept {
        const auto before = rest_.size();
        while (next_is(' ') || next_is('\t')) rest_.remove_prefix(1);
        return rest_.size() != before;
    }

    /// The longest run of characters of the class; may be empty.
    std::string_view run(const CharTable& table) noexcept {
        std::size_t length = 0;
        while (length < rest_.size() && is_one_of(table, rest_[length])) ++length;
        const auto found = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return found;
    }

    std::string_view token() noexcept { return run(token_chars); }

    /// quoted-string (RFC 9110 5.6.4), unescaped; nothing if it is not one.
    std::optional<std::string> quoted_string() {
        if (!skip('"')) return std::nullopt;
        std::string out;
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') return out;
            if (c == '\\') {
                if (rest_.empty()) return std::nullopt;
                c = rest_.front();
                rest_.remove_prefix(1);
            }
            if (!is_one_of(field_chars, c)) return std::nullopt;
            out += c;
        }
        return std::nullopt;
    }

    /// token / quoted-string; nothing if it is neither.
    std::optional<std::string> token_or_quoted() {
        if (next_is('"')) return quoted_string();
        const auto found = token();
        if (found.empty()) return std::nullopt;
        return std::string{found};
    }

private:
    std::string_view rest_;
};

}  // namespace estuary::http::detail
