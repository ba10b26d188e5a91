#pragma once
// One-way functions of PasswordBasedMac and DHBasedMac, and keys made from what they give (RFC 9810 5.1.3.1 and 5.1.3.2).
#include <string_view>

#include "estuary/asn1/der.h"
#include "estuary/crypto/secret.h"

namespace estuary::crypto {

/// The next element, an AlgorithmIdentifier of a digest: SHA-2, SHA-3, or SHA-1, which is for the caller to judge. By OpenSSL name.
/// unsupported, malformed.
Result<std::string_view> read_one_way_function(der::Reader& reader);
/// Its AlgorithmIdentifier, parameters absent (RFC 5754 2). unsupported.
Result<ByteVec> encode_one_way_function(std::string_view digest);

/// BASEKEY made as long as a MAC needs its key: cut, or lengthened with OWF("1" || BASEKEY), OWF("2" || BASEKEY) and so on.
Result<Secret> expand_base_key(std::string_view digest, const Secret& base_key, std::size_t octets);

}  // namespace estuary::crypto
