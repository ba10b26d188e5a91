#pragma once
// The way to a CA above, without knowing what it runs over.
#include <functional>
#include <string_view>

#include "estuary/base/bytes.h"
#include "estuary/base/result.h"

namespace estuary::cmp {

/// Takes one PKIMessage to the CA above and brings the answer; `operation` is for the path (RFC 9483 6.1), or empty. too_busy,
/// unavailable: it cannot be reached now; other errors: what came back is no PKIMessage. Thread-safe.
using Channel = std::function<Result<ByteVec>(std::string_view operation, Bytes message)>;

}  // namespace estuary::cmp
