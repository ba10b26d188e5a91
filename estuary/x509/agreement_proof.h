#pragma once
// Possession of a key for key agreement, shown by a MAC: keyed with what that key and a static one of the verifier's agree on (RFC 4211
// 4.3, RFC 9810 5.2.8.2, RFC 6955 6). The verifier tells its certificate beforehand.
#include "estuary/x509/certification_request.h"

namespace estuary::x509 {

/// The verifier's own static key, and the certificate by which others know it.
struct AgreementKey {
    Certificate certificate;
    crypto::PrivateKey key;
};

/// How such a proof is made.
enum class AgreementAlgorithm : std::uint8_t {
    dh_based_mac,  ///< RFC 9810 5.1.3.2; for every key that agrees
    static_ecdh,   ///< ecdhPop-static (RFC 6955 6), the only one for PKCS #10; for EC keys
};
struct AgreementProof {
    ByteVec algorithm;  ///< whole AlgorithmIdentifier
    ByteVec value;      ///< octets of the BIT STRING: the MAC, or a DhSigStatic in DER (RFC 6955 4.1)
};

/// The proof for `own` over `text`, that the holder of `recipient` can check; digest and HMAC go with the size of the key. bad_key: keys
/// that do not agree; unsupported: not for this kind of key, or a certificate without subject or issuer name.
Result<AgreementProof> make_agreement_proof(AgreementAlgorithm algorithm, Bytes text, const crypto::PrivateKey& own,
                                            const Certificate& recipient);
/// Checks the proof for `other` over `text`, the MAC in constant time. bad_proof: it is wrong, made for another certificate than that of
/// `own`, or the keys are of different kinds; bad_key: SHA-1, or a point of small order; unsupported; malformed.
Result<void> verify_agreement_proof(Bytes algorithm_identifier, Bytes text, Bytes value, const AgreementKey& own,
                                    const crypto::PublicKey& other);

/// Whether it is a PKCS #10 whose signature says that it is such a proof.
bool is_agreement_request(Bytes pkcs10);
/// Such a request, checked. Errors as SignedRequest::parse() and verify_agreement_proof().
Result<CertificationRequest> parse_agreement_request(Bytes pkcs10, const AgreementKey& own);
/// Makes one.
Result<ByteVec> make_agreement_request(const RequestTemplate& wanted, const crypto::PrivateKey& key, const Certificate& recipient);

}  // namespace estuary::x509
