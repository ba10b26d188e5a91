#pragma once
// The client's socket: name resolution, connecting and waiting, all within a deadline.
#include <chrono>

#include "estuary/base/result.h"
#include "estuary/http/grammar.h"
#include "estuary/net/fd.h"
#include "estuary/net/stream.h"

namespace estuary::net {

using Deadline = std::chrono::steady_clock::time_point;

/// Connects to the first address that answers. unavailable, saying whether the name, the refusal or the time was it; policy:
/// `public_only`, and the name has no address that the Internet routes to.
Result<Fd> connect_to(const http::Url& url, Deadline deadline, bool public_only = false);

/// Writes all of it. `done`, or how it ended; want_read or want_write: the deadline has passed.
Io write_all(Stream& stream, std::string_view octets, Deadline deadline);

/// Waits until the socket is readable or writable, as `io` wants it. False: the deadline has passed.
bool wait_for(int fd, Io io, Deadline deadline);

}  // namespace estuary::net
