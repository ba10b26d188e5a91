#pragma once
// What is asked for, whatever the syntax: PKCS #10 (RFC 2986), CRMF (RFC 4211), or one of these for a key that is made here.
// Policy looks at this and at nothing else of a request.
#include "estuary/x509/request.h"

namespace estuary::x509 {

/// How possession of the private key was shown.
enum class Possession : std::uint8_t {
    signature,               ///< by a signature of the key's own, verified
    registration_authority,  ///< a registration authority vouches for it (raVerified: RFC 4211 4, lraPOPWitness: RFC 5272 6.7)
    decryption,              ///< by decrypting: a challenge, or what is issued is of use only to who can (RFC 4211 4.2)
    generated_here,          ///< the key is made by the authority itself (RFC 7030 4.4)
    key_agreement,           ///< by a MAC with what the key and one of the verifier's agree on, verified (RFC 4211 4.3)
};
std::string_view to_string(Possession possession) noexcept;

/// A request with its proof of possession checked by whoever made this. Copies share.
class CertificationRequest {
public:
    /// PKCS #10: its signature was verified by SignedRequest.
    CertificationRequest(const SignedRequest& request);  // NOLINT(google-explicit-constructor): a request is a request

    struct Parts {
        ByteVec der;                         ///< the octets that were sent: they identify the request when it is repeated
        Name subject;
        ByteVec spki;                        ///< SubjectPublicKeyInfo, DER
        std::vector<Extension> extensions;
        std::vector<Attribute> attributes;   ///< of PKCS #10; CRMF has none
        Possession possession = Possession::signature;
        std::optional<Time> not_before, not_after;   ///< the validity that is wished for (OptionalValidity, RFC 4211 5)
    };
    /// malformed: a subjectAltName that is none; unsupported, bad_key: a key that is not read here.
    static Result<CertificationRequest> make(Parts parts);
    /// The parts again, for a request that a registration authority changes (RFC 5272 6.5).
    Parts parts() const;
    /// The same request for a key that is made here.
    Result<CertificationRequest> for_generated_key(Bytes spki) const;

    Bytes der() const noexcept;
    const Name& subject() const noexcept;
    Bytes spki() const noexcept;
    const crypto::PublicKey& public_key() const noexcept;
    const std::vector<Attribute>& attributes() const noexcept;
    const Attribute* attribute(const der::Oid& type) const noexcept;
    const std::vector<Extension>& extensions() const noexcept;
    const std::vector<GeneralName>& subject_alt_names() const noexcept;  ///< of the extensions; empty if absent
    Possession possession() const noexcept;
    std::optional<Time> not_before() const noexcept;
    std::optional<Time> not_after() const noexcept;

private:
    explicit CertificationRequest(std::shared_ptr<const RequestFields> fields) : fields_{std::move(fields)} {}
    std::shared_ptr<const RequestFields> fields_;
};

/// A PKCS #10 for a key that is made elsewhere (RFC 7030 4.4.1): its own key and its signature prove nothing and are passed over,
/// whatever they are. `spki` of the result is the request's, a SEQUENCE that need hold no key. malformed, too_large.
Result<CertificationRequest::Parts> parse_request_without_key(Bytes der);

/// What a PKCS #10 request says, its signature not looked at: its possession is decryption, for the caller to see through. For
/// requests with id-alg-noSignature (RFC 5272 C.1), to find the key that a message is signed with, and where a MAC is the signature.
struct UnprovenRequest {
    CertificationRequest::Parts parts;
    ByteVec signature_algorithm;             ///< whole AlgorithmIdentifier
    ByteVec signed_octets, signature;
};
Result<UnprovenRequest> parse_unproven(Bytes pkcs10);

/// ChangeSubjectName (RFC 6402 2.8) among the attributes. Nothing if it is absent.
Result<std::optional<ChangeSubjectName>> change_subject_name(const CertificationRequest& request);

}  // namespace estuary::x509
