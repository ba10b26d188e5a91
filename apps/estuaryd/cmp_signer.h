#pragma once
// Who signs CMP's answers, and the keys that are made for others: keys and certificates of the server's own, one of each a CA; and its agreement keys.
#include "apps/estuaryd/own_certificate.h"
#include "estuary/cmp/server.h"

namespace estuary::daemon {

/// Profiles of these certificates are named so, with the CA's name; not for configuration files.
inline constexpr std::string_view cmp_profile_prefix = "estuaryd-cmp:";
inline constexpr std::string_view key_generator_profile_prefix = "estuaryd-kga:";

inline constexpr std::string_view agreement_profile_prefix = "estuaryd-dh:";

/// id-kp-cmcCA (RFC 9810 4.5): it speaks for the CA.
authority::Profile cmp_profile(const std::string& ca, const std::string& key_type);
/// id-kp-cmKGA: it vouches for keys.
authority::Profile key_generator_profile(const std::string& ca, const std::string& key_type);

/// A static key that agrees with those of clients (RFC 9810 5.1.3.2), and does nothing else.
authority::Profile agreement_profile(const std::string& ca, const std::string& key_type);

/// DIR/cmp/BASE.pem and .key.
OwnCertificate cmp_signer(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                          const std::string& key_type);
/// DIR/cmp/BASE-kga.pem and .key.
OwnCertificate key_generator(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                             const std::string& key_type);
/// DIR/cmp/BASE-dh.pem and .key.
OwnCertificate agreement_key(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                             const std::string& key_type);

}  // namespace estuary::daemon
