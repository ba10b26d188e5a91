#include "estuary/net/client.h"

#include <arpa/inet.h>

#include <array>

#include <fmt/format.h>

#include "estuary/http/wire.h"
#include "estuary/net/client_socket.h"
#include "estuary/net/client_tls.h"
#include "estuary/net/stream.h"

namespace estuary::net {
namespace {

constexpr std::size_t response_head_bytes_max = 64 * 1024;  // proxies and cookies included
constexpr std::size_t read_buffer_size = 16 * 1024;

bool is_dns_name(const std::string& host) {
    in6_addr ignored{};
    return inet_pton(AF_INET, host.c_str(), &ignored) != 1 && inet_pton(AF_INET6, host.c_str(), &ignored) != 1;
}

/// SNI, which is never an address (RFC 6066 3). The library's macro for it is a C cast.
void send_server_name(SSL& ssl, std::string host) {
    SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
}

class ClientConnection final : public Connection {
public:
    ClientConnection(http::Url url, const ClientOptions& options)
        : url_{std::move(url)},
          limits_{response_head_bytes_max, options.body_bytes_max},
          exchange_timeout_{options.exchange_timeout} {}

    Result<void> connect(const ClientOptions& options) {
        const auto deadline = std::chrono::steady_clock::now() + options.connect_timeout;
        ESTUARY_TRY(auto fd, connect_to(url_, deadline, options.public_addresses_only));
        stream_ = Stream{std::move(fd)};
        if (url_.scheme != "https") return {};
        ESTUARY_TRY(judge_, ServerJudge::create(options.trust, url_.host));
        ESTUARY_TRY(context_, new_client_context(options, *judge_));
        return shake_hands(deadline);
    }

    Result<http::Response> exchange(const http::Request& request) override {
        if (closed_) return fail(Code::unavailable, "this connection is closed; open a new one");
        const auto deadline = std::chrono::steady_clock::now() + exchange_timeout_;
        std::string text;
        http::write_request(text, request, url_.authority());
        const auto written = write_all(text, deadline);
        // A server may answer, say 413, and close before it has read everything: its answer tells more than our error.
        auto response = read_response(request.method == "HEAD", deadline);
        if (!response || !written) closed_ = true;
        if (!response && !written) return fail(written.error());
        return response;
    }

    ServerProof server_proof() const override { return judge_ ? judge_->proof() : ServerProof::none; }
    http::ChannelBindings bindings() const override {
        return stream_.ssl() != nullptr ? channel_bindings(*stream_.ssl()) : http::ChannelBindings{};
    }
    const std::vector<ByteVec>& server_chain() const override {
        static const std::vector<ByteVec> none;
        return judge_ ? judge_->chain() : none;
    }
    const std::vector<ByteVec>& verified_chain() const override {
        static const std::vector<ByteVec> none;
        return server_proof() == ServerProof::none ? none : judge_->path();
    }
    const std::string& tls_version() const override { return tls_version_; }

private:
    Error timed_out() const { return {Code::unavailable, fmt::format("{} did not answer in time", url_.authority())}; }
    Error lost() const { return {Code::unavailable, fmt::format("{} closed the connection", url_.authority())}; }
    Error tls_failure() const { return explain_tls_failure(stream_.error_reason(), stream_.error(), url_.authority()); }

    Result<void> shake_hands(Deadline deadline) {
        SslPtr ssl{SSL_new(context_.get())};
        if (!ssl) return fail(Code::internal, "TLS is not available", take_library_errors());
        SSL_set_connect_state(ssl.get());
        if (is_dns_name(url_.host)) send_server_name(*ssl, url_.host);
        if (!stream_.start_tls(std::move(ssl))) return fail(Code::internal, "TLS is not available", take_library_errors());
        for (;;) {
            const auto io = stream_.handshake();
            if (io == Io::done) break;
            if (io == Io::failed) return fail(judge_->refusal().value_or(tls_failure()));
            if (io == Io::end || io == Io::cut) return fail(in_context("TLS handshake", lost()));
            if (!wait_for(stream_.fd(), io, deadline)) return fail(in_context("TLS handshake", timed_out()));
        }
        tls_version_ = SSL_get_version(stream_.ssl());
        return {};
    }

    Result<void> write_all(std::string_view octets, Deadline deadline) {
        switch (net::write_all(stream_, octets, deadline)) {
            case Io::done: return {};
            case Io::failed: return fail(tls_failure());
            case Io::end:
            case Io::cut: return fail(lost());
            case Io::want_read:
            case Io::want_write: break;
        }
        return fail(timed_out());
    }

    Result<http::Response> read_response(bool to_head, Deadline deadline) {
        using State = http::ResponseParser::State;
        http::ResponseParser parser{limits_, to_head};
        std::array<char, read_buffer_size> buffer;
        while (parser.state() == State::head || parser.state() == State::body) {
            std::size_t count = 0;
            const auto io = stream_.read(buffer, count);
            if (io == Io::done) {
                const auto consumed = parser.feed({buffer.data(), count});
                if (consumed < count) closed_ = true;  // octets that nobody asked for: where does the next answer begin?
            } else if (io == Io::end) {
                if (!parser.started()) return fail(lost());
                closed_ = true;
                parser.finish();
            } else if (io == Io::failed) {
                return fail(tls_failure());
            } else if (io == Io::cut) {
                return fail(parser.started() ? Error{Code::unavailable, "the response was cut short"} : lost());
            } else if (!wait_for(stream_.fd(), io, deadline)) {
                return fail(timed_out());
            }
        }
        if (parser.state() == State::refused) return fail(refusal(parser.refusal()));
        auto response = parser.take();
        if (response.close) closed_ = true;
        return response;
    }

    Error refusal(const http::Refusal& why) const {
        const bool large = why.status == 413 || why.status == 431;
        return {large ? Code::too_large : Code::malformed,
                fmt::format("the answer of {} cannot be used: {}", url_.authority(), why.sentence)};
    }

    http::Url url_;
    http::WireLimits limits_;
    std::chrono::milliseconds exchange_timeout_;
    std::unique_ptr<ServerJudge> judge_;
    SslContextPtr context_;
    Stream stream_;
    std::string tls_version_;
    bool closed_ = false;
};

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const http::Url& url, const ClientOptions& options) {
    if (url.scheme != "https" && !options.plain_http)
        return fail(Code::policy, fmt::format("{} is not https: it would go unprotected", url.to_string()));
    auto connection = std::make_unique<ClientConnection>(url, options);
    ESTUARY_CHECK(connection->connect(options));
    return std::unique_ptr<Connection>{std::move(connection)};
}

}  // namespace estuary::net
