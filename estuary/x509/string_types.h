#pragma once
// The character string types of names and attributes: checked, converted to UTF-8, and folded for comparison.
#include <optional>
#include <string>
#include <string_view>

#include "estuary/asn1/der.h"

namespace estuary::x509::strings {

/// Takes the first character off `text`; nothing if it is not well-formed UTF-8 (Unicode table 3-7) or empty.
std::optional<char32_t> take_character(std::string_view& text) noexcept;
void append_utf8(std::string& out, char32_t character);

/// Whether values of this type are text to us.
bool is_string_type(der::Tag tag) noexcept;
/// The number of characters of a value; malformed where its octets are not of its type, or hold a NUL.
Result<std::size_t> count_characters(der::Tag tag, Bytes content);
/// The value as UTF-8: TeletexString is read as Latin-1, BMPString and UniversalString are converted. unsupported for other
/// types.
Result<std::string> to_utf8(der::Tag tag, Bytes content);

/// The alphabet of PrintableString (X.680 table 10).
bool is_printable_character(char c) noexcept;
bool is_printable_string(std::string_view text) noexcept;
bool is_ascii(std::string_view text) noexcept;
/// Control characters (C0, DEL, C1), and the invisible ones that change how the text around them is shown
/// (zero width, bidirectional embedding, override and isolates, BOM, noncharacters).
bool is_deceptive(char32_t character) noexcept;

/// Prepared for comparison as RFC 4518 and RFC 5280 7.1 want it: characters mapped to nothing or to space, case folded (Latin,
/// Greek, Cyrillic, Armenian), outer blanks dropped and inner ones made one. `utf8` must be well-formed. Compatibility
/// characters are not decomposed: a name that uses them matches itself only.
std::string fold(std::string_view utf8);

}  // namespace estuary::x509::strings
