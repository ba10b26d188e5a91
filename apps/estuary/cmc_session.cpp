#include "cmc_session.h"

#include <iostream>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/cmc/http_server.h"

namespace estuary::client {
namespace {

constexpr std::size_t secret_octets_max = 1024;

/// One line; its end does not belong to the secret.
crypto::Secret first_line(std::string_view text) { return crypto::Secret{text.substr(0, text.find_first_of("\r\n"))}; }

Outcome<std::optional<cmc::ClientSecret>> read_secret(const CmcOptions& options) {
    if (options.name.empty() && options.secret_file.empty() && !options.secret_stdin) return std::optional<cmc::ClientSecret>{};
    if (options.name.empty()) return usage_failure("--secret-file and --secret-stdin need --name: what the secret is known by");
    cmc::ClientSecret secret{options.name, {}};
    if (options.secret_stdin) {
        std::string line;
        std::getline(std::cin, line);
        secret.secret = first_line(line);
        crypto::wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
    } else if (!options.secret_file.empty()) {
        ESTUARY_TRY_AS(const auto content, file::read(options.secret_file, secret_octets_max), local_failure);
        secret.secret = first_line(as_text(content));
    }
    if (secret.secret.empty()) return usage_failure("--name needs --secret-file or --secret-stdin, with a secret in it");
    return std::optional{std::move(secret)};
}

Outcome<std::optional<cmc::ClientCertificate>> signing_certificate(const CmcOptions& options) {
    if (options.certificate.empty()) return std::optional<cmc::ClientCertificate>{};
    if (options.certificate_key.empty()) return usage_failure("--cert needs --cert-key: its private key");
    ESTUARY_TRY_AS(const auto content, file::read(options.certificate), local_failure);
    ESTUARY_TRY_AS(const auto certificates, x509::parse_certificates(content), local_failure);
    if (certificates.empty()) return usage_failure(options.certificate + " holds no certificate");
    ESTUARY_TRY_AS(auto key, crypto::PrivateKey::load(options.certificate_key), local_failure);
    return std::optional{cmc::ClientCertificate{std::move(key), certificates.front()}};
}

/// The server's words in a text answer: one short line.
std::string words_of(const http::Response& response) {
    const auto field = response.headers.find("Content-Type");
    if (field && !field->starts_with("text/plain")) return {};
    const auto line = text::trim(std::string_view{response.body}.substr(0, 200));
    return line.empty() ? std::string{} : ": " + text::printable(line.substr(0, line.find('\n')));
}

}  // namespace

void CmcOptions::add_to(CLI::App& command) {
    command.add_option("URL", url, "Where CMC is spoken: https://host:8443/cmc, or https://host:8443/.well-known/est/fullcmc")
        ->required();
    command
        .add_option("--trust", trust_file,
                    "Trust anchors of the CA: a PEM file. Answers are believed if they are signed under them")
        ->required()
        ->type_name("FILE");
    auto* group = command.add_option_group("identity", "Who asks (one of)");
    auto* given = group->add_option("--cert", certificate, "A certificate of yours, which signs the request")->type_name("FILE");
    command.add_option("--cert-key", certificate_key, "Its private key")->type_name("FILE")->needs(given);
    auto* named = group->add_option("--name", name, "The name of a shared secret, as the CA's operator gave it");
    auto* from = command.add_option("--secret-file", secret_file, "File with the shared secret")->type_name("FILE")->needs(named);
    command.add_flag("--secret-stdin", secret_stdin, "Read the shared secret from standard input")->needs(named)->excludes(from);
    group->require_option(0, 1);
    command.add_option("--encrypt-for", server_certificate, "Encrypt the request for this certificate of the server")
        ->type_name("FILE");
}

Outcome<CmcSession> CmcSession::open(const CmcOptions& options, const Clock& clock, crypto::Entropy& entropy,
                                     std::optional<cmc::ClientCertificate> certificate) {
    CmcSession session;
    auto url = http::Url::parse(options.url);
    if (!url) return usage_failure("URL: " + url.error().detail);
    session.url_ = std::move(*url);
    session.base64_ = session.url_.path.starts_with("/.well-known/est") && session.url_.path.ends_with("/fullcmc");
    ESTUARY_TRY_AS(const auto content, file::read(options.trust_file), local_failure);
    ESTUARY_TRY_AS(session.anchors_, x509::parse_certificates(content), local_failure);
    if (session.anchors_.empty()) return usage_failure(options.trust_file + " holds no certificate");
    for (const auto& anchor : session.anchors_) session.connect_.trust.explicit_anchors.push_back(to_vec(anchor.der()));
    session.connect_.plain_http = session.url_.scheme == "http";  // what matters is signed; what is secret is to be encrypted
    cmc::ClientConfig config;
    config.anchors = session.anchors_;
    config.intermediates = session.anchors_;
    ESTUARY_TRY_OUTCOME(config.secret, read_secret(options));
    if (certificate) {
        config.certificate = std::move(certificate);
    } else {
        ESTUARY_TRY_OUTCOME(config.certificate, signing_certificate(options));
    }
    if (!options.server_certificate.empty()) {
        ESTUARY_TRY_AS(const auto octets, file::read(options.server_certificate), local_failure);
        ESTUARY_TRY_AS(const auto certificates, x509::parse_certificates(octets), local_failure);
        if (certificates.empty()) return usage_failure(options.server_certificate + " holds no certificate");
        config.encrypt_for = {certificates.front()};  // what follows it is its path
    }
    session.client_.emplace(std::move(config), clock, entropy);
    return session;
}

Outcome<ByteVec> CmcSession::exchange(Bytes message) {
    ESTUARY_TRY_AS(const auto connection, net::Connection::open(url_, connect_), remote_failure);
    http::Request request;
    request.method = "POST";
    request.target = url_.path.empty() ? "/" : url_.path;
    request.headers.add("Host", url_.authority());
    request.headers.add("Content-Type", std::string{cmc::media_full_request});
    request.headers.add("Accept", std::string{cmc::media_cms});
    if (base64_) request.headers.add("Content-Transfer-Encoding", "base64");
    request.body = base64_ ? to_base64_lines(message) : std::string{as_text(message)};
    ESTUARY_TRY_AS(const auto response, connection->exchange(request), remote_failure);
    const auto field = response.headers.find("Content-Type");
    const auto type = field ? http::MediaType::parse(*field) : fail(Code::not_found, "");
    if (!type || type->type != cmc::media_cms) {
        const auto code = response.status == 404 ? Code::not_found : response.status >= 500 ? Code::too_busy : Code::policy;
        return tl::unexpected<Failure>(
            remote_failure({code, fmt::format("the server answered {} ({}){}", response.status,
                                              http::reason_phrase(response.status), words_of(response))}));
    }
    if (!base64_) return to_vec(as_bytes(response.body));
    ESTUARY_TRY_AS(auto der, from_base64(response.body), remote_failure);
    return der;
}

Outcome<cmc::ClientReply> CmcSession::ask(const Result<ByteVec>& message) {
    if (!message) return tl::unexpected<Failure>(local_failure(message.error()));
    ESTUARY_TRY_OUTCOME(const auto answer, exchange(*message));
    ESTUARY_TRY_AS(auto reply, client_->read(answer), remote_failure);
    return reply;
}

Outcome<cmc::ClientReply> CmcSession::put(const Result<ByteVec>& message) {
    ESTUARY_TRY_OUTCOME(auto reply, ask(message));
    if (auto failure = reply.failure()) return tl::unexpected<Failure>(remote_failure(std::move(*failure)));
    return reply;
}

}  // namespace estuary::client
