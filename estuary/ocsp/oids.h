#pragma once
// Object identifiers of OCSP (RFC 6960 appendix B).
#include "estuary/asn1/oid.h"

namespace estuary::ocsp::oid {

using der::Oid;

inline constexpr Oid basic{"1.3.6.1.5.5.7.48.1.1"};
inline constexpr Oid nonce{"1.3.6.1.5.5.7.48.1.2"};
inline constexpr Oid crl{"1.3.6.1.5.5.7.48.1.3"};
inline constexpr Oid response{"1.3.6.1.5.5.7.48.1.4"};
inline constexpr Oid archive_cutoff{"1.3.6.1.5.5.7.48.1.6"};
inline constexpr Oid service_locator{"1.3.6.1.5.5.7.48.1.7"};
inline constexpr Oid pref_sig_algs{"1.3.6.1.5.5.7.48.1.8"};
inline constexpr Oid extended_revoke{"1.3.6.1.5.5.7.48.1.9"};

// Hash algorithms of CertID
inline constexpr Oid sha1{"1.3.14.3.2.26"};
inline constexpr Oid sha256{"2.16.840.1.101.3.4.2.1"};
inline constexpr Oid sha384{"2.16.840.1.101.3.4.2.2"};
inline constexpr Oid sha512{"2.16.840.1.101.3.4.2.3"};

}  // namespace estuary::ocsp::oid
