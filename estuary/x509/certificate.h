#pragma once
// Certificates as DER with their fields found (RFC 5280 4.1), and certificates to be signed.
#include <memory>

#include "estuary/crypto/key.h"
#include "estuary/x509/extension.h"

namespace estuary::x509 {

/// A parsed certificate: owns its DER, fields are views into it. Parsing is strict DER and cheap (no OpenSSL objects).
/// Copies share.
class Certificate {
public:
    /// Strict DER, version 3 (or 1, as some trust anchors are), both signature algorithms alike; keyUsage, extKeyUsage,
    /// basicConstraints and the key identifiers well-formed. Critical extensions of any kind are kept: path validation
    /// judges them. malformed, too_large (over 256 KiB; serial number over 20 octets), unsupported (other versions).
    static Result<Certificate> parse(Bytes der);
    /// One PEM CERTIFICATE, or DER.
    static Result<Certificate> from_bytes(Bytes pem_or_der);

    Bytes der() const noexcept;
    Bytes tbs() const noexcept;            ///< the signed octets
    Bytes serial_number() const noexcept;  ///< INTEGER content octets
    std::string serial_hex() const;        ///< lower case, without a leading 00
    const Name& issuer() const noexcept;
    const Name& subject() const noexcept;
    Time not_before() const noexcept;
    Time not_after() const noexcept;
    Bytes spki() const noexcept;
    Bytes signature_algorithm() const noexcept;  ///< whole AlgorithmIdentifier
    Bytes signature() const noexcept;
    const std::vector<Extension>& extensions() const noexcept;

    Result<std::vector<GeneralName>> subject_alt_names() const;  ///< empty if the extension is absent
    std::optional<std::uint32_t> key_usage() const;
    std::vector<der::Oid> ext_key_usage() const;
    /// Whether that purpose is named; an absent extension or anyExtendedKeyUsage does not count.
    bool has_ext_key_usage(const der::Oid& purpose) const;
    bool is_ca() const;
    std::optional<std::uint32_t> path_length() const;  ///< pathLenConstraint, if there is one
    /// Null if the extension is absent; an error if it cannot be read (then nothing below may be taken for permitted).
    const Result<NameConstraints>* name_constraints() const noexcept;
    std::optional<ByteVec> subject_key_id() const;
    std::optional<ByteVec> authority_key_id() const;
    bool is_self_issued() const { return issuer().matches(subject()); }

    Result<crypto::PublicKey> public_key() const;
    /// Only the signature, by that key; no path validation.
    Result<void> verify_signed_by(const crypto::PublicKey& issuer_key) const;
    std::string sha256_fingerprint() const;  ///< hexadecimal, upper case, colons

    std::string to_pem() const;
    bool operator==(const Certificate& other) const { return same(der(), other.der()); }

private:
    struct Fields;
    std::shared_ptr<const Fields> fields_;
};

/// Every certificate of a PEM text, or one in DER.
Result<std::vector<Certificate>> parse_certificates(Bytes pem_or_der);

/// The next element, which must be an AlgorithmIdentifier; the whole of it.
Result<Bytes> read_algorithm_identifier(der::Reader& reader);

/// What is to be signed; serialised by encode_tbs. `signature_algorithm` is the issuer's.
struct TbsCertificate {
    ByteVec serial_number;        ///< big-endian, positive, at most 20 octets
    ByteVec signature_algorithm;  ///< whole AlgorithmIdentifier
    Name issuer;
    Time not_before{}, not_after{};  ///< inclusive (bug class 21)
    Name subject;
    ByteVec spki;
    std::vector<Extension> extensions;
};
ByteVec encode_tbs(const TbsCertificate& tbs);
/// SEQUENCE { tbs, algorithm, signature }.
ByteVec encode_certificate(Bytes tbs, Bytes signature_algorithm, Bytes signature);

/// What the lint found: each names its rule and the section.
struct LintFinding {
    std::string rule;  ///< "rfc5280_4_1_2_2_serial_positive"
    std::string message;
};
/// Checks the exact to-be-signed octets against RFC 5280 (serial, validity with the 2050 rule, encodings, criticality,
/// key usage against key kind, AKI/SKI, SAN when the subject is empty, duplicate extensions, CA bits), and against its issuer
/// (issuer name byte for byte, validity within the issuer's, name constraints, path length). `issuer` is null for a self-signed
/// root. Empty: nothing wrong. Cheap: no OpenSSL objects, no key parsing.
std::vector<LintFinding> lint_tbs(Bytes tbs, const Certificate* issuer);
/// The names of all rules, in the order in which they are checked.
std::vector<std::string_view> lint_rule_names();

}  // namespace estuary::x509
