#include "estuary/net/framing.h"

#include <utility>

namespace estuary::net {

Framing::State HttpFraming::state() const noexcept {
    switch (parser_.state()) {
        case http::RequestParser::State::complete: return State::complete;
        case http::RequestParser::State::refused: return State::refused;
        case http::RequestParser::State::head:
        case http::RequestParser::State::body: break;
    }
    return State::reading;
}

http::Request HttpFraming::take() {
    auto request = parser_.take();
    to_head_ = request.method == "HEAD";
    return request;
}

std::string_view HttpFraming::interim() { return parser_.take_expectation() ? "HTTP/1.1 100 Continue\r\n\r\n" : ""; }

bool HttpFraming::write(std::string& to, const http::Response& response, const Last& last) {
    // Once: what is refused later on was no HEAD.
    const bool to_head = std::exchange(to_head_, false);
    http::write_response(to, response, {last.date, last.close, to_head});
    return !to_head && http::may_have_body(response);
}

}  // namespace estuary::net
