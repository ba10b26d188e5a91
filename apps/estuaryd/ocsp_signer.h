#pragma once
// The delegated OCSP responder of a CA (RFC 6960 4.2.2.2): a key and certificate of its own, renewed by itself.
#include "apps/estuaryd/own_certificate.h"

namespace estuary::daemon {

/// Profiles of OCSP signers are named so, with the CA's name; not for configuration files.
inline constexpr std::string_view ocsp_profile_prefix = "estuaryd-ocsp:";
authority::Profile ocsp_profile(const std::string& ca, const std::string& key_type);

/// DIR/ocsp/BASE.pem and .key. `base` tells generations of a CA apart.
OwnCertificate ocsp_signer(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                           const std::string& key_type);

}  // namespace estuary::daemon
