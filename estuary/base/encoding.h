#pragma once
// Text encodings of octets: hexadecimal, base64 (RFC 4648 section 4) and PEM (RFC 7468).
#include <string>
#include <string_view>
#include <vector>

#include "estuary/base/bytes.h"
#include "estuary/base/result.h"

namespace estuary {

/// Lower-case hexadecimal, without separators.
std::string to_hex(Bytes bytes);
/// Upper- or lower-case hexadecimal; colons between octets are passed over (fingerprints).
Result<ByteVec> from_hex(std::string_view text);

/// One line, padded, no line break.
std::string to_base64(Bytes bytes);
/// Lines of 64 characters, each ended by LF, also the last: what every known EST client can read.
std::string to_base64_lines(Bytes bytes);
/// base64url without padding (RFC 4648 section 5).
std::string to_base64url(Bytes bytes);
/// Reads base64 as RFC 8951 section 3.1 wants it from peers: blanks and line breaks (LF or CRLF) anywhere are
/// passed over; padding is required, and any other character is an error.
Result<ByteVec> from_base64(std::string_view text);

struct PemBlock {
    std::string label;  ///< "CERTIFICATE REQUEST"
    ByteVec der;
};
/// Every block of a PEM text, in order; text between blocks is passed over. At most `blocks_max` of them.
/// Encapsulated headers (RFC 1421) are refused.
Result<std::vector<PemBlock>> parse_pem(std::string_view text, std::size_t blocks_max = 64);
/// "-----BEGIN label-----" … with lines of 64 characters.
std::string to_pem(std::string_view label, Bytes der);

}  // namespace estuary
