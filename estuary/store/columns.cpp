#include "estuary/store/columns.h"

#include <bit>
#include <span>

namespace estuary::store::sqlite {
/// Big-endian, so that a database means the same on every machine.
std::int64_t head_of(const RequestKey& key) noexcept {
    std::uint64_t value = 0;
    for (const auto octet : std::span{key}.first<8>()) value = value << 8 | octet;
    return std::bit_cast<std::int64_t>(value);
}

std::string to_lines(const std::vector<std::string>& texts) {
    std::string lines;
    for (const auto& text : texts) {
        for (const char c : text) {
            if (c == '\\' || c == '\n') lines += '\\';
            lines += c == '\n' ? 'n' : c;
        }
        lines += '\n';
    }
    return lines;
}

std::vector<std::string> from_lines(std::string_view lines) {
    std::vector<std::string> texts;
    std::string text;
    for (std::size_t at = 0; at < lines.size(); ++at) {
        if (lines[at] == '\n') {
            texts.push_back(std::move(text));
            text.clear();
        } else if (lines[at] == '\\' && at + 1 < lines.size()) {
            ++at;
            text += lines[at] == 'n' ? '\n' : lines[at];
        } else {
            text += lines[at];
        }
    }
    return texts;
}

}  // namespace estuary::store::sqlite
