#pragma once
// One CMC server as this client sees it: CMC over HTTP (RFC 5273 6), or EST's /fullcmc (RFC 7030 4.3).
#include "estuary/cmc/client.h"
#include "estuary/net/client.h"
#include "login.h"
#include "trust.h"

namespace estuary::client {

/// What every command of CMC takes.
struct CmcOptions {
    std::string url, trust_file, name, secret_file, certificate, certificate_key, server_certificate;
    bool secret_stdin = false;
    void add_to(CLI::App& command);
};

class CmcSession {
public:
    /// Trust and identity as the options say. `certificate` in place of --cert.
    static Outcome<CmcSession> open(const CmcOptions& options, const Clock& clock, crypto::Entropy& entropy,
                                    std::optional<cmc::ClientCertificate> certificate = {});

    cmc::Client& client() noexcept { return *client_; }
    const std::vector<x509::Certificate>& anchors() const noexcept { return anchors_; }
    /// Sends what the client made and reads the answer. A refusal is a Failure with the server's words.
    Outcome<cmc::ClientReply> put(const Result<ByteVec>& message);
    /// The same, but a refusal is the caller's to look at.
    Outcome<cmc::ClientReply> ask(const Result<ByteVec>& message);

private:
    CmcSession() = default;
    Outcome<ByteVec> exchange(Bytes message);

    http::Url url_;
    bool base64_ = false;  ///< as EST has it
    net::ClientOptions connect_;
    std::vector<x509::Certificate> anchors_;
    std::optional<cmc::Client> client_;
};

}  // namespace estuary::client
