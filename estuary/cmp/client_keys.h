#pragma once
// What comes encrypted: certificates, challenges and private keys (RFC 9810 5.2.2, 5.2.8.3, RFC 9483 4.1.6); inside of the client.
#include "estuary/cmp/client_check.h"

namespace estuary::cmp {

/// An encryptedCert, opened with the private key of what it certifies.
Result<x509::Certificate> open_certificate(const x509::crmf::EncryptedKey& encrypted, const crypto::PrivateKey& key);

/// The INTEGER of a Challenge, content octets. Nothing but a Rand of this sender that goes with the witness is ever given back
/// (RFC 9810 8.2): who sends something else to have it decrypted gets nothing. unsupported: a Challenge of cmp2000, which is not
/// EnvelopedData.
Result<ByteVec> open_challenge(const Challenge& challenge, Bytes owf, const x509::GeneralName& sender, const crypto::PrivateKey& key);

/// A private key made by the authority: EnvelopedData for the signer's certificate or the secret, in it SignedData by a key
/// generation authority, in it an AsymmetricKeyPackage. Its signer must be a CA or have id-kp-cmKGA, and have a path to an anchor;
/// after a MAC, where there are no anchors, the MAC alone vouches for it (RFC 9483 4.1.6). `proof` is of the message. With an
/// `encryption_key` the EnvelopedData is for that one (RFC 4211 6.6).
Result<crypto::PrivateKey> open_generated_key(const x509::crmf::EncryptedKey& encrypted, const ClientConfig& config,
                                              const AnswerProof& proof, const std::vector<x509::Certificate>& others, Time now,
                                              const crypto::PrivateKey* encryption_key = nullptr);

}  // namespace estuary::cmp
