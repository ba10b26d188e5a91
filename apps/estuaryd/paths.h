#pragma once
// Where things are in a data directory.
#include <string_view>

namespace estuary::daemon::paths {

inline constexpr std::string_view configuration = "estuary.toml";
inline constexpr std::string_view database = "estuary.db";
inline constexpr std::string_view lock = ".lock";
inline constexpr std::string_view ca = "ca";                        ///< a link to the current generation
inline constexpr std::string_view server_certificate = "tls/server.pem";
inline constexpr std::string_view server_key = "tls/server.key";
inline constexpr std::string_view crl = "crl";                      ///< revocation lists, as relying parties fetch them
inline constexpr std::string_view ocsp = "ocsp";                    ///< keys and certificates of the OCSP responder
inline constexpr std::string_view cmc = "cmc";                      ///< keys and certificates of who answers CMC
inline constexpr std::string_view cmp = "cmp";                      ///< keys and certificates of the CMP server
inline constexpr std::string_view password_key = "secrets/password.key";

}  // namespace estuary::daemon::paths
