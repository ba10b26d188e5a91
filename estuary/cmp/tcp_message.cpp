#include "estuary/cmp/tcp_message.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace estuary::cmp {
namespace {

constexpr std::size_t rfc2510_head_octets = 5, version_10_head_octets = 7;
constexpr std::uint8_t tcp_close_flag = 0x01;
constexpr std::uint8_t tcp_type_last = 6;

std::uint32_t read_tcp_u32(Bytes octets) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i) out = out << 8 | octets[i];
    return out;
}

std::uint16_t read_tcp_u16(Bytes octets) { return static_cast<std::uint16_t>(octets[0] << 8 | octets[1]); }

void put_tcp_u16(ByteVec& to, std::size_t value) {
    to.push_back(static_cast<std::uint8_t>(value >> 8));
    to.push_back(static_cast<std::uint8_t>(value));
}

void put_tcp_u32(ByteVec& to, std::size_t value) {
    put_tcp_u16(to, value >> 16);
    put_tcp_u16(to, value);
}

tl::unexpected<TcpFault> tcp_fault(TcpFraming framing, TcpErrorType type, std::string text) {
    return tl::unexpected<TcpFault>(TcpFault{framing, {type, {}, std::move(text)}});
}

/// The head with the size of its value, of a message whose length field says `length`.
tl::expected<std::optional<TcpHead>, TcpFault> sized_head(TcpHead head, std::size_t length, std::size_t value_octets_max) {
    const auto after_length = head.head_octets - 4;
    if (length < after_length) return tcp_fault(head.framing, TcpErrorType::client_error, "The length is less than that of a message without value.");
    head.value_octets = length - after_length;
    if (head.value_octets > value_octets_max)
        return tcp_fault(head.framing, TcpErrorType::client_error, fmt::format("The message is longer than {} octets.", value_octets_max));
    return head;
}

}  // namespace

ByteVec encode(const TcpMessage& message) {
    const bool old = message.framing == TcpFraming::rfc2510;
    ByteVec out;
    out.reserve(version_10_head_octets + message.value.size());
    put_tcp_u32(out, message.value.size() + (old ? rfc2510_head_octets : version_10_head_octets) - 4);
    if (!old) {
        out.push_back(tcp_version);
        out.push_back(message.closes ? tcp_close_flag : 0);
    }
    out.push_back(static_cast<std::uint8_t>(message.type));
    append(out, message.value);
    return out;
}

Result<TcpPoll> read_poll_rep(const TcpMessage& message) {
    const Bytes value{message.value};
    if (value.size() != 8) return fail(Code::malformed, "a pollRep has a polling reference and a time, of 4 octets each");
    return TcpPoll{read_tcp_u32(value), Seconds{read_tcp_u32(value.subspan(4))}};
}

TcpMessage poll_req(TcpFraming framing, std::uint32_t reference) {
    TcpMessage out{framing, TcpType::poll_req};
    put_tcp_u32(out.value, reference);
    return out;
}

TcpMessage error_rep(TcpFraming framing, const TcpError& error) {
    TcpMessage out{framing, TcpType::error_rep, true};
    if (framing == TcpFraming::version_10) {
        put_tcp_u16(out.value, static_cast<std::uint16_t>(error.type));
        put_tcp_u16(out.value, error.data.size());
        append(out.value, error.data);
    }
    append(out.value, as_bytes(error.text));
    return out;
}

Result<TcpError> read_error_rep(const TcpMessage& message) {
    const Bytes value{message.value};
    if (message.framing == TcpFraming::rfc2510) return TcpError{TcpErrorType::client_error, {}, estuary::to_string(value)};
    if (value.size() < 4) return fail(Code::malformed, "an errorMsgRep has an error type and a data length");
    const std::size_t data_octets = read_tcp_u16(value.subspan(2));
    if (value.size() - 4 < data_octets) return fail(Code::malformed, "an errorMsgRep is shorter than its data");
    return TcpError{static_cast<TcpErrorType>(read_tcp_u16(value)), to_vec(value.subspan(4, data_octets)), estuary::to_string(value.subspan(4 + data_octets))};
}

tl::expected<std::optional<TcpHead>, TcpFault> read_tcp_head(Bytes begun, std::size_t value_octets_max) {
    if (begun.size() < rfc2510_head_octets) return std::nullopt;
    const auto length = read_tcp_u32(begun);
    const auto told = begun[4];
    if (told <= tcp_type_last)
        return sized_head({TcpFraming::rfc2510, static_cast<TcpType>(told), false, rfc2510_head_octets}, length, value_octets_max);
    if (told < tcp_version)
        return tcp_fault(TcpFraming::rfc2510, TcpErrorType::invalid_message_type, "The flag is none of RFC 2510, nor the version that is spoken here.");
    if (told > tcp_version)
        return tl::unexpected<TcpFault>(TcpFault{TcpFraming::version_10, {TcpErrorType::version_not_supported, {tcp_version},
                                                                          "Version 10 of the TCP messages of CMP is spoken here."}});
    TcpHead head{TcpFraming::version_10, TcpType::pki_req, false, version_10_head_octets};
    auto sized = sized_head(head, length, value_octets_max);
    if (!sized) return sized;
    if (begun.size() < version_10_head_octets) return std::nullopt;
    const auto type = begun[6];
    if (type > tcp_type_last || static_cast<TcpType>(type) == TcpType::partial_rep)
        return tcp_fault(TcpFraming::version_10, TcpErrorType::invalid_message_type, "There is no such message type.");
    (*sized)->type = static_cast<TcpType>(type);
    (*sized)->closes = (begun[5] & tcp_close_flag) != 0;
    return sized;
}

std::size_t TcpReader::feed(Bytes octets) {
    std::size_t used = 0;
    while (state_ == State::reading && !head_ && used < octets.size()) {
        begun_.push_back(octets[used++]);
        auto head = read_tcp_head(begun_, value_octets_max_);
        if (!head) {
            fault_ = std::move(head).error();
            state_ = State::refused;
        } else if (*head) {
            head_ = **head;
        }
    }
    if (state_ != State::reading || !head_) return used;
    // Room is made as octets come, not as many as somebody says will come.
    const auto more = octets.subspan(used, std::min(octets.size() - used, head_->value_octets - value_.size()));
    append(value_, more);
    if (value_.size() == head_->value_octets) state_ = State::complete;
    return used + more.size();
}

TcpMessage TcpReader::take() {
    TcpMessage out{head_->framing, head_->type, head_->closes, std::move(value_)};
    *this = TcpReader{value_octets_max_};
    return out;
}

}  // namespace estuary::cmp
