#pragma once
// What a client would rather have: the Accept field (RFC 9110 12.5.1).
#include <span>

#include "estuary/base/result.h"
#include "estuary/http/message.h"

namespace estuary::http {

/// Which of `offered` (media types in lower case, the server's own choice first) the client likes best: by quality, then by our
/// order; no Accept field: the first. Several fields count as one list. not_found: none of them will do; malformed: the field is
/// not what its grammar says, or has over 64 ranges.
Result<std::size_t> preferred_media_type(const Headers& headers, std::span<const std::string_view> offered);

}  // namespace estuary::http
