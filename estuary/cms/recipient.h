#pragma once
// RecipientInfo (RFC 5652 6.2): the five ways in which the content-encryption key gets across. Octets are views into the message.
#include <optional>
#include <variant>
#include <vector>

#include "estuary/cms/content_info.h"
#include "estuary/cms/identifier.h"
#include "estuary/crypto/secret.h"

namespace estuary::cms {

/// ktri: encrypted with the recipient's RSA key.
struct KeyTransport {
    Identifier recipient;
    Algorithm encryption;
    Bytes encrypted_key;
};

/// kari: wrapped with a key that an ephemeral key and the recipient's agree on. One for each RecipientEncryptedKey.
struct KeyAgreement {
    Algorithm originator_algorithm;  ///< of the ephemeral key
    Bytes originator_key;            ///< its octets
    std::optional<Bytes> ukm;        ///< user keying material
    Algorithm encryption;            ///< the scheme; its parameters are the key wrap
    Identifier recipient;
    Bytes encrypted_key;
};

/// kekri: wrapped with a key that both sides had before.
struct SharedKeyWrap {
    Bytes key_identifier;
    Algorithm encryption;
    Bytes encrypted_key;
};

/// pwri: wrapped with a key derived from a password.
struct PasswordWrap {
    std::optional<Algorithm> derivation;
    Algorithm encryption;
    Bytes encrypted_key;
};

/// ori with a KEMRecipientInfo (RFC 9629 3): wrapped with a key that was encapsulated to the recipient's.
struct KeyEncapsulation {
    Identifier recipient;
    Algorithm kem;
    Bytes ciphertext;
    Algorithm derivation;
    std::size_t kek_octets = 0;
    std::optional<Bytes> ukm;
    Algorithm wrap;
    Bytes encrypted_key;
};

/// Somebody else's, made in a way that is not done here: other ori, static originator keys.
struct UnknownRecipient {};

using Recipient = std::variant<KeyTransport, KeyAgreement, SharedKeyWrap, PasswordWrap, KeyEncapsulation, UnknownRecipient>;

/// RecipientInfos ::= SET SIZE (1..MAX) OF RecipientInfo. malformed, too_large.
Result<std::vector<Recipient>> read_recipients(der::Reader set, const Limits& limits);

/// The wrapped key that is in it, of `key_octets` octets if the message is right. An error says what a peer may know, for it
/// follows from the message alone (unsupported, malformed, too_large), or is bad_proof, which is only to be logged.
Result<crypto::Secret> unwrap(const KeyTransport& recipient, const crypto::PrivateKey& key, std::size_t key_octets);
Result<crypto::Secret> unwrap(const KeyAgreement& recipient, const crypto::PrivateKey& key);
Result<crypto::Secret> unwrap(const KeyEncapsulation& recipient, const crypto::PrivateKey& key);
Result<crypto::Secret> unwrap(const SharedKeyWrap& recipient, const crypto::Secret& shared_key);
Result<crypto::Secret> unwrap(const PasswordWrap& recipient, const crypto::Secret& password, const Limits& limits);

/// Whole RecipientInfos in DER.
enum class RsaPadding { pkcs1, oaep };
Result<ByteVec> make_key_transport(const crypto::PublicKey& key, const Identifier& recipient, RsaPadding padding,
                                   Bytes content_key);
Result<ByteVec> make_key_agreement(const crypto::PublicKey& key, const Identifier& recipient, Bytes content_key);
Result<ByteVec> make_key_encapsulation(const crypto::PublicKey& key, const Identifier& recipient, Bytes content_key);
Result<ByteVec> make_shared_key_wrap(const crypto::Secret& shared_key, Bytes key_identifier, Bytes content_key);
Result<ByteVec> make_password_wrap(const crypto::Secret& password, std::uint64_t iterations, Bytes content_key);

}  // namespace estuary::cms
