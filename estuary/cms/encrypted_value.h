#pragma once
// EncryptedValue of CRMF (RFC 4211 6.4), which EnvelopedData replaced: for peers that speak CMP version 2 only (RFC 9810 5.2.2).
#include "estuary/cms/enveloped_data.h"
#include "estuary/x509/crmf_controls.h"

namespace estuary::cms {

/// The value, opened with an RSA key: keyAlg is PKCS#1 v1.5 or OAEP, symmAlg AES in CBC mode (or triple DES, see `options`).
/// Errors are those of EnvelopedData::open(), and malformed where a field is missing. CBC protects nothing: see there.
Result<crypto::Secret> open_encrypted_value(const x509::crmf::EncryptedValue& value, const crypto::PrivateKey& key,
                                            const OpenOptions& options = {});
/// `content` for the holder of an RSA key: AES-256-CBC, its key by PKCS#1 v1.5 (what such peers have). bad_key: not an RSA key.
Result<x509::crmf::EncryptedValue> make_encrypted_value(Bytes content, const crypto::PublicKey& key);

}  // namespace estuary::cms
