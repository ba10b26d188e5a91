#pragma once
// What the handlers look at in a request, and its parts in names and paths of the configuration.
#include <string_view>

#include "estuary/http/message.h"

namespace estuary::daemon {

/// Characters that need no escape in a URI (RFC 3986 2.3).
constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

/// The target without its query.
inline std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// It changes nothing.
inline bool is_read(const http::Request& request) { return request.method == "GET" || request.method == "HEAD"; }

}  // namespace estuary::daemon
