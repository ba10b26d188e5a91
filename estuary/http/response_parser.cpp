#include <algorithm>

#include "estuary/base/text.h"
#include "estuary/http/characters.h"
#include "estuary/http/refuse.h"

namespace estuary::http {
namespace {

using detail::refuse_with;

constexpr unsigned interim_responses_max = 8;

struct StatusLine {
    unsigned status = 0;
    bool http_1_0 = false;
};

/// status-line = HTTP-version SP status-code SP [ reason-phrase ]  -- RFC 9112 4; the last SP is often left out
Parsed<StatusLine> read_status_line(std::string_view line) {
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || !detail::is_digit(line[7]) || line[8] != ' ' ||
        !std::ranges::all_of(line.substr(9, 3), detail::is_digit) || (line.size() > 12 && line[12] != ' ') ||
        !detail::all_of(detail::field_chars, line))
        return refuse_with(400, "The status line is not one of HTTP/1.1.");
    StatusLine out;
    for (const char c : line.substr(9, 3)) out.status = out.status * 10 + static_cast<unsigned>(c - '0');
    if (out.status < 100) return refuse_with(400, "The status code is below 100.");
    out.http_1_0 = line[7] == '0';
    return out;
}

/// RFC 9112 9.3: a server of HTTP/1.0 keeps the connection only where it says so.
bool says_keep_alive(const Headers& headers) {
    auto options = headers.find("Connection").value_or("");
    while (!options.empty()) {
        const auto end = std::min(options.find(','), options.size());
        if (text::equal_ignoring_case(text::trim(options.substr(0, end)), "keep-alive")) return true;
        options.remove_prefix(std::min(end + 1, options.size()));
    }
    return false;
}

}  // namespace

void ResponseParser::refuse(Refusal refusal) {
    refusal_ = std::move(refusal);
    state_ = State::refused;
    head_.release();
}

Parsed<void> ResponseParser::read_head(std::string_view head) {
    const auto line_end = head.find("\r\n");
    const auto line = read_status_line(head.substr(0, line_end));
    if (!line) return tl::unexpected<Refusal>(line.error());
    response_ = {};
    response_.status = line->status;
    const auto framing = read_fields(head.substr(line_end + 2), response_.headers, *limits_);
    if (!framing) return tl::unexpected<Refusal>(framing.error());
    if (line->status == 101) return refuse_with(400, "The server switched protocols unasked.");
    if (line->status < 200) {
        if (++interim_ > interim_responses_max) return refuse_with(400, "Too many interim responses.");
        return {};
    }
    response_.close = framing->close || (line->http_1_0 && (framing->chunked || !says_keep_alive(response_.headers)));
    // RFC 9112 6.3, in its order.
    if (to_head_ || line->status == 204 || line->status == 304) {
        body_ = Body::none;
    } else if (framing->chunked) {
        body_ = Body::chunked;
    } else if (framing->content_length) {
        if (*framing->content_length > limits_->body_bytes_max) return refuse_with(413, "The response body is too large.");
        left_ = *framing->content_length;
        body_ = left_ > 0 ? Body::length : Body::none;
    } else {
        body_ = Body::until_close;
        response_.close = true;
    }
    state_ = body_ == Body::none ? State::complete : State::body;
    return {};
}

std::size_t ResponseParser::feed_body(std::string_view input) {
    if (body_ == Body::chunked) {
        const auto consumed = chunked_.feed(input, response_.body, *limits_);
        if (!consumed) {
            refuse(consumed.error());
            return input.size();
        }
        if (chunked_.done()) state_ = State::complete;
        return *consumed;
    }
    auto taken = input.size();
    if (body_ == Body::length) {
        taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, taken));
        left_ -= taken;
        if (left_ == 0) state_ = State::complete;
    } else if (taken > limits_->body_bytes_max - response_.body.size()) {
        refuse({413, "The response body is too large."});
        return input.size();
    }
    response_.body += input.substr(0, taken);
    return taken;
}

std::size_t ResponseParser::feed(std::string_view input) {
    std::size_t consumed = 0;
    while (state_ == State::head && consumed < input.size()) {
        const auto found = head_.feed(input.substr(consumed), limits_->head_bytes_max);
        if (!found) {
            refuse(found.error());
            return input.size();
        }
        if (!*found) return input.size();
        consumed += (*found)->consumed;
        if (auto ok = read_head((*found)->head); !ok) {
            refuse(std::move(ok).error());
            return input.size();
        }
        head_.release();
    }
    if (state_ == State::body && consumed < input.size()) consumed += feed_body(input.substr(consumed));
    return consumed;
}

void ResponseParser::finish() {
    if (state_ == State::complete || state_ == State::refused) return;
    if (state_ == State::body && body_ == Body::until_close) {
        state_ = State::complete;
        return;
    }
    refuse({400, "The response was cut short."});
}

}  // namespace estuary::http
