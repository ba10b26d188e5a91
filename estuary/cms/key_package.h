#pragma once
// Private keys on their way: PKCS#8, and AsymmetricKeyPackage in SignedData in EnvelopedData (RFC 5958, RFC 7030 4.4.2).
#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/signed_data.h"

namespace estuary::cms {

/// PrivateKeyInfo in DER, unencrypted: what application/pkcs8 carries. bad_key: the key does not leave its token.
Result<crypto::Secret> encode_private_key(const crypto::PrivateKey& key);
/// PrivateKeyInfo or OneAsymmetricKey (version 0 or 1); attributes are passed over, a public key must be the private one's.
Result<crypto::PrivateKey> decode_private_key(Bytes der);

/// AsymmetricKeyPackage ::= SEQUENCE SIZE (1..MAX) OF OneAsymmetricKey, with one key (RFC 5958 2), and the way back: malformed
/// if there is not exactly one.
Result<crypto::Secret> encode_key_package(const crypto::PrivateKey& key);
Result<crypto::PrivateKey> decode_key_package(Bytes der);

/// AsymmetricKeyPackage with one key, signed by who made it: a bare SignedData, to be the content of
/// EnvelopedDataBuilder{oid::signed_data, …}. `certificates` go along for the signer's.
Result<crypto::Secret> sign_key_package(const crypto::PrivateKey& key, const Signer& signer,
                                        const std::vector<Bytes>& certificates);

/// The way back: content of an EnvelopedData that has been opened, a SignedData bare or (as some send it) in a ContentInfo.
Result<SignedData> parse_inner_signed_data(Bytes content, const Limits& limits = {});
/// The key inside. The caller has verified the signer first. unsupported: another content type than
/// id-ct-KP-aKeyPackage; malformed: not exactly one key.
Result<crypto::PrivateKey> key_of_package(const SignedData& package);

}  // namespace estuary::cms
