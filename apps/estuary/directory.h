#pragma once
// The directory of one enrolled identity. The files change together or not at all:
//   DIR/current            -> generations/N   (a symbolic link, replaced by rename)
//   DIR/key.pem            -> current/key.pem, likewise cert.pem, chain.pem (certificate and intermediates) and anchors.pem
//   DIR/generations/N/     key.pem, cert.pem, chain.pem, anchors.pem, enrollment.json; the last two generations are kept
//   DIR/pending/           key.pem, request.der, enrollment.json: an enrollment that waits for approval
//   DIR/revocation.kept    a revocation that waits (CMP)
#include <filesystem>
#include <optional>

#include "estuary/base/clock.h"
#include "estuary/crypto/key.h"
#include "estuary/x509/certificate.h"

namespace estuary::client {

/// With what a key that the server made is opened; paths, or the URI of a key. All empty: it comes under TLS alone.
struct KeyDecryption {
    std::string certificate, certificate_key;   ///< the key's file may be the certificate's
    std::string shared_key;
    bool given() const noexcept { return !certificate.empty() || !shared_key.empty(); }
};

/// What a renewal must know of the enrollment: written beside the key.
struct EnrollmentState {
    std::string url;              ///< base URL with label: https://host:8443/.well-known/est/label
    bool system_trust = false;    ///< the server was known by the system's CA certificates
    std::string key_source;       ///< a path or URI of the person's own key (--key); empty: key.pem here
    bool server_key = false;      ///< the server made the key (RFC 7030 4.4)
    KeyDecryption decryption{};
    bool awaits_server_key = false;   ///< of a request that waits: it is one for a key, too
    std::string protocol{};           ///< empty: EST; "cmp": CMP, and the URL is where its messages go
    std::string request_type{};       ///< of a request that waits, by CMP: "ir", "cr", "kur" or "p10cr"
    bool by_cmp() const noexcept { return protocol == "cmp"; }
    std::string to_json() const;
    static Result<EnrollmentState> from_json(std::string_view text);
};

struct Identity {
    EnrollmentState state;
    crypto::PrivateKey key;
    x509::Certificate certificate;
    std::vector<x509::Certificate> chain;     ///< certificate first, without the root
    std::vector<x509::Certificate> anchors;
};

/// A request that was accepted but not yet answered: asked again, octet for octet.
struct PendingEnrollment {
    EnrollmentState state;
    std::optional<crypto::PrivateKey> key;   ///< nothing: the authority makes it (CMP)
    ByteVec request;                         ///< by CMP: the operation, as cmp::ClientTransaction::save() gives it
};

class Directory {
public:
    explicit Directory(std::filesystem::path path) : path_{std::move(path)} {}
    const std::filesystem::path& path() const noexcept { return path_; }

    bool holds_identity() const;
    Result<Identity> load() const;
    /// Writes a new generation, flushes it, and makes it the current one.
    Result<void> save(const Identity& identity);

    Result<std::optional<PendingEnrollment>> load_pending() const;
    Result<void> save_pending(const PendingEnrollment& pending);
    void clear_pending();

private:
    std::filesystem::path path_;
};

}  // namespace estuary::client
