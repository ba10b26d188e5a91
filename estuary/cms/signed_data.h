#pragma once
// SignedData (RFC 5652 5): read, verified signer by signer, and made. Who may sign, and whether a certificate is to be
// trusted, is the caller's to decide: nothing here looks at more than signatures and digests.
#include <memory>
#include <optional>

#include "estuary/cms/attribute.h"
#include "estuary/cms/content_info.h"
#include "estuary/cms/identifier.h"

namespace estuary::cms {

/// One signer. Octets are views into the SignedData that it came from.
struct SignerInfo {
    Identifier identifier;
    Algorithm digest_algorithm;
    std::optional<Attributes> signed_attributes;  ///< nothing: the signature is over the content itself
    Algorithm signature_algorithm;
    Bytes signature;
    Attributes unsigned_attributes;  ///< what anybody could have put there
    Bytes whole;

    /// signingTime among the signed attributes: what the signer claims. malformed.
    Result<std::optional<Time>> signing_time() const;
};

/// A parsed SignedData: owns its DER. Copies share.
class SignedData {
public:
    /// A ContentInfo in strict DER (for BER see to_der). Versions 1 to 3 with X.509 certificates and CRLs; SignerInfo of version
    /// 1 by issuer and serial number, of version 3 by key identifier; attributes are not empty, no type twice, and contentType,
    /// messageDigest and signingTime are signed or not there (RFC 5652 11). malformed, too_large; unsupported: attribute
    /// certificates, other certificate and revocation formats, other content types than signedData.
    static Result<SignedData> parse(Bytes content_info, const Limits& limits = {});

    Bytes der() const noexcept;
    unsigned version() const noexcept;
    const der::Oid& content_type() const noexcept;     ///< eContentType
    std::optional<Bytes> content() const noexcept;     ///< octets of eContent; nothing: detached, or none at all
    const std::vector<x509::Certificate>& certificates() const noexcept;  ///< in the order of the message
    const std::vector<Bytes>& crls() const noexcept;                      ///< whole CertificateLists, not looked into
    const std::vector<der::Oid>& digest_algorithms() const noexcept;
    const std::vector<SignerInfo>& signers() const noexcept;

    /// The first certificate of the message that the signer names; null if there is none.
    const x509::Certificate* certificate_of(const SignerInfo& signer) const noexcept;

private:
    struct Fields;
    std::shared_ptr<const Fields> fields_;
};

struct VerifyOptions {
    std::optional<Bytes> detached_content = {};  ///< given if and only if the message has none
    /// Without signed attributes a signature can be carried over to other content that looks like attributes
    /// (draft-vangeest-lamps-cms-euf-cma, bug class 17), so somebody has to want that.
    bool signed_attributes_required = true;
};

/// Whether `key` made this signature over this content (RFC 5652 5.4, 5.6): contentType and messageDigest are there and right,
/// the digest algorithm is listed and the one of the signature (RFC 8933), the signature is over the DER of the attributes as
/// SET OF, CMSAlgorithmProtection (RFC 6211) says the same if it is there.
/// bad_proof: something of that is not so; malformed, unsupported; bad_key: weak algorithms.
Result<void> verify_signer(const SignedData& data, const SignerInfo& signer, const crypto::PublicKey& key,
                           const VerifyOptions& options = {});
/// The same by the key of a certificate, which the signer must name.
Result<void> verify_signer(const SignedData& data, const SignerInfo& signer, const x509::Certificate& certificate,
                           const VerifyOptions& options = {});

/// Who signs, as who, and with which attributes beside contentType and messageDigest.
struct Signer {
    crypto::PrivateKey key;
    Identifier identifier;
    Attributes signed_attributes = {};
    Attributes unsigned_attributes = {};
};

/// Makes a SignedData. Octets and certificates given stay the caller's and must outlive build().
class SignedDataBuilder {
public:
    /// Without content: a bag of certificates and CRLs (certs-only, crls-only: RFC 5272 4.1, RFC 7030 4.1.3).
    SignedDataBuilder() = default;
    SignedDataBuilder(const der::Oid& content_type, Bytes content) : content_type_{content_type}, content_{content} {}

    SignedDataBuilder& detached() { return detached_ = true, *this; }
    SignedDataBuilder& certificate(Bytes der) { return certificates_.push_back(der), *this; }
    SignedDataBuilder& crl(Bytes der) { return crls_.push_back(der), *this; }
    SignedDataBuilder& signer(Signer signer) { return signers_.push_back(std::move(signer)), *this; }

    /// ContentInfo in DER; the certificates and CRLs sorted as a SET OF is. bad_key: a key that does not sign; malformed: an
    /// attribute twice, or a signer without content; whatever PrivateKey::sign gives.
    Result<ByteVec> build() const;

private:
    Result<ByteVec> signer_info(const Signer& signer) const;

    der::Oid content_type_ = oid::data;
    std::optional<Bytes> content_;
    bool detached_ = false;
    std::vector<Bytes> certificates_, crls_;
    std::vector<Signer> signers_;
};

}  // namespace estuary::cms
