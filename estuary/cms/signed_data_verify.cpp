#include <fmt/format.h>

#include "estuary/cms/digest_algorithm.h"
#include "estuary/cms/signed_data.h"

namespace estuary::cms {
namespace {

using der::Tag;

tl::unexpected<Error> wrong(std::string detail) { return fail(Code::bad_proof, "SignerInfo: " + std::move(detail)); }

Result<Bytes> content_of(const SignedData& data, const VerifyOptions& options) {
    const auto inside = data.content();
    if (inside.has_value() && options.detached_content)
        return fail(Code::malformed, "SignedData: content in the message where it was to be detached");
    if (!inside && !options.detached_content) return fail(Code::malformed, "SignedData: no content to verify");
    return inside ? *inside : *options.detached_content;
}

/// RFC 5652 11.1: one value, the type of the content. Absent is as wrong as another one.
Result<void> check_content_type(const Attributes& attributes, const der::Oid& content_type) {
    const auto value = single_value(attributes, oid::content_type);
    if (!value) return wrong("contentType: " + value.error().detail);
    der::Reader reader{*value};
    ESTUARY_TRY(const auto stated, reader.oid());
    if (stated != content_type)
        return wrong(fmt::format("contentType {} where the content is {}", stated.dotted(), content_type.dotted()));
    return {};
}

/// RFC 5652 11.2.
Result<void> check_message_digest(const Attributes& attributes, const DigestAlgorithm& algorithm, Bytes content) {
    const auto value = single_value(attributes, oid::message_digest);
    if (!value) return wrong("messageDigest: " + value.error().detail);
    der::Reader reader{*value};
    ESTUARY_TRY(const auto stated, reader.octet_string());
    ESTUARY_TRY(const auto made, digest(algorithm, content));
    if (!same(stated, made)) return wrong("messageDigest is not that of the content");
    return {};
}

/// CMSAlgorithmProtection ::= SEQUENCE { digestAlgorithm, signatureAlgorithm [1] IMPLICIT …, macAlgorithm [2] … } (RFC 6211).
Result<void> check_algorithm_protection(const SignerInfo& signer) {
    const auto& attributes = *signer.signed_attributes;
    if (find(attributes, oid::algorithm_protection) == nullptr) return {};
    ESTUARY_TRY(const auto value, single_value(attributes, oid::algorithm_protection));
    ESTUARY_TRY(auto fields, der::enter_only(value, Tag::sequence, "CMSAlgorithmProtection"));
    ESTUARY_TRY(const auto digest, read_algorithm(fields));
    ESTUARY_TRY(const auto signature, read_algorithm(fields, der::context_constructed(1)));
    ESTUARY_CHECK(fields.finish("CMSAlgorithmProtection"));
    const auto alike = [](const Algorithm& a, const Algorithm& b) {
        return a.oid == b.oid &&
               (same(a.parameters, b.parameters) || (a.parameters_absent_or_null() && b.parameters_absent_or_null()));
    };
    if (!alike(digest, signer.digest_algorithm) || !alike(signature, signer.signature_algorithm))
        return wrong("CMSAlgorithmProtection states other algorithms");
    return {};
}

/// RFC 5652 5.4: the signed octets are the DER of SET OF, whatever tag and order the message has.
ByteVec as_signed(const Attributes& attributes) {
    der::Writer writer;
    write_attributes(writer, Tag::set, attributes);
    return std::move(writer).take();
}

/// Content that could be the signed attributes of another message (draft-vangeest-lamps-cms-euf-cma 3).
bool looks_like_signed_attributes(Bytes content) {
    auto set = der::enter_only(content, Tag::set, "SignedAttributes", {.bytes_max = content.size()});
    if (!set) return false;
    const auto attributes = read_attributes(*set, {});
    return attributes && find(*attributes, oid::message_digest) != nullptr;
}

Result<void> verify_content(const SignedData& data, const SignerInfo& signer, const crypto::PublicKey& key, Bytes content,
                            const VerifyOptions& options) {
    if (options.signed_attributes_required) return wrong("without signed attributes");
    if (data.content_type() != oid::data) return wrong("content of a type that needs signed attributes");  // RFC 5652 5.3
    if (looks_like_signed_attributes(content)) return wrong("content that may be the signed attributes of another message");
    if (is_pure(signer.signature_algorithm))  // RFC 9882 3.3: the digest algorithm is to be ignored
        return key.verify(signer.signature_algorithm.whole, content, signer.signature);
    ESTUARY_TRY(const auto* algorithm, read_digest_algorithm(signer.digest_algorithm));
    ESTUARY_TRY(const auto identifier, signature_identifier(signer.signature_algorithm, *algorithm));
    return key.verify(identifier, content, signer.signature);
}

}  // namespace

Result<void> verify_signer(const SignedData& data, const SignerInfo& signer, const crypto::PublicKey& key,
                           const VerifyOptions& options) {
    ESTUARY_TRY(const auto content, content_of(data, options));
    if (!signer.signed_attributes) return verify_content(data, signer, key, content, options);
    ESTUARY_TRY(const auto* algorithm, read_digest_algorithm(signer.digest_algorithm));
    if (std::ranges::find(data.digest_algorithms(), algorithm->oid) == data.digest_algorithms().end())
        return wrong("digestAlgorithm is not among digestAlgorithms");
    ESTUARY_TRY(const auto identifier, signature_identifier(signer.signature_algorithm, *algorithm));
    ESTUARY_CHECK(check_content_type(*signer.signed_attributes, data.content_type()));
    ESTUARY_CHECK(check_algorithm_protection(signer));
    ESTUARY_CHECK(check_message_digest(*signer.signed_attributes, *algorithm, content));
    return key.verify(identifier, as_signed(*signer.signed_attributes), signer.signature);
}

Result<void> verify_signer(const SignedData& data, const SignerInfo& signer, const x509::Certificate& certificate,
                           const VerifyOptions& options) {
    if (!signer.identifier.names(certificate)) return wrong("the certificate is not the one that it names");
    ESTUARY_TRY(const auto key, certificate.public_key());
    return verify_signer(data, signer, key, options);
}

}  // namespace estuary::cms
