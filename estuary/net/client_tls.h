#pragma once
// The client's half of TLS: what it presents, and whether it believes the server.
#include <memory>
#include <optional>
#include <string>

#include "estuary/net/client.h"
#include "estuary/net/tls.h"

namespace estuary::net {

/// Decides on one server, while the handshake goes on: nothing of ours, not even the client certificate, is sent to a
/// server that is not believed.
class ServerJudge {
public:
    static Result<std::unique_ptr<ServerJudge>> create(const ClientTrust& trust, std::string host);

    /// For SSL_CTX_set_cert_verify_callback, with the judge as argument.
    static int verify(X509_STORE_CTX* context, void* judge);

    ServerProof proof() const noexcept { return proof_; }
    const std::vector<ByteVec>& chain() const noexcept { return chain_; }
    /// The verified path to an anchor, if there was one.
    const std::vector<ByteVec>& path() const noexcept { return path_; }
    /// Why the server is not believed; nothing when it is, or when it was not asked yet.
    const std::optional<Error>& refusal() const noexcept { return refusal_; }

private:
    ServerJudge() = default;
    Result<ServerProof> judge(X509* end_entity, STACK_OF(X509) * sent);
    Result<ServerProof> judge_explicit(X509* end_entity, STACK_OF(X509) * sent);
    Result<ServerProof> judge_system(X509* end_entity, STACK_OF(X509) * sent);
    Result<void> check_chain(X509_STORE& anchors, X509* end_entity, STACK_OF(X509) * sent);
    bool has_name(X509* end_entity) const;

    std::string host_;
    StorePtr explicit_, system_;
    bool cmc_ra_ = false;
    bool provisional_ = false;
    int last_error_ = X509_V_OK;
    ServerProof proof_ = ServerProof::none;
    std::optional<Error> refusal_;
    std::vector<ByteVec> chain_, path_;
};

/// A context for one connection; `judge` must outlive its sessions.
Result<SslContextPtr> new_client_context(const ClientOptions& options, ServerJudge& judge);

/// What a TLS error of the library means to a person.
Error explain_tls_failure(int reason, const std::string& library_error, const std::string& host);

}  // namespace estuary::net
