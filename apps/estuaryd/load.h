#pragma once
// From a configuration to the parts that serve: CAs with their keys, the authority's configuration, the TLS identity.
// Each fault is told with the place in the configuration that named the file.
#include "apps/estuaryd/config_table.h"
#include "estuary/authority/authority.h"
#include "estuary/net/server.h"

namespace estuary::daemon {

/// Everything that the authority needs, or faults; the ways to CAs above are still to be wired (upstream_cas.h). `now` decides what has expired (warnings, too, for what soon will).
std::optional<authority::Config> load_authority(const Configuration& configuration, const crypto::Secret* passphrase,
                                                Time now, Faults& faults);

/// One CA; its certificates checked against key, chain and time.
std::optional<authority::CaConfig> load_ca(const CaSection& section, const crypto::Secret* passphrase, Time now,
                                           Faults& faults);

/// A private key from a file that nobody else may read, or from a key store by URI.
Result<crypto::PrivateKey> load_key(const std::string& path_or_uri, const crypto::Secret* passphrase);

/// A certificate and its key as they lie there; the error names the file.
struct CertificateAndKey {
    std::vector<x509::Certificate> chain;   ///< end entity first
    crypto::PrivateKey key;
};
Result<CertificateAndKey> load_certificate_and_key(const std::filesystem::path& certificate, const std::filesystem::path& key,
                                                   const crypto::Secret* passphrase);
/// Those of [tls].
Result<CertificateAndKey> load_server_certificate(const TlsSection& section, const crypto::Secret* passphrase);

/// What listeners present and accept. Links to former roots of the issuing CA join the chain.
net::TlsIdentity tls_identity(const TlsSection& section, const std::vector<authority::CaConfig>& cas,
                              const std::vector<authority::ManufacturerAnchors>& manufacturers,
                              const CertificateAndKey& certificate);

/// When a certificate is due for renewal, or a person should be warned: a third of its lifetime is left.
Time renewal_time(const x509::Certificate& certificate);

}  // namespace estuary::daemon
