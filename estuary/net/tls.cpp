#include "estuary/net/tls.h"

#include <array>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace estuary::net {
namespace {

// The AEAD suites with forward secrecy of TLS 1.2 (RFC 9325 4.2); those of TLS 1.3 are the library's own.
constexpr const char* default_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::string_view exporter_label = "EXPORTER-Channel-Binding";
constexpr std::size_t exporter_octets = 32;

}  // namespace

std::string take_library_errors() {
    std::string out;
    while (const auto code = ERR_get_error()) {
        std::array<char, 256> line{};
        ERR_error_string_n(code, line.data(), line.size());
        if (!out.empty()) out += "; ";
        out += line.data();
    }
    return out;
}

Result<CertificatePtr> read_certificate(Bytes der) {
    ERR_clear_error();
    const auto* at = der.data();
    CertificatePtr certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (!certificate || at != der.data() + der.size()) {
        return fail(Code::malformed, "not a certificate in DER", take_library_errors());
    }
    return certificate;
}

Result<CertificatesPtr> read_certificates(const std::vector<ByteVec>& ders) {
    CertificatesPtr out{sk_X509_new_null()};
    for (const auto& der : ders) {
        ESTUARY_TRY(auto certificate, read_certificate(der));
        if (sk_X509_push(out.get(), certificate.get()) > 0) (void)certificate.release();
    }
    return out;
}

ByteVec der_of(const X509* certificate) {
    const int size = i2d_X509(certificate, nullptr);
    if (size <= 0) return {};
    ByteVec out(static_cast<std::size_t>(size));
    auto* at = out.data();
    i2d_X509(certificate, &at);
    return out;
}

std::vector<ByteVec> ders_of(const STACK_OF(X509) * certificates) {
    std::vector<ByteVec> out;
    for (int i = 0; certificates != nullptr && i < sk_X509_num(certificates); ++i)
        out.push_back(der_of(sk_X509_value(certificates, i)));
    return out;
}

Result<SslContextPtr> new_tls_context(const SSL_METHOD* method, const std::string& ciphers) {
    ERR_clear_error();
    SslContextPtr context{SSL_CTX_new(method)};
    if (!context) return fail(Code::internal, "TLS is not available", take_library_errors());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_security_level(context.get(), security_level);
    SSL_CTX_set_options(context.get(),
                        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(context.get(), 1);  // one read a record, not two
    SSL_CTX_set_verify_depth(context.get(), verify_depth_max);
    if (SSL_CTX_set_cipher_list(context.get(), ciphers.empty() ? default_ciphers : ciphers.c_str()) != 1)
        return fail(Code::malformed, "no TLS 1.2 cipher of the list is known: " + ciphers, take_library_errors());
    return context;
}

Result<void> use_identity(SSL_CTX& context, const std::vector<ByteVec>& chain, const crypto::PrivateKey& key) {
    if (chain.empty()) return fail(Code::malformed, "TLS identity: no certificate");
    auto certificates = read_certificates(chain);
    if (!certificates) return fail(in_context("TLS identity", certificates.error()));
    ERR_clear_error();
    auto* end_entity = sk_X509_value(certificates->get(), 0);
    if (SSL_CTX_use_certificate(&context, end_entity) != 1)
        return fail(Code::bad_key, "TLS identity: the certificate cannot be used (key too small, or weak signature)",
                    take_library_errors());
    for (int i = 1; i < sk_X509_num(certificates->get()); ++i)
        if (SSL_CTX_add1_chain_cert(&context, sk_X509_value(certificates->get(), i)) != 1)
            return fail(Code::bad_key, "TLS identity: a certificate of the chain cannot be used", take_library_errors());
    if (SSL_CTX_use_PrivateKey(&context, key.handle()) != 1 || SSL_CTX_check_private_key(&context) != 1)
        return fail(Code::conflict, "TLS identity: the key does not belong to the certificate", take_library_errors());
    return {};
}

Result<StorePtr> anchor_store(const std::vector<ByteVec>& anchors) {
    StorePtr store{X509_STORE_new()};
    for (const auto& der : anchors) {
        auto certificate = read_certificate(der);
        if (!certificate) return fail(in_context("trust anchor", certificate.error()));
        X509_STORE_add_cert(store.get(), certificate->get());
    }
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    return store;
}

bool issuers_are_cas(const STACK_OF(X509) * chain) {
    for (int i = 1; i + 1 < sk_X509_num(chain); ++i)
        if (X509_check_ca(sk_X509_value(chain, i)) != 1) return false;
    return true;
}

http::ChannelBindings channel_bindings(SSL& ssl) {
    http::ChannelBindings out;
    const bool tls_1_3 = SSL_version(&ssl) >= TLS1_3_VERSION;
    if (!tls_1_3) {
        // The first Finished of the latest handshake is the client's: there is no resumption and no renegotiation here.
        out.tls_unique.resize(EVP_MAX_MD_SIZE);
        out.tls_unique.resize(SSL_is_server(&ssl) == 1 ? SSL_get_peer_finished(&ssl, out.tls_unique.data(), out.tls_unique.size())
                                                       : SSL_get_finished(&ssl, out.tls_unique.data(), out.tls_unique.size()));
    }
    // RFC 9266 section 2: only where master secrets are unique, so on TLS 1.2 with RFC 7627 alone; the context is of
    // length zero, which on TLS 1.2 is not the same as none.
    if (tls_1_3 || SSL_get_extms_support(&ssl) == 1) {
        out.tls_exporter.resize(exporter_octets);
        const std::uint8_t no_context = 0;
        if (SSL_export_keying_material(&ssl, out.tls_exporter.data(), out.tls_exporter.size(), exporter_label.data(),
                                       exporter_label.size(), &no_context, 0, 1) != 1) {
            ERR_clear_error();
            out.tls_exporter.clear();
        }
    }
    return out;
}

}  // namespace estuary::net
