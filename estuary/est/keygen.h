#pragma once
// Keys made by the server (RFC 7030 4.4): what a request says of how the private key is to come, and the answer's two parts.
#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/smime_capabilities.h"
#include "estuary/est/messages.h"
#include "estuary/http/message.h"

namespace estuary::est {

inline constexpr std::string_view media_multipart = "multipart/mixed";
inline constexpr std::string_view media_pkcs8 = "application/pkcs8";
inline constexpr std::string_view media_generated_key = "application/pkcs7-mime; smime-type=server-generated-key";
inline constexpr std::string_view smime_generated_key = "server-generated-key";

namespace oid {
inline constexpr der::Oid decrypt_key_identifier{"1.2.840.113549.1.9.16.2.37"};             ///< RFC 4108 2.2.5
inline constexpr der::Oid asymmetric_decrypt_key_identifier{"1.2.840.113549.1.9.16.2.54"};  ///< RFC 7030 4.4.1.2
inline constexpr der::Oid smime_capabilities{"1.2.840.113549.1.9.15"};                      ///< RFC 2985 5.6
}  // namespace oid

/// How a client wants its private key: as it is under TLS, or encrypted with a key that it names.
struct KeyDelivery {
    std::optional<ByteVec> shared_key;      ///< DecryptKeyIdentifier
    std::optional<ByteVec> certified_key;   ///< AsymmetricDecryptKeyIdentifier
    cms::Capabilities capabilities;         ///< SMIMECapabilities

    bool encrypted() const noexcept { return shared_key || certified_key; }
};
/// malformed: an attribute that is not what its type says, both keys at once, or a key without SMIMECapabilities: whoever wants
/// encryption gets it, or nothing (RFC 7030 4.4.1).
Result<KeyDelivery> key_delivery_of(const std::vector<x509::Attribute>& attributes);
/// The way back: what goes into a request.
std::vector<x509::Attribute> key_delivery_attributes(const KeyDelivery& delivery);

/// What the client can open a private key or a package with; nothing of it: a key is to come as it is, under TLS alone.
struct KeyOpener {
    std::optional<cms::KeyHolder> holder;   ///< with its certificate
    std::optional<cms::SharedKey> shared;

    bool expects_encryption() const noexcept { return holder || shared; }
    /// With one of them, which must be there. The errors of EnvelopedData::open().
    Result<crypto::Secret> open(const cms::EnvelopedData& message) const {
        return shared ? message.open(*shared) : message.open(*holder);
    }
};

/// A private key on its way: PrivateKeyInfo, or EnvelopedData.
struct KeyPart {
    bool encrypted = false;
    crypto::Secret der;
};
/// 200 with the key part first and the certificate behind it (RFC 7030 4.4.2). The octets are wiped when the answer goes.
http::Response write_key_answer(const KeyPart& key, const x509::Certificate& certificate);

struct KeyAnswer {
    KeyPart key;
    std::vector<x509::Certificate> certificates;
};
/// The two parts, in either order. malformed: anything else.
Result<KeyAnswer> read_key_answer(std::string_view media_type, std::string_view body);

}  // namespace estuary::est
