#pragma once
// Signers of answers, checked and with everything ready that does not change from answer to answer. Inside this room only.
#include "estuary/ocsp/responder.h"

namespace estuary::ocsp {

struct PreparedSigner {
    x509::Certificate certificate;
    crypto::PrivateKey key;
    const crypto::SignatureAlgorithm* algorithm = nullptr;
    ByteVec public_key_algorithm;  ///< whole AlgorithmIdentifier of its key
    ByteVec responder_id;          ///< byKey
    ByteVec certificates;          ///< whole certs [0]; empty where the CA itself signs

    bool is_valid_at(Time time) const { return certificate.not_before() <= time && time < certificate.not_after(); }
    /// Whether a requester's wish is met by this key.
    bool meets(const PreferredAlgorithm& wish) const;
    /// Signs ResponseData: the whole OCSPResponse.
    Result<ByteVec> sign(Bytes response_data) const;
};

/// Checks that the signer may answer for the issuer (RFC 6960 4.2.2.2) and holds the key of its certificate: policy, bad_key.
Result<PreparedSigner> prepare_signer(const Signer& signer, const Issuer& issuer);

}  // namespace estuary::ocsp
