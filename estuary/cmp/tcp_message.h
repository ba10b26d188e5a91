#pragma once
// CMP directly over TCP, as octets: the framing of draft-ietf-pkix-cmp-transport-protocols-05 to -09 ("CMPtrans", to which RFC 4210 1
// leaves the transfer; it became RFC 6712 without this chapter), and the older one of RFC 2510 5.2. No sockets.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <tl/expected.hpp>

#include "estuary/base/bytes.h"
#include "estuary/base/clock.h"
#include "estuary/base/result.h"

namespace estuary::cmp {

inline constexpr std::uint16_t tcp_port = 829;       ///< pkix-3-ca-ra
inline constexpr std::uint8_t tcp_version = 10;      ///< no value that the same octet has in RFC 2510

enum class TcpFraming : std::uint8_t {
    version_10,  ///< length (4 octets, of what follows), version 10, flags, message type, value
    rfc2510,     ///< length (4 octets, of what follows), flag, value
};

/// The message types of version 10; RFC 2510 has flags of the same values under the names in brackets.
enum class TcpType : std::uint8_t {
    pki_req = 0,      ///< [pkiMsg] PKIMessage
    poll_rep = 1,     ///< polling reference, time-to-check-back in seconds, 4 octets each
    poll_req = 2,     ///< polling reference, 4 octets
    fin_rep = 3,      ///< [negPollRep] one octet 0: there is nothing more to come
    partial_rep = 4,  ///< [partialMsgRep] as pollRep, and a PKIMessage; not in version 10
    pki_rep = 5,      ///< [finalMsgRep] PKIMessage
    error_rep = 6,    ///< see TcpError
};

/// The error types of version 10. RFC 2510 has none.
enum class TcpErrorType : std::uint16_t {
    version_not_supported = 0x0101,  ///< data: the highest version that is spoken, one octet
    client_error = 0x0200,
    invalid_message_type = 0x0201,
    invalid_poll_id = 0x0202,
    server_error = 0x0300,
};

struct TcpMessage {
    TcpFraming framing = TcpFraming::version_10;
    TcpType type = TcpType::pki_req;
    bool closes = false;  ///< its sender closes the connection after it; RFC 2510 has no place for it
    ByteVec value{};
};
ByteVec encode(const TcpMessage& message);

/// What pollRep says: ask again under that number, after so long.
struct TcpPoll {
    std::uint32_t reference = 0;
    Seconds check_after{0};
};
/// malformed: the value is not that of a pollRep.
Result<TcpPoll> read_poll_rep(const TcpMessage& message);
TcpMessage poll_req(TcpFraming framing, std::uint32_t reference);

/// What an errorMsgRep says. In version 10 error type and data stand before the text; in RFC 2510 there is the text alone.
struct TcpError {
    TcpErrorType type = TcpErrorType::client_error;
    ByteVec data{};
    std::string text{};
};
TcpMessage error_rep(TcpFraming framing, const TcpError& error);
/// malformed: the value is not that of an errorMsgRep. Anybody on the way may have said it: the text is neither trusted nor printable.
Result<TcpError> read_error_rep(const TcpMessage& message);

/// Why octets are no message that is taken here, and in which framing that is to be told.
struct TcpFault {
    TcpFraming framing = TcpFraming::version_10;
    TcpError error;
};

/// What the first octets of a message say.
struct TcpHead {
    TcpFraming framing = TcpFraming::version_10;
    TcpType type = TcpType::pki_req;
    bool closes = false;
    std::size_t head_octets = 0;   ///< 5 or 7
    std::size_t value_octets = 0;
};
/// Nothing: more octets are needed. Versions above 10 are versionNotSupported, and 7 to 9 neither a version nor a flag.
tl::expected<std::optional<TcpHead>, TcpFault> read_tcp_head(Bytes begun, std::size_t value_octets_max);

/// Reads one message at a time from a stream of octets.
class TcpReader {
public:
    enum class State : std::uint8_t { reading, complete, refused };

    explicit TcpReader(std::size_t value_octets_max) noexcept : value_octets_max_{value_octets_max} {}

    /// Takes octets up to the end of the message; returns how many.
    std::size_t feed(Bytes octets);
    State state() const noexcept { return state_; }
    /// Whether any octet of a message was seen.
    bool started() const noexcept { return !begun_.empty() || state_ != State::reading; }
    /// What is known of the message that is being read.
    const std::optional<TcpHead>& head() const noexcept { return head_; }
    const TcpFault& fault() const noexcept { return fault_; }
    /// The complete message; the reader then waits for the next one.
    TcpMessage take();

private:
    std::size_t value_octets_max_;
    State state_ = State::reading;
    ByteVec begun_;  // of the head; its first octet tells that a message has begun
    std::optional<TcpHead> head_;
    ByteVec value_;
    TcpFault fault_;
};

}  // namespace estuary::cmp
