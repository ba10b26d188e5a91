#pragma once
// certHash (RFC 9810 5.3.18, RFC 9481 3): by which digest a certificate is confirmed.
#include <optional>

#include "estuary/x509/certificate.h"

namespace estuary::cmp {

/// The hash of the whole certificate: by `hash_alg` (a whole AlgorithmIdentifier) if that is given; otherwise by the digest of the
/// certificate's own signature, SHA-512 for Ed25519, SHAKE256 (64 octets) for Ed448. unsupported: the signature algorithm names
/// no digest, so hashAlg is needed; bad_key: a weak one.
Result<ByteVec> cert_hash(const x509::Certificate& certificate, const std::optional<ByteVec>& hash_alg = {});

}  // namespace estuary::cmp
