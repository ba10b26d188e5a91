#pragma once
// CMP over TCP from the client's side: one PKIMessage to a server and its answer, whichever framing the server speaks.
#include <functional>
#include <string_view>

#include "estuary/cmp/tcp_message.h"
#include "estuary/http/grammar.h"

namespace estuary::cmp {

/// "tcp://HOST[:PORT]", port 829 if it names none. malformed; policy: with a path, for the framing has no place for one.
Result<http::Url> tcp_url(std::string_view text);
/// Whether a URL is of that kind.
bool is_tcp_url(std::string_view text) noexcept;

/// How many octets a frame has, from those that have come; 0: they do not say yet. malformed: it is no frame, or a larger one.
Result<std::size_t> tcp_frame_octets(Bytes begun, std::size_t value_octets_max);

/// Sends one frame and brings the whole one that comes back.
using TcpExchange = std::function<Result<ByteVec>(Bytes frame)>;

/// One server as a client sees it. Not thread-safe.
class TcpClient {
public:
    /// The PKIMessage that answers `message`. too_busy with retry_after_s: the server lets wait, and the next call with the same
    /// message polls for its answer. A server that knows RFC 2510's framing only is asked again in it, then and from then on.
    /// Otherwise the errors of `exchange`, and those of an errorMsgRep: unavailable (the server's) or malformed (ours).
    Result<ByteVec> ask(Bytes message, const TcpExchange& exchange);
    /// The last answer says that its sender closes the connection.
    bool closes() const noexcept { return closes_; }
    /// The last call ended because the server lets wait.
    bool waits() const noexcept { return poll_.has_value(); }

private:
    Result<TcpMessage> send(const TcpMessage& message, const TcpExchange& exchange);

    TcpFraming framing_ = TcpFraming::version_10;
    std::optional<TcpPoll> poll_;
    bool closes_ = false;
};

}  // namespace estuary::cmp
