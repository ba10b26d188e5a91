#pragma once
// Message authentication codes by AlgorithmIdentifier: HMAC, KMAC and AES-GMAC (RFC 9481 6.2, RFC 9044, RFC 9045 4.4).
#include <string_view>

#include "estuary/asn1/oid.h"
#include "estuary/base/result.h"
#include "estuary/crypto/secret.h"

namespace estuary::crypto {

/// A MAC algorithm as an AlgorithmIdentifier names it, with its parameters read.
struct MacAlgorithm {
    enum class Kind : std::uint8_t { hmac, kmac, gmac };
    Kind kind{};
    std::string_view name;       ///< "HMAC-SHA256", "KMAC-128", "AES-128-GMAC"
    der::Oid oid;
    std::string_view primitive;  ///< HMAC: digest, KMAC: function, GMAC: cipher, by OpenSSL name
    std::size_t octets = 0;      ///< of the code
    std::size_t key_octets = 0;  ///< of a key that is made for it; GMAC takes no other
    ByteVec customization = {};  ///< KMAC: customizationString
    ByteVec nonce = {};          ///< GMAC

    /// Stands as a MAC, but only old peers need it.
    bool is_hmac_sha1() const { return name == "HMAC-SHA1"; }
};

/// Reads an AlgorithmIdentifier. HMACs have NULL parameters or none (RFC 4231 3.1). GMAC has a nonce of 8 to 64 octets and codes
/// of 16 (RFC 9045 4.4). KMAC has 256 or 512 bits of output and no customization string unless its parameters say so (RFC 8702
/// 3.4). malformed; unsupported: other algorithms, shorter codes.
Result<MacAlgorithm> read_mac_algorithm(Bytes algorithm_identifier);
/// "HMAC-SHA256" (-SHA224, -SHA384, -SHA512, -SHA1), "KMAC-128", "KMAC-256", "AES-128-GMAC" (-192-, -256-; the nonce is fresh).
/// A whole AlgorithmIdentifier in DER; unsupported.
Result<ByteVec> encode_mac_algorithm(std::string_view name);

/// The code over `data`. bad_key: an empty key, or one that KMAC or GMAC does not take; unsupported where the library lacks it.
Result<ByteVec> compute_mac(const MacAlgorithm& algorithm, Bytes key, Bytes data);
/// Compares in constant time. As above, and bad_proof: the code is another.
Result<void> verify_mac(const MacAlgorithm& algorithm, Bytes key, Bytes data, Bytes mac);

}  // namespace estuary::crypto
