#pragma once
// Tables for people. Whatever a peer chose (names, reasons) is shown with its control characters escaped (bug class 38).
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace estuary::daemon {

/// Safe on a terminal and in a log: control characters and invalid UTF-8 become \xNN. Plain text stays as it is.
std::string shown(std::string_view text);

/// Columns in line, two blanks between them; nothing for an empty list of rows but the header.
class Columns {
public:
    explicit Columns(std::vector<std::string> header) : header_{std::move(header)} {}
    void add(std::vector<std::string> row);
    void print(std::ostream& out) const;

private:
    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
};

/// "key:  value" lines, values in line. Empty values are left out.
class FieldList {
public:
    void add(std::string_view key, std::string_view value);
    void print(std::ostream& out) const;

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace estuary::daemon
