#pragma once
// The client of protocols that put messages on a TCP connection without HTTP or TLS: blocking, with deadlines. Nothing is protected on
// the way; that is the messages' own affair.
#include <chrono>
#include <functional>
#include <memory>

#include "estuary/base/bytes.h"
#include "estuary/base/result.h"
#include "estuary/http/grammar.h"

namespace estuary::net {

struct MessageClientOptions {
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds exchange_timeout{60'000};
};

/// How many octets a message has, from those that have come; 0: they do not say yet. An error ends the exchange.
using MessageLength = std::function<Result<std::size_t>(Bytes begun)>;

/// One connection. Not thread-safe.
class MessageConnection {
public:
    /// Host and port of the URL count. unavailable: no connection.
    static Result<std::unique_ptr<MessageConnection>> open(const http::Url& url, const MessageClientOptions& options);
    virtual ~MessageConnection() = default;
    /// Sends one message and reads one; afterwards, unless that worked, the connection is of no use. unavailable: it was lost, or
    /// took too long.
    virtual Result<ByteVec> exchange(Bytes message, const MessageLength& length) = 0;
};

}  // namespace estuary::net
