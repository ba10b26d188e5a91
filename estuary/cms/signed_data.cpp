// Reading SignedData; verifying is in signed_data_verify.cpp, making in signed_data_build.cpp.
#include "estuary/cms/signed_data.h"

#include <fmt/format.h>

namespace estuary::cms {
namespace {

using der::Reader;
using der::Tag;

constexpr std::int64_t version_max = 3;  // 4 and 5 stand for attribute certificates and other formats

tl::unexpected<Error> malformed_signed_data(std::string detail) {
    return fail(Code::malformed, "SignedData: " + std::move(detail));
}
tl::unexpected<Error> too_many(std::string_view what, std::size_t limit) {
    return fail(Code::too_large, fmt::format("SignedData: more than {} {}", limit, what));
}

/// DigestAlgorithmIdentifiers ::= SET OF DigestAlgorithmIdentifier. Only what they are counts here.
Result<std::vector<der::Oid>> read_digest_algorithms(Reader set, std::size_t count_max) {
    std::vector<der::Oid> oids;
    while (!set.empty()) {
        if (oids.size() == count_max) return too_many("digest algorithms", count_max);
        ESTUARY_TRY(const auto algorithm, read_algorithm(set));
        oids.push_back(algorithm.oid);
    }
    return oids;
}

/// CertificateSet ::= SET OF CertificateChoices; only `certificate` is one that can be used here.
Result<std::vector<x509::Certificate>> read_certificates(Reader set, std::size_t count_max) {
    std::vector<x509::Certificate> certificates;
    while (!set.empty()) {
        if (certificates.size() == count_max) return too_many("certificates", count_max);
        if (!set.next_is(Tag::sequence)) return fail(Code::unsupported, "SignedData: certificate of another format than X.509");
        ESTUARY_TRY(const auto element, set.any());
        auto certificate = x509::Certificate::parse(element.whole);
        if (!certificate) {
            const auto where = fmt::format("SignedData: certificate {}", certificates.size() + 1);
            return fail(in_context(where, std::move(certificate).error()));
        }
        certificates.push_back(std::move(*certificate));
    }
    return certificates;
}

/// RevocationInfoChoices ::= SET OF CHOICE { crl CertificateList, other [1] IMPLICIT OtherRevocationInfoFormat }
Result<std::vector<Bytes>> read_crls(Reader set, std::size_t count_max) {
    std::vector<Bytes> crls;
    while (!set.empty()) {
        if (crls.size() == count_max) return too_many("CRLs", count_max);
        if (!set.next_is(Tag::sequence))
            return fail(Code::unsupported, "SignedData: revocation information of another format than a CRL");
        ESTUARY_TRY(const auto element, set.any());
        crls.push_back(element.whole);
    }
    return crls;
}

Result<std::optional<Attributes>> read_attributes_if(Reader& fields, unsigned number, const Limits& limits,
                                                     const der::Oid& repeatable) {
    ESTUARY_TRY(const auto set, fields.enter_if(der::context_constructed(number)));
    if (!set) return std::nullopt;
    ESTUARY_TRY(auto attributes, read_attributes(*set, limits, repeatable));
    if (attributes.empty()) return malformed_signed_data("attributes that are there, but empty");  // SET SIZE (1..MAX)
    return attributes;
}

/// Where the attributes of RFC 5652 11 may be.
Result<void> check_places(const SignerInfo& signer) {
    for (const auto* type : {&oid::content_type, &oid::message_digest, &oid::signing_time, &oid::algorithm_protection})
        if (find(signer.unsigned_attributes, *type) != nullptr)
            return malformed_signed_data(fmt::format("attribute {} must be signed", type->dotted()));
    if (signer.signed_attributes && find(*signer.signed_attributes, oid::countersignature) != nullptr)
        return malformed_signed_data("a countersignature must not be signed");
    return {};
}

/// SignerInfo ::= SEQUENCE { version CMSVersion, sid SignerIdentifier, digestAlgorithm DigestAlgorithmIdentifier,
///     signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL, signatureAlgorithm SignatureAlgorithmIdentifier,
///     signature OCTET STRING, unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }   -- RFC 5652 5.3
Result<SignerInfo> read_signer(Reader& set, const Limits& limits) {
    const auto before = set.rest();
    ESTUARY_TRY(auto fields, set.enter(Tag::sequence));
    SignerInfo signer;
    signer.whole = before.first(before.size() - set.rest().size());
    ESTUARY_TRY(const auto version, fields.integer());
    ESTUARY_TRY(signer.identifier, Identifier::read(fields));
    if (version != (signer.identifier.is_by_key() ? 3 : 1))
        return malformed_signed_data(fmt::format("SignerInfo of version {}", version));
    ESTUARY_TRY(signer.digest_algorithm, read_algorithm(fields));
    ESTUARY_TRY(signer.signed_attributes, read_attributes_if(fields, 0, limits, {}));
    ESTUARY_TRY(signer.signature_algorithm, read_algorithm(fields));
    ESTUARY_TRY(signer.signature, fields.octet_string());
    ESTUARY_TRY(auto unsigned_attributes, read_attributes_if(fields, 1, limits, oid::countersignature));
    if (unsigned_attributes) signer.unsigned_attributes = std::move(*unsigned_attributes);
    ESTUARY_CHECK(fields.finish("SignerInfo"));
    ESTUARY_CHECK(check_places(signer));
    return signer;
}

Result<std::vector<SignerInfo>> read_signers(Reader set, const Limits& limits) {
    std::vector<SignerInfo> signers;
    while (!set.empty()) {
        if (signers.size() == limits.signers_max) return too_many("signers", limits.signers_max);
        ESTUARY_TRY(auto signer, read_signer(set, limits));
        signers.push_back(std::move(signer));
    }
    return signers;
}

}  // namespace

struct SignedData::Fields {
    Fields() = default;
    Fields(const Fields&) = delete;
    Fields& operator=(const Fields&) = delete;
    ~Fields() { crypto::wipe(der); }  // there may be a private key inside

