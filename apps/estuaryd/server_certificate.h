#pragma once
// The server's own TLS certificate: issued by our own CA through the same policy and signer as any other.
#include "apps/estuaryd/config.h"
#include "estuary/authority/authority.h"

namespace estuary::daemon {

/// The profile of estuaryd's own certificate; not for configuration files.
inline constexpr std::string_view own_profile_name = "estuaryd";
authority::Profile own_profile(const TlsSection& tls);

/// Why the certificate must be made anew: missing, unreadable, of another key, for other hosts, of a former CA, or a third of
/// its lifetime left. Nothing: it is good. policy: it is none of ours, and must not be overwritten.
Result<std::optional<std::string>> why_renew(const TlsSection& tls, const authority::Authority& authority,
                                     const crypto::Secret* passphrase, Time now);

/// A new key and certificate; committed to the store before the files change.
Result<void> issue_server_certificate(const TlsSection& tls, authority::Authority& authority, store::Store& store,
                                      const crypto::Secret* passphrase);

}  // namespace estuary::daemon
