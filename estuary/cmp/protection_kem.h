#pragma once
// KEM-based message protection (RFC 9810 5.1.3.4): a MAC keyed with what was encapsulated to the sender's KEM key. KEMs are those
// of crypto/key_transport.h.
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/protection.h"

namespace estuary::cmp {

/// KemBMParameter ::= SEQUENCE { kdf AlgorithmIdentifier, kemContext [0] OCTET STRING OPTIONAL, len INTEGER (1..MAX),
///                               mac AlgorithmIdentifier }
struct KemBmParameter {
    ByteVec kdf;                        ///< whole AlgorithmIdentifier
    std::optional<ByteVec> kem_context;
    std::size_t len = 0;                ///< octets that the KDF makes
    ByteVec mac;                        ///< whole AlgorithmIdentifier
    bool operator==(const KemBmParameter&) const = default;

    /// From a whole AlgorithmIdentifier of id-KemBasedMac. malformed, unsupported; too_large: len past 128, context past 1024 octets.
    static Result<KemBmParameter> parse(Bytes protection_alg);
    /// That AlgorithmIdentifier.
    ByteVec encode() const;
};

/// KemOtherInfo ::= SEQUENCE { staticString PKIFreeText, transactionID OCTET STRING, kemContext [0] OCTET STRING OPTIONAL }
ByteVec encode_kem_other_info(Bytes transaction_id, const std::optional<ByteVec>& kem_context);

/// A shared secret of a KEM and the transaction that it is for: the transactionID of the message that had the ciphertext. Copies
/// share.
class KemSession {
public:
    /// For the other side's key: its ciphertext goes into generalInfo or a genp. Fresh for every transaction (RFC 9810 8.8).
    /// bad_key: not a KEM key; unsupported where the library lacks it.
    struct Offer;
    static Result<Offer> offer(const crypto::PublicKey& key, Bytes transaction_id);
    /// From the ciphertext, with one's own key. bad_proof (badMessageCheck): it does not fit; malformed: for another KEM.
    static Result<KemSession> accept(const crypto::PrivateKey& key, const KemCiphertextInfo& info, Bytes transaction_id);
    /// From a shared secret that is known otherwise.
    KemSession(crypto::Secret shared, Bytes transaction_id);
    /// To be kept until the other side's messages come; sealed, for it is as good as their sender's key.
    const crypto::Secret& shared_secret() const noexcept;

    /// By who has the KEM key. unsupported: no such MAC.
    Result<Protector> protector(std::string_view mac = "HMAC-SHA256") const;
    /// By who has made the offer. Errors as verify_mac_protection(). bad_key: len shorter than 16 octets, or not the MAC's.
    Result<void> verify(Bytes protection_alg, Bytes protected_part, Bytes protection) const;

private:
    struct State;
    std::shared_ptr<const State> state_;
};

struct KemSession::Offer {
    KemCiphertextInfo info;
    KemSession session;
};

}  // namespace estuary::cmp
