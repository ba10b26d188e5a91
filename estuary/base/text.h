#pragma once
// Small helpers on text that grammars and programs share. ASCII only: locale never matters.
#include <string>
#include <string_view>
#include <vector>

namespace estuary::text {

char lower(char c) noexcept;
std::string lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
/// Without spaces, tabs and line breaks at both ends.
std::string_view trim(std::string_view text) noexcept;
/// The parts between separators; empty parts are kept.
std::vector<std::string_view> split(std::string_view text, char separator);
/// For logs and terminals: control characters, DEL and invalid UTF-8 become \xNN, a backslash \\.
std::string printable(std::string_view text);
/// True where `text` is well-formed UTF-8 without NUL or other control characters.
bool is_plain_utf8(std::string_view text) noexcept;

}  // namespace estuary::text
