#pragma once
// PKIFreeText (RFC 9810 5.1.1): words for people.
#include <string>
#include <vector>

#include "estuary/cmp/limits.h"

namespace estuary::cmp {

/// PKIFreeText ::= SEQUENCE SIZE (1..MAX) OF UTF8String. The octets are the peer's: show them through text::printable().
/// Empty: the field is absent.
using PkiFreeText = std::vector<std::string>;

Result<PkiFreeText> read_free_text(der::Reader& reader, const Limits& limits);
/// Where the next element is one.
Result<PkiFreeText> read_free_text_if(der::Reader& reader, const Limits& limits);
void write_free_text(der::Writer& writer, const PkiFreeText& texts);
/// All of them in one line, safe to show; empty if there are none.
std::string to_line(const PkiFreeText& texts);

}  // namespace estuary::cmp
