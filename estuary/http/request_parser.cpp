#include <algorithm>

#include "estuary/base/text.h"
#include "estuary/http/characters.h"
#include "estuary/http/refuse.h"

namespace estuary::http {
namespace {

using detail::refuse_with;

constexpr std::size_t method_octets_max = 32;

struct StartLine {
    std::string_view method, target;
    bool http_1_0 = false;
};

/// 505 for what looks like another version of HTTP, 400 for what looks like nothing.
Parsed<bool> is_http_1_0(std::string_view version) {
    if (version.size() != 8 || !version.starts_with("HTTP/") || !detail::is_digit(version[5]) || version[6] != '.' ||
        !detail::is_digit(version[7]))
        return refuse_with(400, "The request line must be: method, target, HTTP/1.1.");
    if (version[5] != '1') return refuse_with(505, "Only HTTP/1.1 is spoken here.");
    return version[7] == '0';
}

/// request-line = method SP request-target SP HTTP-version  -- RFC 9112 3
Parsed<StartLine> read_request_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) return refuse_with(400, "The request line must be: method, target, HTTP/1.1.");
    const auto old = is_http_1_0(line.substr(second + 1));
    if (!old) return tl::unexpected<Refusal>(old.error());
    StartLine out{line.substr(0, first), line.substr(first + 1, second - first - 1), *old};
    if (!detail::is_token(out.method)) return refuse_with(400, "The method is not a token.");
    if (out.method.size() > method_octets_max || out.method == "CONNECT")
        return refuse_with(501, "This method is not implemented.");
    if (out.target.empty() || !detail::all_of(detail::target_chars, out.target))
        return refuse_with(400, "The request target has characters that must be percent-encoded.");
    return out;
}

/// Origin form ("/path?query"), "*" for OPTIONS, or absolute form, of which the path is kept (RFC 9112 3.2.2).
Parsed<std::string_view> origin_form(std::string_view target, std::string_view method) {
    if (target.front() == '/' || (target == "*" && method == "OPTIONS")) return target;
    const auto mark = target.find("://");
    const auto scheme = target.substr(0, mark);
    if (mark == std::string_view::npos ||
        !(text::equal_ignoring_case(scheme, "https") || text::equal_ignoring_case(scheme, "http")))
        return refuse_with(400, "The request target must start with '/'.");
    const auto slash = target.find_first_of("/?", mark + 3);
    if (slash == std::string_view::npos || slash == mark + 3) return std::string_view{"/"};
    if (target[slash] == '?') return refuse_with(400, "The request target must have a path before '?'.");
    return target.substr(slash);
}

Parsed<void> check_host(const Headers& headers, bool http_1_0) {
    const auto hosts = headers.count("Host");
    if (hosts > 1 || (hosts == 0 && !http_1_0)) return refuse_with(400, "There must be one Host field.");
    if (hosts == 1 && !detail::all_of(detail::host_chars, *headers.find("Host")))
        return refuse_with(400, "The Host field is not a host.");
    return {};
}

}  // namespace

void RequestParser::refuse(Refusal refusal) {
    refusal_ = std::move(refusal);
    state_ = State::refused;
    closes_ = true;
    expects_continue_ = false;
    head_.release();
}

Parsed<void> RequestParser::read_head(std::string_view head) {
    const auto line_end = head.find("\r\n");
    const auto line = read_request_line(head.substr(0, line_end));
    if (!line) return tl::unexpected<Refusal>(line.error());
    const auto target = origin_form(line->target, line->method);
    if (!target) return tl::unexpected<Refusal>(target.error());
    request_.method = line->method;
    request_.target = *target;
    const auto framing = read_fields(head.substr(line_end + 2), request_.headers, *limits_);
    if (!framing) return tl::unexpected<Refusal>(framing.error());
    if (const auto ok = check_host(request_.headers, line->http_1_0); !ok) return ok;
    if (framing->chunked && line->http_1_0) return refuse_with(400, "HTTP/1.0 has no Transfer-Encoding.");
    if (framing->content_length.value_or(0) > limits_->body_bytes_max) return refuse_with(413, "The body is too large.");
    closes_ = framing->close || line->http_1_0;
    left_ = framing->content_length.value_or(0);
    if (framing->chunked) chunked_.emplace();
    state_ = framing->chunked || left_ > 0 ? State::body : State::complete;
    expects_continue_ = framing->expects_continue && !line->http_1_0 && state_ == State::body;
    return {};
}

std::size_t RequestParser::feed_body(std::string_view input) {
    if (input.empty()) return 0;
    expects_continue_ = false;  // the body comes unasked
    if (chunked_) {
        const auto consumed = chunked_->feed(input, request_.body, *limits_);
        if (!consumed) {
            refuse(consumed.error());
            return input.size();
        }
        if (chunked_->done()) state_ = State::complete;
        return *consumed;
    }
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    request_.body += input.substr(0, taken);  // grows with what came, not with what was announced
    left_ -= taken;
    if (left_ == 0) state_ = State::complete;
    return taken;
}

std::size_t RequestParser::feed(std::string_view input) {
    std::size_t consumed = 0;
    if (state_ == State::head) {
        const auto found = head_.feed(input, limits_->head_bytes_max);
        if (!found) {
            refuse(found.error());
            return input.size();
        }
        if (!*found) return input.size();
        consumed = (*found)->consumed;
        if (auto ok = read_head((*found)->head); !ok) {
            refuse(std::move(ok).error());
            return input.size();
        }
        head_.release();
    }
    if (state_ == State::body) consumed += feed_body(input.substr(consumed));
    return consumed;
}

Request RequestParser::take() {
    Request out = std::move(request_);
    request_ = {};
    chunked_.reset();
    left_ = 0;
    state_ = State::head;
    expects_continue_ = false;
    return out;
}

}  // namespace estuary::http
