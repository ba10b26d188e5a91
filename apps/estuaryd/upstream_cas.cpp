#include "apps/estuaryd/upstream_cas.h"

#include <algorithm>
#include <mutex>

#include <fmt/format.h>

#include "apps/estuaryd/load.h"
#include "estuary/base/file.h"
#include "estuary/cmp/http_client.h"
#include "estuary/cmp/tcp_client.h"
#include "estuary/cmp/upstream.h"
#include "estuary/net/client.h"
#include "estuary/net/message_client.h"

namespace estuary::daemon {
namespace {

/// Connections that are open, for the next request. Thread-safe.
class Connections {
public:
    Connections(http::Url url, cmp::HttpTarget target, net::ClientOptions options)
        : url_{std::move(url)}, target_{std::move(target)}, options_{std::move(options)} {}

    Result<ByteVec> exchange(std::string_view operation, Bytes message) {
        const auto request = cmp::make_http_request(target_, url_.authority(), operation, message);
        auto connection = take();
        // One that has lain here may have been closed meanwhile: then once more with a new one. The same message gets the same answer.
        if (connection) {
            if (auto response = connection->exchange(request)) return read(std::move(connection), *response);
        }
        ESTUARY_TRY(connection, net::Connection::open(url_, options_));
        ESTUARY_TRY(const auto response, connection->exchange(request));
        return read(std::move(connection), response);
    }

private:
    using Held = std::unique_ptr<net::Connection>;

    Held take() {
        const std::lock_guard guard{mutex_};
        if (idle_.empty()) return nullptr;
        auto one = std::move(idle_.back());
        idle_.pop_back();
        return one;
    }

    Result<ByteVec> read(Held connection, const http::Response& response) {
        if (!response.close) {
            const std::lock_guard guard{mutex_};
            idle_.push_back(std::move(connection));
        }
        ESTUARY_TRY(const auto message, cmp::read_http_response(response));
        return to_vec(message);
    }

    http::Url url_;
    cmp::HttpTarget target_;
    net::ClientOptions options_;
    std::mutex mutex_;
    std::vector<Held> idle_;
};

Result<std::vector<x509::Certificate>> anchors_of(const UpstreamSection& section, const authority::CaConfig& ca) {
    if (!section.trust.given()) return std::vector{ca.chain.empty() ? ca.certificate : ca.chain.back()};
    ESTUARY_TRY(const auto content, file::read(section.trust.path));
    return x509::parse_certificates(content);
}

net::ClientOptions connection_options(const UpstreamSection& section, const std::vector<x509::Certificate>& anchors,
                                      const CertificateAndKey& own) {
    net::ClientOptions options;
    options.plain_http = true;   // messages are protected by themselves (RFC 9811 5)
    options.connect_timeout = std::min(options.connect_timeout, section.timeout);
    options.exchange_timeout = section.timeout;
    options.trust.cmc_ra_instead_of_name = false;
    for (const auto& anchor : anchors) options.trust.explicit_anchors.push_back(to_vec(anchor.der()));
    options.identity.emplace(net::ClientIdentity{{}, own.key});
    for (const auto& link : own.chain) options.identity->chain.push_back(to_vec(link.der()));
    return options;
}

/// Without HTTP: a connection for each message. Who is told to wait by the framing comes again with the same message.
Result<ByteVec> exchange_over_tcp(const http::Url& url, const net::ClientOptions& options, Bytes message) {
    std::unique_ptr<net::MessageConnection> connection;
    const auto length = [&](Bytes begun) { return cmp::tcp_frame_octets(begun, options.body_bytes_max); };
    return cmp::TcpClient{}.ask(message, [&](Bytes frame) -> Result<ByteVec> {
        ESTUARY_TRY(connection, net::MessageConnection::open(url, {options.connect_timeout, options.exchange_timeout}));
        return connection->exchange(frame, length);
    });
}

Result<cmp::Channel> channel_to(const UpstreamSection& section, net::ClientOptions options) {
    if (section.url.scheme == "tcp")
        return [url = section.url, options = std::move(options)](std::string_view, Bytes message) { return exchange_over_tcp(url, options, message); };
    ESTUARY_TRY(auto target, cmp::http_target(section.url, section.name));
    const auto connections = std::make_shared<Connections>(section.url, std::move(target), std::move(options));
    return [connections](std::string_view operation, Bytes message) { return connections->exchange(operation, message); };
}

Result<std::shared_ptr<const cmp::Above>> make_above(const UpstreamSection& section, const authority::CaConfig& ca, const crypto::Secret* passphrase) {
    ESTUARY_TRY(auto own, load_certificate_and_key(section.certificate.path, section.key.path, passphrase));
    if (!own.chain.front().has_ext_key_usage(x509::oid::kp_cmc_ra))
        return fail(Code::policy, "the certificate lacks id-kp-cmcRA: the CA above would not take requests for others from it");
    const auto usage = own.chain.front().key_usage();
    if (!own.key.signature_algorithm() || (usage && (*usage & x509::digital_signature) == 0))
        return fail(Code::policy, "the key of the certificate is none that signs: a registration authority signs what it asks for");
    ESTUARY_TRY(const auto anchors, anchors_of(section, ca));
    cmp::ClientConfig client{.credentials = cmp::ClientSigner{own.key, own.chain}};
    client.recipient = ca.certificate.subject();
    client.anchors = anchors;
    client.intermediates = ca.chain;
    client.intermediates.push_back(ca.certificate);
    ESTUARY_TRY(auto channel, channel_to(section, connection_options(section, anchors, own)));
    return std::make_shared<const cmp::Above>(cmp::Above{std::move(channel), std::move(client)});
}

}  // namespace

AboveCas wire_upstream_cas(const Configuration& configuration, const crypto::Secret* passphrase, store::Store& store,
                           const Program& program, authority::Config& config, Faults& faults) {
    AboveCas all;
    for (const auto& section : configuration.cas) {
        const auto ca = std::ranges::find(config.cas, section.name, &authority::CaConfig::name);
        if (!section.upstream.present || ca == config.cas.end()) continue;
        const auto wrong = [&](const Error& error) { faults.add(section.upstream.place, error.detail + (error.cause.empty() ? "" : " (" + error.cause + ")")); };
        auto above = make_above(section.upstream, *ca, passphrase);
        if (!above) {
            wrong(above.error());
            continue;
        }
        cmp::UpstreamConfig wanted{section.name, ca->certificate, {.credentials = std::get<cmp::ClientSigner>((*above)->client.credentials)}};
        wanted.client.recipient = (*above)->client.recipient;
        wanted.client.anchors = (*above)->client.anchors;
        wanted.client.intermediates = (*above)->client.intermediates;
        wanted.profile = section.upstream.profile;
        wanted.concurrent_max = section.upstream.concurrent_max;
        auto upstream = cmp::UpstreamCa::create(std::move(wanted), (*above)->channel, store, program.clock, program.entropy);
        if (!upstream) {
            wrong(upstream.error());
            continue;
        }
        ca->upstream = std::move(*upstream);
        all.emplace(section.name, std::move(*above));
    }
    return all;
}

}  // namespace estuary::daemon
