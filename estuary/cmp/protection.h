#pragma once
// Protection of messages: the algorithms (RFC 9810 5.1.3, RFC 9481 3 and 6). Everything here is over ProtectedPart in DER, as
// PkiMessage::protected_part() or encode_protected_part() gives it; whose key or secret it is, is for the caller to know.
#include <functional>

#include "estuary/cmp/messages.h"
#include "estuary/crypto/password_mac.h"

namespace estuary::cmp {

/// What protectionAlg asks the receiver to have.
enum class ProtectionKind : std::uint8_t {
    signature,        ///< the sender's public key (5.1.3.3)
    password_mac,     ///< a shared secret: PBMAC1 or PasswordBasedMac (5.1.3.1)
    shared_key_mac,   ///< a shared key, used as it is: HMAC, KMAC (RFC 9481 6.2)
    diffie_hellman,   ///< two static Diffie-Hellman keys: DHBasedMac (5.1.3.2)
    kem_mac,          ///< the sender's KEM key, and what was encapsulated to it: KemBasedMac (5.1.3.4), see protection_kem.h
};
/// By the OID of a whole AlgorithmIdentifier. unsupported (PKIFailureInfo badAlg): none of these; malformed.
Result<ProtectionKind> protection_kind(Bytes protection_alg);

/// What is put up with, before anything is computed (bug class 30).
struct ProtectionLimits {
    crypto::PasswordMacLimits password = {};
    /// A MAC without derivation falls to whoever guesses a weak secret; only for secrets that are keys.
    bool shared_key_macs = false;
    /// DHBasedMac needs static keys and nobody sends it; only where it was agreed on.
    bool diffie_hellman = false;
};

// Verifying. bad_proof (badMessageCheck): the protection is wrong; bad_key, unsupported, too_large (badAlg): the algorithm is
// weak, unknown, not allowed, does not go with the key, or asks for too much; malformed. MACs are compared in constant time.

Result<void> verify_signature_protection(Bytes protection_alg, Bytes protected_part, Bytes protection,
                                         const crypto::PublicKey& key);
/// PBMAC1 and PasswordBasedMac, and if `limits` say so a MAC keyed with the secret itself.
Result<void> verify_mac_protection(Bytes protection_alg, Bytes protected_part, Bytes protection, const crypto::Secret& secret,
                                   const ProtectionLimits& limits = {});
/// DHBMParameter ::= SEQUENCE { owf, mac }: keyed with OWF of what `own` and `other` agree on.
Result<void> verify_diffie_hellman_protection(Bytes protection_alg, Bytes protected_part, Bytes protection,
                                              const crypto::PrivateKey& own, const crypto::PublicKey& other,
                                              const ProtectionLimits& limits = {});

/// Protects the messages of one side of a transaction. Copies share.
class Protector {
public:
    /// By the key's usual signature algorithm, never MD5 or SHA-1. bad_key: a key that does not sign.
    static Result<Protector> with_key(const crypto::PrivateKey& key);
    /// By a password-based MAC. bad_key: an empty secret; unsupported: no such algorithm, or GMAC, which would repeat its nonce.
    static Result<Protector> with_secret(const crypto::Secret& secret, const crypto::PasswordMacChoice& choice = {});
    /// With the parameters of a message of the transaction that was verified, as RFC 9810 5.1.3.1 recommends: the peer may keep
    /// the key that it derived. Errors as verify_mac_protection(). In place of GMAC, HMAC-SHA256 with a fresh salt.
    static Result<Protector> with_secret_like(const crypto::Secret& secret, Bytes protection_alg,
                                              const ProtectionLimits& limits = {});

    /// For protectionAlg: it is part of what is protected, so it comes first.
    Bytes algorithm() const noexcept { return algorithm_; }
    /// The octets of PKIProtection.
    Result<ByteVec> protect(Bytes protected_part) const { return compute_(protected_part); }
    /// The whole PKIMessage; protectionAlg is put into the header.
    Result<ByteVec> protect(PkiHeader header, const PkiBody& body, const std::vector<Bytes>& extra_certs = {}) const;

private:
    friend class KemSession;
    using Compute = std::function<Result<ByteVec>(Bytes)>;
    Protector(ByteVec algorithm, Compute compute) : algorithm_{std::move(algorithm)}, compute_{std::move(compute)} {}

    ByteVec algorithm_;
    Compute compute_;
};

}  // namespace estuary::cmp