    ByteVec der;
    unsigned version = 0;
    der::Oid content_type;
    std::optional<Bytes> content;
    std::vector<der::Oid> digest_algorithms;
    std::vector<x509::Certificate> certificates;
    std::vector<Bytes> crls;
    std::vector<SignerInfo> signers;

    /// EncapsulatedContentInfo ::= SEQUENCE { eContentType ContentType, eContent [0] EXPLICIT OCTET STRING OPTIONAL }
    Result<void> read_content(Reader& reader) {
        ESTUARY_TRY(auto info, reader.enter(Tag::sequence));
        ESTUARY_TRY(content_type, info.oid());
        ESTUARY_TRY(auto wrapped, info.enter_if(der::context_constructed(0)));
        ESTUARY_CHECK(info.finish("EncapsulatedContentInfo"));
        if (!wrapped) return {};
        ESTUARY_TRY(content, wrapped->octet_string());
        return wrapped->finish("eContent");
    }

    /// SignedData ::= SEQUENCE { version CMSVersion, digestAlgorithms DigestAlgorithmIdentifiers,
    ///     encapContentInfo EncapsulatedContentInfo, certificates [0] IMPLICIT CertificateSet OPTIONAL,
    ///     crls [1] IMPLICIT RevocationInfoChoices OPTIONAL, signerInfos SignerInfos }   -- RFC 5652 5.1
    Result<void> read(Reader reader, const Limits& limits) {
        ESTUARY_TRY(const auto stated, reader.integer());
        if (stated < 1 || stated > version_max) return malformed_signed_data(fmt::format("version {}", stated));
        version = static_cast<unsigned>(stated);
        ESTUARY_TRY(const auto digests, reader.enter(Tag::set));
        ESTUARY_TRY(digest_algorithms, read_digest_algorithms(digests, limits.signers_max));
        ESTUARY_CHECK(read_content(reader));
        ESTUARY_TRY(const auto certificate_set, reader.enter_if(der::context_constructed(0)));
        if (certificate_set) {
            ESTUARY_TRY(certificates, read_certificates(*certificate_set, limits.certificates_max));
        }
        ESTUARY_TRY(const auto crl_set, reader.enter_if(der::context_constructed(1)));
        if (crl_set) {
            ESTUARY_TRY(crls, read_crls(*crl_set, limits.crls_max));
        }
        ESTUARY_TRY(const auto signer_set, reader.enter(Tag::set));
        ESTUARY_TRY(signers, read_signers(signer_set, limits));
        return reader.finish("SignedData");
    }
};

Result<SignedData> SignedData::parse(Bytes content_info, const Limits& limits) {
    if (content_info.size() > limits.bytes_max) return fail(Code::too_large, "SignedData: larger than its limit");
    auto fields = std::make_shared<Fields>();
    fields->der = to_vec(content_info);
    ESTUARY_TRY(const auto reader, open_content_info(fields->der, oid::signed_data, limits));
    ESTUARY_CHECK(fields->read(reader, limits));
    SignedData parsed;
    parsed.fields_ = std::move(fields);
    return parsed;
}

Bytes SignedData::der() const noexcept { return fields_->der; }
unsigned SignedData::version() const noexcept { return fields_->version; }
const der::Oid& SignedData::content_type() const noexcept { return fields_->content_type; }
std::optional<Bytes> SignedData::content() const noexcept { return fields_->content; }
const std::vector<x509::Certificate>& SignedData::certificates() const noexcept { return fields_->certificates; }
const std::vector<Bytes>& SignedData::crls() const noexcept { return fields_->crls; }
const std::vector<der::Oid>& SignedData::digest_algorithms() const noexcept { return fields_->digest_algorithms; }
const std::vector<SignerInfo>& SignedData::signers() const noexcept { return fields_->signers; }

const x509::Certificate* SignedData::certificate_of(const SignerInfo& signer) const noexcept {
    for (const auto& certificate : fields_->certificates)
        if (signer.identifier.names(certificate)) return &certificate;
    return nullptr;
}

Result<std::optional<Time>> SignerInfo::signing_time() const {
    if (!signed_attributes || find(*signed_attributes, oid::signing_time) == nullptr) return std::nullopt;
    ESTUARY_TRY(const auto value, single_value(*signed_attributes, oid::signing_time));
    der::Reader reader{value};
    ESTUARY_TRY(const auto time, reader.time());
    ESTUARY_CHECK(reader.finish("signingTime"));
    return time;
}

}  // namespace estuary::cms
