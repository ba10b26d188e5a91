#pragma once
// Degenerate SignedData: a bag of certificates (RFC 5652 5.1, RFC 5272 4.1 "certs-only").
#include <vector>

#include "estuary/x509/certificate.h"

namespace estuary::cms {

/// ContentInfo with SignedData of version 1, no digest algorithms, no content, no signers; certificates in the given order
/// (a SET OF in DER order as strict peers need: sorted by encoding). Octets as `openssl crl2pkcs7 -nocrl` reads them.
ByteVec encode_certs_only(const std::vector<Bytes>& certificates);

/// The certificates of a SignedData, at most `count_max`. Signers and CRLs (RFC 7030 4.2.3 wants none) are read and passed over,
/// no signature is verified. Strict DER, and errors, as SignedData::parse has them.
Result<std::vector<x509::Certificate>> parse_certs_only(Bytes der, std::size_t count_max = 64);

}  // namespace estuary::cms
