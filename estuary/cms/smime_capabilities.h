#pragma once
// SMIMECapabilities (RFC 8551 2.5.2): what a recipient can read, and what follows for who encrypts to it (RFC 7030 4.4.1).
#include "estuary/cms/recipient.h"

namespace estuary::cms {

/// SMIMECapability ::= SEQUENCE { capabilityID OBJECT IDENTIFIER, parameters ANY DEFINED BY capabilityID OPTIONAL }
struct Capability {
    der::Oid oid;
    ByteVec parameters = {};  ///< whole element; empty: absent

    bool operator==(const Capability&) const = default;
};
/// In the order of preference.
using Capabilities = std::vector<Capability>;

/// malformed; too_large: more than 64.
Result<Capabilities> parse_capabilities(Bytes der);
ByteVec encode_capabilities(const Capabilities& capabilities);

/// What the holder of such a key can open here: key encryption and content encryption, the strongest first.
Capabilities capabilities_of(const crypto::PublicKey& key);
Capabilities capabilities_of_shared_key(std::size_t key_octets);

/// How to encrypt to a recipient.
struct Encipherment {
    std::string_view cipher;                 ///< of the content: AES in CBC mode
    RsaPadding padding = RsaPadding::oaep;   ///< of RSA key transport
};
/// Such that the key encryption is one that the recipient listed, in its order, and the content-encryption key is as strong as
/// the recipient's (RFC 7030 4.4.2), or the strongest that it listed. Key agreement and key encapsulation may be listed as a
/// scheme, with or without its key wrap as parameter, or by the key wrap alone. unsupported: nothing listed fits this key.
Result<Encipherment> encipherment_for(const Capabilities& capabilities, const crypto::PublicKey& key);
/// The same for a shared key of 16, 24 or 32 octets.
Result<Encipherment> encipherment_for_shared_key(const Capabilities& capabilities, std::size_t key_octets);

}  // namespace estuary::cms
