#include "estuary/cmp/tcp_server.h"

#include "estuary/base/text.h"
#include "estuary/cmp/http_server.h"

namespace estuary::cmp {

TcpServerSide::TcpServerSide(std::string_view label, std::size_t value_octets_max)
    : target_{label.empty() ? "/.well-known/cmp" : "/.well-known/cmp/p/" + std::string{label}}, reader_{value_octets_max} {}

void TcpServerSide::refuse(TcpFault fault) {
    refused_ = true;
    framing_ = fault.framing;
    refusal_ = {400, fault.error.text};
    fault_ = std::move(fault);
}

/// What is complete, or begun, may be nothing that a server is sent.
void TcpServerSide::judge() {
    if (reader_.state() == TcpReader::State::refused) return refuse(reader_.fault());
    if (!reader_.head()) return;
    framing_ = reader_.head()->framing;
    switch (reader_.head()->type) {
        case TcpType::pki_req: return;
        case TcpType::poll_req:
            // Who has to wait is told so by CMP itself (RFC 4210 5.3.22); there are no polling references.
            if (reader_.head()->value_octets == 4)
                return refuse({framing_, {TcpErrorType::invalid_poll_id, {}, "There is no such polling reference; poll with a pollReq of CMP."}});
            return refuse({framing_, {TcpErrorType::client_error, {}, "A pollReq has a polling reference of 4 octets."}});
        case TcpType::poll_rep:
        case TcpType::fin_rep:
        case TcpType::partial_rep:
        case TcpType::pki_rep:
        case TcpType::error_rep: break;
    }
    refuse({framing_, {TcpErrorType::invalid_message_type, {}, "A server takes requests, not answers."}});
}

std::size_t TcpServerSide::feed(std::string_view octets) {
    if (refused_) return 0;
    const auto used = reader_.feed(as_bytes(octets));
    judge();
    return used;
}

http::Request TcpServerSide::take() {
    auto message = reader_.take();
    closes_ = message.closes;
    http::Request request;
    request.method = "POST";
    request.target = target_;
    request.headers.add("Content-Type", std::string{media_pkixcmp});
    request.body = estuary::to_string(message.value);
    return request;
}

bool TcpServerSide::cut() {
    if (!reader_.started()) return false;
    refuse({framing_, {TcpErrorType::client_error, {}, "The message is cut short."}});
    return true;
}

void TcpServerSide::write(std::string& to, const http::Response& response, bool closes) {
    TcpMessage message;
    if (refused_) {
        message = error_rep(framing_, fault_.error);
    } else if (response.headers.find("Content-Type") == media_pkixcmp) {
        message = {framing_, TcpType::pki_rep, false, to_vec(as_bytes(response.body))};
    } else if (response.body.empty()) {
        message = {framing_, TcpType::fin_rep, false, {0}};
    } else {
        const auto type = response.status >= 500 ? TcpErrorType::server_error : TcpErrorType::client_error;
        message = error_rep(framing_, {type, {}, std::string{text::trim(response.body)}});
    }
    message.closes = closes;
    to += as_text(encode(message));
}

}  // namespace estuary::cmp
