#pragma once
// Content-encryption algorithms: AES-CBC for EnvelopedData (RFC 3565), AES-GCM for AuthEnvelopedData (RFC 5084), and three-key
// triple DES of old peers, to read only.
#include "estuary/cms/content_info.h"
#include "estuary/crypto/secret.h"

namespace estuary::cms {

struct ContentCipher {
    der::Oid oid;
    std::string_view name;      ///< as people and OpenSSL write it: "AES-256-CBC"
    std::size_t key_octets = 0;
    std::size_t iv_octets = 0;
    bool authenticated = false;  ///< GCM: for AuthEnvelopedData, and never for EnvelopedData
    bool legacy = false;         ///< only read, and only if the caller allows it
};

/// By name; null if it is none of ours.
const ContentCipher* content_cipher(std::string_view name);

/// A cipher with its parameters, as an AlgorithmIdentifier states them.
struct CipherUse {
    const ContentCipher* cipher = nullptr;
    ByteVec iv;
    std::size_t tag_octets = 0;  ///< GCM: 12 to 16
};
/// CBC: the IV as OCTET STRING; GCM: GCMParameters { aes-nonce, aes-ICVlen INTEGER DEFAULT 12 }. malformed, unsupported.
Result<CipherUse> read_content_cipher(const Algorithm& algorithm);
/// A fresh IV, or nonce.
CipherUse fresh(const ContentCipher& cipher);
ByteVec encode(const CipherUse& use);

}  // namespace estuary::cms
