#include "estuary/cms/certs_only.h"

#include <fmt/format.h>

namespace estuary::cms {
namespace {

using der::Tag;

constexpr der::Oid id_data{"1.2.840.113549.1.7.1"};
constexpr der::Oid id_signed_data{"1.2.840.113549.1.7.2"};
constexpr std::int64_t version_max = 3;  // 4 and 5 stand for attribute certificates and other formats

tl::unexpected<Error> malformed(std::string detail) { return fail(Code::malformed, "certs-only: " + std::move(detail)); }

// EncapsulatedContentInfo ::= SEQUENCE { eContentType ContentType, eContent [0] EXPLICIT OCTET STRING OPTIONAL }
Result<void> pass_over_content(der::Reader& signed_data) {
    ESTUARY_TRY(auto content, signed_data.enter(Tag::sequence));
    ESTUARY_CHECK(content.oid());
    ESTUARY_CHECK(content.element_if(der::context_constructed(0)));
    return content.finish("EncapsulatedContentInfo");
}

// CertificateSet ::= SET OF CertificateChoices; only `certificate` is one that can be used here.
Result<std::vector<x509::Certificate>> read_certificates(der::Reader set, std::size_t count_max) {
    std::vector<x509::Certificate> certificates;
    while (!set.empty()) {
        if (certificates.size() == count_max)
            return fail(Code::too_large, fmt::format("certs-only: more than {} certificates", count_max));
        if (!set.next_is(Tag::sequence)) return fail(Code::unsupported, "certs-only: certificate of another format than X.509");
        ESTUARY_TRY(const auto element, set.any());
        auto certificate = x509::Certificate::parse(element.whole);
        if (!certificate) {
            const auto where = fmt::format("certs-only: certificate {}", certificates.size() + 1);
            return fail(in_context(where, std::move(certificate).error()));
        }
        certificates.push_back(std::move(*certificate));
    }
    return certificates;
}

// SignedData ::= SEQUENCE { version CMSVersion, digestAlgorithms SET OF AlgorithmIdentifier,
//     encapContentInfo EncapsulatedContentInfo, certificates [0] IMPLICIT CertificateSet OPTIONAL,
//     crls [1] IMPLICIT RevocationInfoChoices OPTIONAL, signerInfos SET OF SignerInfo }   -- RFC 5652 5.1
Result<std::vector<x509::Certificate>> read_signed_data(der::Reader reader, std::size_t count_max) {
    ESTUARY_TRY(const auto version, reader.integer());
    if (version < 1 || version > version_max) return malformed(fmt::format("SignedData of version {}", version));
    ESTUARY_CHECK(reader.element(Tag::set));
    ESTUARY_CHECK(pass_over_content(reader));
    ESTUARY_TRY(const auto bag, reader.enter_if(der::context_constructed(0)));
    std::vector<x509::Certificate> certificates;
    if (bag) {
        ESTUARY_TRY(certificates, read_certificates(*bag, count_max));
    }
    ESTUARY_CHECK(reader.element_if(der::context_constructed(1)));
    ESTUARY_CHECK(reader.element(Tag::set));
    ESTUARY_CHECK(reader.finish("SignedData"));
    return certificates;
}

void write_signed_data(der::Writer& writer, const std::vector<Bytes>& sorted) {
    writer.sequence([&] {
        writer.integer(1);
        writer.constructed(Tag::set, [] {});
        writer.sequence([&] { writer.oid(id_data); });
        if (!sorted.empty()) {
            writer.constructed(der::context_constructed(0), [&] {
                for (const auto certificate : sorted) writer.raw(certificate);
            });
        }
        writer.constructed(Tag::set, [] {});
    });
}

}  // namespace

ByteVec encode_certs_only(const std::vector<Bytes>& certificates) {
    auto sorted = certificates;
    std::ranges::sort(sorted, [](Bytes a, Bytes b) { return std::ranges::lexicographical_compare(a, b); });
    std::size_t size = 64;  // all that is not a certificate
    for (const auto certificate : sorted) size += certificate.size();
    ByteVec buffer;
    buffer.reserve(size);
    der::Writer writer{std::move(buffer)};
    writer.sequence([&] {
        writer.oid(id_signed_data);
        writer.constructed(der::context_constructed(0), [&] { write_signed_data(writer, sorted); });
    });
    return std::move(writer).take();
}

// ContentInfo ::= SEQUENCE { contentType ContentType, content [0] EXPLICIT ANY DEFINED BY contentType }
Result<std::vector<x509::Certificate>> parse_certs_only(Bytes der, std::size_t count_max) {
    ESTUARY_CHECK(der::check_der(der, "ContentInfo"));
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "ContentInfo"));
    ESTUARY_TRY(const auto type, reader.oid());
    if (type != id_signed_data) return fail(Code::unsupported, "certs-only: the content type is not signedData");
    ESTUARY_TRY(auto content, reader.enter(der::context_constructed(0)));
    ESTUARY_CHECK(reader.finish("ContentInfo"));
    ESTUARY_TRY(const auto signed_data, content.enter(Tag::sequence));
    ESTUARY_CHECK(content.finish("ContentInfo"));
    return read_signed_data(signed_data, count_max);
}

}  // namespace estuary::cms
