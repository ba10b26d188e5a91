#pragma once
// What the TLS server and client share: owners for OpenSSL's handles, certificates, channel bindings, errors as text.
#include <string>
#include <vector>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "estuary/base/bytes.h"
#include "estuary/base/handle.h"
#include "estuary/base/result.h"
#include "estuary/crypto/key.h"
#include "estuary/http/message.h"

namespace estuary::net {

inline void free_certificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }

inline constexpr int security_level = 2;    // 112 bits: RSA 2048, no SHA-1
inline constexpr int verify_depth_max = 8;  // the deepest PKI known has four levels

using SslPtr = Handle<SSL, SSL_free>;
using SslContextPtr = Handle<SSL_CTX, SSL_CTX_free>;
using CertificatePtr = Handle<X509, X509_free>;
using CertificatesPtr = Handle<STACK_OF(X509), free_certificates>;
using StorePtr = Handle<X509_STORE, X509_STORE_free>;
using StoreContextPtr = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;

/// Empties this thread's queue of library errors into one line.
std::string take_library_errors();

Result<CertificatePtr> read_certificate(Bytes der);
Result<CertificatesPtr> read_certificates(const std::vector<ByteVec>& ders);
ByteVec der_of(const X509* certificate);
std::vector<ByteVec> ders_of(const STACK_OF(X509) * certificates);

/// The options that both ends share: TLS 1.2 with ECDHE and AEAD, TLS 1.3, security level 2, no resumption, no
/// renegotiation, buffers freed while idle. `ciphers`: for TLS 1.2; empty for the default.
Result<SslContextPtr> new_tls_context(const SSL_METHOD* method, const std::string& ciphers);
/// Puts the end entity's chain and key in; an error if they do not belong together.
Result<void> use_identity(SSL_CTX& context, const std::vector<ByteVec>& chain, const crypto::PrivateKey& key);

/// A store of trust anchors of which any may end a chain, also an intermediate (RFC 5280 6.1.1 d leaves that to us).
Result<StorePtr> anchor_store(const std::vector<ByteVec>& anchors);

/// Every certificate between end entity and anchor must be a CA by its basicConstraints (RFC 5280 6.1.4 k); the
/// library alone would let some old forms pass.
bool issuers_are_cas(const STACK_OF(X509) * chain);

/// tls-unique (RFC 5929 section 3) and tls-exporter (RFC 9266) of an established session.
http::ChannelBindings channel_bindings(SSL& ssl);

}  // namespace estuary::net
