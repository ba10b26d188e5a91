#pragma once
// Multipart bodies (RFC 2046 5.1): written, and read within limits. No transfer encodings: a part's body is as it was sent.
#include "estuary/http/grammar.h"

namespace estuary::http {

struct Part {
    Headers headers;
    std::string body;
};

/// What a reader puts up with; more is too_large.
struct MultipartLimits {
    std::size_t bytes_max = 1u << 20;     ///< the whole body; a key and a certificate take a few thousand
    std::size_t parts_max = 16;
    std::size_t headers_max = 32;         ///< of one part
    std::size_t header_bytes_max = 8192;  ///< of one part
};

/// The boundary parameter of a "multipart/…" media type: 1 to 70 of the characters allowed there, no blank at the end.
Result<std::string> boundary_of(const MediaType& type);

/// The parts in order; preamble and epilogue are passed over. Lines end with CRLF, or with LF alone as some servers write them.
/// malformed: no part, no closing delimiter, text behind a boundary, a header line that is none. The line break in front of a
/// delimiter is the delimiter's own.
Result<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary, const MultipartLimits& limits = {});

struct Multipart {
    std::string boundary;  ///< a token: needs no quotes
    std::string body;
};
/// Writes the parts between delimiters that occur in none of them. The body is allocated once, so that wiping it wipes all of
/// what was written.
Multipart write_multipart(const std::vector<Part>& parts);

}  // namespace estuary::http
