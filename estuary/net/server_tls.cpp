#include "estuary/net/server_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace estuary::net {
namespace {

/// The list alone; its certificates belong to others.
void free_list_only(STACK_OF(X509) * certificates) { sk_X509_free(certificates); }

constexpr std::string_view http_1_1 = "http/1.1";

/// RFC 7301: http/1.1 where the client offers it; otherwise the handshake goes on without a choice, since some devices
/// offer odd names and speak HTTP/1.1 all the same.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned offered_size,
                    void*) {
    for (unsigned at = 0; at < offered_size;) {
        const unsigned size = offered[at];
        if (size > offered_size - at - 1) break;
        if (as_text({offered + at + 1, size}) == http_1_1) {
            *out = offered + at + 1;
            *out_size = static_cast<unsigned char>(size);
            return SSL_TLSEXT_ERR_OK;
        }
        at += 1 + size;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

/// Verifies a client's chain and notes the outcome in the context, but never ends the handshake: an enrolling device may
/// show an expired or a foreign certificate, and whoever needs a verified one looks at Peer::client_verified.
int verify_client(X509_STORE_CTX* context, void* intermediates) {
    // Certificates that cannot authenticate a TLS client by their extended key usage still name a device (RFC 7030 3.3.2
    // leaves it to the EST server), so the purpose is any; CA bits are checked all the same.
    X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(context), X509_PURPOSE_ANY);
    auto* sent = X509_STORE_CTX_get0_untrusted(context);
    const auto* ours = static_cast<const STACK_OF(X509)*>(intermediates);
    Handle<STACK_OF(X509), free_list_only> both{sent != nullptr ? sk_X509_dup(sent) : sk_X509_new_null()};
    for (int i = 0; both && i < sk_X509_num(ours); ++i) sk_X509_push(both.get(), sk_X509_value(ours, i));
    if (both) X509_STORE_CTX_set0_untrusted(context, both.get());
    const bool verified = X509_verify_cert(context) == 1;
    X509_STORE_CTX_set0_untrusted(context, sent);
    if (verified && !issuers_are_cas(X509_STORE_CTX_get0_chain(context)))
        X509_STORE_CTX_set_error(context, X509_V_ERR_INVALID_CA);
    if (!verified && X509_STORE_CTX_get_error(context) == X509_V_OK) X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
    ERR_clear_error();
    return 1;
}

}  // namespace

Result<void> ServerTls::ask_for_client_certificates(const TlsIdentity& identity) {
    ESTUARY_TRY(auto store, anchor_store(identity.client_anchors));
    for (const auto& der : identity.client_anchors) {
        ESTUARY_TRY(auto anchor, read_certificate(der));
        SSL_CTX_add_client_CA(context_.get(), anchor.get());
    }
    SSL_CTX_set_cert_store(context_.get(), store.release());
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_PARTIAL_CHAIN);
    ESTUARY_TRY(intermediates_, read_certificates(identity.client_intermediates));
    SSL_CTX_set_cert_verify_callback(context_.get(), verify_client, intermediates_.get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    return {};
}

Result<std::shared_ptr<const ServerTls>> ServerTls::create(const TlsIdentity& identity) {
    std::shared_ptr<ServerTls> out{new ServerTls};
    ESTUARY_TRY(out->context_, new_tls_context(TLS_server_method(), identity.ciphers));
    ESTUARY_CHECK(use_identity(*out->context_, identity.chain, identity.key));
    SSL_CTX_set_alpn_select_cb(out->context_.get(), select_protocol, nullptr);
    if (identity.ask_for_client_certificate) ESTUARY_CHECK(out->ask_for_client_certificates(identity));
    return std::shared_ptr<const ServerTls>{std::move(out)};
}

void describe_peer(SSL& ssl, http::Peer& peer) {
    peer.tls = true;
    peer.tls_version = SSL_get_version(&ssl);
    const auto* end_entity = SSL_get0_peer_certificate(&ssl);
    if (end_entity == nullptr) return;
    const auto result = SSL_get_verify_result(&ssl);
    peer.client_verified = result == X509_V_OK;
    if (peer.client_verified) {
        peer.client_chain = ders_of(SSL_get0_verified_chain(&ssl));
        return;
    }
    peer.client_verify_error = X509_verify_cert_error_string(result);
    peer.client_chain.push_back(der_of(end_entity));
    // On a server this list is without the end entity.
    for (auto& der : ders_of(SSL_get_peer_cert_chain(&ssl))) peer.client_chain.push_back(std::move(der));
}

}  // namespace estuary::net
