#pragma once
// Object identifiers of the Cryptographic Message Syntax, spelled as their RFCs spell them.
#include "estuary/asn1/oid.h"

namespace estuary::cms::oid {

using der::Oid;

// Content types (RFC 5652, RFC 5083, RFC 5958)
inline constexpr Oid data{"1.2.840.113549.1.7.1"};
inline constexpr Oid signed_data{"1.2.840.113549.1.7.2"};
inline constexpr Oid enveloped_data{"1.2.840.113549.1.7.3"};
inline constexpr Oid auth_enveloped_data{"1.2.840.113549.1.9.16.1.23"};
inline constexpr Oid asymmetric_key_package{"2.16.840.1.101.2.1.2.78.5"};  ///< id-ct-KP-aKeyPackage

// Attributes (RFC 5652 11, RFC 6211)
inline constexpr Oid content_type{"1.2.840.113549.1.9.3"};
inline constexpr Oid message_digest{"1.2.840.113549.1.9.4"};
inline constexpr Oid signing_time{"1.2.840.113549.1.9.5"};
inline constexpr Oid countersignature{"1.2.840.113549.1.9.6"};
inline constexpr Oid local_key_id{"1.2.840.113549.1.9.21"};  ///< RFC 2985 5.5.2
inline constexpr Oid algorithm_protection{"1.2.840.113549.1.9.52"};

// Keys and their encryption (RFC 3370, RFC 4055, RFC 3565, RFC 5753, RFC 8418, RFC 9629)
inline constexpr Oid rsa_encryption{"1.2.840.113549.1.1.1"};
inline constexpr Oid rsaes_oaep{"1.2.840.113549.1.1.7"};
inline constexpr Oid mgf1{"1.2.840.113549.1.1.8"};
inline constexpr Oid p_specified{"1.2.840.113549.1.1.9"};
inline constexpr Oid rsassa_pss{"1.2.840.113549.1.1.10"};
inline constexpr Oid pwri_kek{"1.2.840.113549.1.9.16.3.9"};
inline constexpr Oid pbkdf2{"1.2.840.113549.1.5.12"};
inline constexpr Oid ori_kem{"1.2.840.113549.1.9.16.13.3"};

// Digests (RFC 3370, RFC 5754)
inline constexpr Oid sha1{"1.3.14.3.2.26"};
inline constexpr Oid sha256{"2.16.840.1.101.3.4.2.1"};

}  // namespace estuary::cms::oid
