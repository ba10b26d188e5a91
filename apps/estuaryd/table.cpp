#include "apps/estuaryd/table.h"

#include <algorithm>
#include <ostream>

#include "estuary/base/text.h"

namespace estuary::daemon {
namespace {

/// Characters, as far as UTF-8 tells: good enough to keep columns in line.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void pad(std::ostream& out, std::string_view text, std::size_t to) {
    out << text;
    for (auto i = width(text); i < to; ++i) out << ' ';
}

}  // namespace

std::string shown(std::string_view text) { return text::is_plain_utf8(text) ? std::string{text} : text::printable(text); }

void Columns::add(std::vector<std::string> row) {
    for (auto& cell : row) cell = cell.empty() ? "-" : shown(cell);
    rows_.push_back(std::move(row));
}

void Columns::print(std::ostream& out) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < header_.size(); ++i) {
        widths.push_back(width(header_[i]));
        for (const auto& row : rows_) widths[i] = std::max(widths[i], width(row[i]));
    }
    const auto line = [&](const std::vector<std::string>& cells) {
        for (std::size_t i = 0; i + 1 < cells.size(); ++i) pad(out, cells[i], widths[i] + 2);
        out << cells.back() << '\n';
    };
    line(header_);
    for (const auto& row : rows_) line(row);
}

void FieldList::add(std::string_view key, std::string_view value) {
    if (!value.empty()) fields_.emplace_back(key, shown(value));
}

void FieldList::print(std::ostream& out) const {
    std::size_t widest = 0;
    for (const auto& [key, value] : fields_) widest = std::max(widest, key.size());
    for (const auto& [key, value] : fields_) {
        pad(out, key + ":", widest + 3);
        out << value << '\n';
    }
}

}  // namespace estuary::daemon
