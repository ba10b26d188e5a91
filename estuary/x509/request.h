#pragma once
// Certification requests (PKCS #10, RFC 2986).
#include "estuary/x509/certificate.h"

namespace estuary::x509 {

struct Attribute {
    der::Oid type;
    std::vector<ByteVec> values;  ///< whole DER elements
};

struct RequestFields;

/// A certification request whose proof of possession was checked: there is no other way to get one.
class SignedRequest {
public:
    /// DER: strict, version 0, no trailing octets, attributes unique by type, signature verified. malformed / too_large: syntax;
    /// unsupported / bad_key: algorithm or key; bad_proof: the signature does not verify or uses MD5/SHA-1 (bad_key).
    static Result<SignedRequest> parse(Bytes der);

    Bytes der() const noexcept;
    const Name& subject() const noexcept;
    Bytes spki() const noexcept;
    const crypto::PublicKey& public_key() const noexcept;
    const std::vector<Attribute>& attributes() const noexcept;
    const Attribute* attribute(const der::Oid& type) const noexcept;
    /// extensionRequest (RFC 2985 5.4.2); empty if absent.
    const std::vector<Extension>& extensions() const noexcept;
    /// SAN of the requested extensions; empty if absent.
    const std::vector<GeneralName>& subject_alt_names() const noexcept;
    /// challengePassword (RFC 2985 5.4.1) as text; nothing if absent.
    const std::optional<std::string>& challenge_password() const noexcept;
    crypto::Sha256 fingerprint() const;  ///< SHA-256 of the DER

private:
    friend class CertificationRequest;
    explicit SignedRequest(std::shared_ptr<const RequestFields> fields) : fields_{std::move(fields)} {}
    std::shared_ptr<const RequestFields> fields_;
};

/// ChangeSubjectName (RFC 6402 2.8): SEQUENCE { subject Name OPTIONAL, subjectAlt GeneralNames OPTIONAL }, one of them present.
/// Both have the tag of a SEQUENCE; what is inside tells them apart (SETs or context tags).
struct ChangeSubjectName {
    std::optional<Name> subject;
    std::vector<GeneralName> subject_alt;
};
/// A DirectoryString value of a single-valued attribute (otpChallenge, estIdentityLinking …), nothing if absent.
Result<std::optional<std::string>> directory_string_attribute(const std::vector<Attribute>& attributes, const der::Oid& type);

/// Makes a request. Attributes are written in DER SET OF order.
struct RequestTemplate {
    Name subject;
    std::vector<Extension> extensions;  ///< becomes one extensionRequest
    std::vector<Attribute> attributes;  ///< others
};
Result<ByteVec> make_request(const RequestTemplate& wanted, const crypto::PrivateKey& key);
/// CertificationRequestInfo in DER, for a key with this SubjectPublicKeyInfo: what is signed.
Result<ByteVec> encode_request_info(const RequestTemplate& wanted, Bytes spki);
/// challengePassword attribute with the given text (PrintableString where it can, UTF8String otherwise).
Attribute make_challenge_password(std::string_view text);
Attribute make_directory_string_attribute(const der::Oid& type, std::string_view text);
Attribute make_change_subject_name(const ChangeSubjectName& value);

}  // namespace estuary::x509
