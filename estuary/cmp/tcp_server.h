#pragma once
// CMP over TCP from the server's side: frames on a connection to the requests that http_server.h takes, and its responses to frames.
#include "estuary/cmp/tcp_message.h"
#include "estuary/http/message.h"
#include "estuary/http/wire.h"

namespace estuary::cmp {

/// What one connection says, a message at a time, and what goes back. In whichever framing a message comes, it is answered in that one.
class TcpServerSide {
public:
    /// `label` as in Label::name: who speaks this framing cannot name one.
    TcpServerSide(std::string_view label, std::size_t value_octets_max);

    std::size_t feed(std::string_view octets);
    TcpReader::State state() const noexcept { return refused_ ? TcpReader::State::refused : reader_.state(); }
    bool started() const noexcept { return refused_ || reader_.started(); }
    /// The peer wants the connection closed after the answer to the message that was taken last.
    bool closes() const noexcept { return closes_; }
    /// Why no request comes of it, for logs.
    const http::Refusal& refusal() const noexcept { return refusal_; }
    /// The PKIMessage of the complete pkiReq, as a POST to the label's path.
    http::Request take();
    /// The peer sends no more. True: in the middle of a message, which is refused.
    bool cut();
    /// Appends the answer: pkiRep with the PKIMessage of a response, finRep where there is nothing to say, otherwise errorMsgRep.
    void write(std::string& to, const http::Response& response, bool closes);

private:
    void refuse(TcpFault fault);
    void judge();

    std::string target_;
    TcpReader reader_;
    TcpFraming framing_ = TcpFraming::version_10;  // of the last message that said
    bool refused_ = false;
    bool closes_ = false;
    TcpFault fault_;
    http::Refusal refusal_;
};

}  // namespace estuary::cmp
