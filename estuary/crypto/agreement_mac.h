#pragma once
// MACs keyed with what two static keys agree on: DHBasedMac (RFC 9810 5.1.3.2), and those of static ECDH proof of possession
// (RFC 6955 6).
#include "estuary/crypto/key.h"
#include "estuary/crypto/mac.h"

namespace estuary::crypto {

namespace oid {
inline constexpr der::Oid dh_based_mac{"1.2.840.113533.7.66.30"};
}

/// One of them, as an AlgorithmIdentifier names it.
struct AgreementMac {
    enum class Kind : std::uint8_t { dh_based_mac, static_ecdh };
    Kind kind{};
    std::string_view digest;  ///< makes the MAC's key of what is agreed on; by OpenSSL name
    MacAlgorithm mac;
};

/// By the OID of a whole AlgorithmIdentifier; its parameters may still be wrong.
bool is_agreement_mac(Bytes algorithm_identifier) noexcept;
/// DHBMParameter ::= SEQUENCE { owf AlgorithmIdentifier, mac AlgorithmIdentifier }; ecdhPop-static has no parameters, or NULL. SHA-1 is for
/// the caller to judge. malformed; unsupported: another algorithm, or GMAC.
Result<AgreementMac> read_agreement_mac(Bytes algorithm_identifier);
/// Whole AlgorithmIdentifiers: digests and MACs by the names of one_way_function.h and mac.h; static ECDH with HMAC of the same digest,
/// "SHA224", "SHA256", "SHA384" or "SHA512". unsupported.
Result<ByteVec> encode_dh_based_mac(std::string_view digest, std::string_view mac);
Result<ByteVec> encode_static_ecdh(std::string_view digest);

/// The MAC's key: digest(leading | ZZ | trailing); DHBasedMac has nothing around ZZ. Errors as agree().
Result<Secret> agreement_mac_key(const AgreementMac& algorithm, const PrivateKey& own, const PublicKey& other, Bytes leading = {},
                                 Bytes trailing = {});

}  // namespace estuary::crypto
