#include "estuary/cmp/tcp_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "estuary/base/text.h"

namespace estuary::cmp {
namespace {

constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::size_t tcp_text_octets_max = 512;   // of an error, for a person
constexpr Seconds tcp_poll_pause_min{1};
constexpr Seconds tcp_poll_pause_max{86400};       // more is a mistake, or a lie

Error error_of(const TcpMessage& message) {
    const auto told = read_error_rep(message);
    if (!told) return told.error();
    const bool servers = static_cast<unsigned>(told->type) >> 8 == 3;
    const auto type = message.framing == TcpFraming::version_10 ? fmt::format(" {:#06x}", static_cast<unsigned>(told->type)) : std::string{};
    return {servers ? Code::unavailable : Code::malformed,
            fmt::format("the server answers with an error{}: {}", type, text::printable(std::string_view{told->text}.substr(0, tcp_text_octets_max)))};
}

}  // namespace

bool is_tcp_url(std::string_view text) noexcept {
    return text.size() >= tcp_scheme.size() && text::equal_ignoring_case(text.substr(0, tcp_scheme.size()), tcp_scheme);
}

Result<http::Url> tcp_url(std::string_view text) {
    if (!is_tcp_url(text)) return fail(Code::malformed, "URL: expected tcp://HOST[:PORT]");
    text.remove_prefix(tcp_scheme.size());
    const auto authority = text.substr(0, text.find_first_of("/?"));
    const auto host = authority.substr(0, authority.find(':', authority.find(']') == std::string_view::npos ? 0 : authority.find(']')));
    const bool has_port = authority.size() > host.size() + 1;
    ESTUARY_TRY(auto url, http::Url::parse(fmt::format("http://{}{}", has_port ? authority : host, text.substr(authority.size()))));
    if (!url.path.empty() && url.path != "/")
        return fail(Code::policy, "URL: directly over TCP a server has no paths: leave out what follows the port");
    url.scheme = "tcp";
    url.path.clear();
    if (!has_port) url.port = tcp_port;
    return url;
}

Result<std::size_t> tcp_frame_octets(Bytes begun, std::size_t value_octets_max) {
    const auto head = read_tcp_head(begun, value_octets_max);
    if (!head) return fail(Code::malformed, fmt::format("the server's answer is not CMP over TCP: {}", head.error().error.text));
    return *head ? (*head)->head_octets + (*head)->value_octets : std::size_t{0};
}

Result<TcpMessage> TcpClient::send(const TcpMessage& message, const TcpExchange& exchange) {
    ESTUARY_TRY(const auto frame, exchange(encode(message)));
    TcpReader reader{frame.size()};
    if (reader.feed(frame) != frame.size() || reader.state() != TcpReader::State::complete)
        return fail(Code::malformed, "the server's answer is not CMP over TCP");
    auto answer = reader.take();
    closes_ = answer.closes;
    return answer;
}

Result<ByteVec> TcpClient::ask(Bytes message, const TcpExchange& exchange) {
    const auto poll = std::exchange(poll_, std::nullopt);
    auto request = poll ? poll_req(framing_, poll->reference) : TcpMessage{framing_, TcpType::pki_req, false, to_vec(message)};
    ESTUARY_TRY(auto answer, send(request, exchange));
    if (answer.type == TcpType::error_rep && answer.framing == TcpFraming::rfc2510 && framing_ == TcpFraming::version_10) {
        framing_ = request.framing = TcpFraming::rfc2510;
        ESTUARY_TRY(answer, send(request, exchange));
    }
    switch (answer.type) {
        case TcpType::pki_req:  // what some give for an answer
        case TcpType::pki_rep: return std::move(answer.value);
        case TcpType::poll_rep: {
            ESTUARY_TRY(poll_, read_poll_rep(answer));
            Error later{Code::too_busy, "the server has no answer yet"};
            later.retry_after_s = static_cast<unsigned>(std::clamp(poll_->check_after, tcp_poll_pause_min, tcp_poll_pause_max).count());
            return fail(std::move(later));
        }
        case TcpType::error_rep: return fail(error_of(answer));
        case TcpType::fin_rep: return fail(Code::malformed, "the server ends the exchange without an answer");
        case TcpType::partial_rep:
        case TcpType::poll_req: break;
    }
    return fail(Code::malformed, "the server's answer is of a kind that is not taken");
}

}  // namespace estuary::cmp
