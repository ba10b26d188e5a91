#include "estuary/cmp/cert_hash.h"

#include "estuary/cms/digest_algorithm.h"
#include "estuary/cms/oids.h"

namespace estuary::cmp {
namespace {

constexpr der::Oid shake256{"2.16.840.1.101.3.4.2.12"};

Result<ByteVec> hash_by(const der::Oid& oid, Bytes data) {
    const auto identifier = cms::make_algorithm(oid);
    ESTUARY_TRY(const auto algorithm, cms::parse_algorithm(identifier));
    ESTUARY_TRY(const auto* digest, cms::read_digest_algorithm(algorithm));
    return cms::digest(*digest, data);
}

/// hashAlgorithm [0] of RSASSA-PSS-params; SHA-1 where it is absent (RFC 4055 3.1).
Result<der::Oid> pss_digest(der::Reader parameters) {
    ESTUARY_TRY(auto fields, parameters.enter(der::Tag::sequence));
    ESTUARY_TRY(auto hash, fields.enter_if(der::context_constructed(0)));
    if (!hash) return cms::oid::sha1;
    ESTUARY_TRY(auto algorithm, hash->enter(der::Tag::sequence));
    return algorithm.oid();
}

Result<ByteVec> hash_of_signature(const x509::Certificate& certificate) {
    ESTUARY_TRY(auto fields, der::enter_only(certificate.signature_algorithm(), der::Tag::sequence, "signatureAlgorithm"));
    ESTUARY_TRY(const auto oid, fields.oid());
    if (oid == cms::oid::rsassa_pss) {
        ESTUARY_TRY(const auto digest, pss_digest(fields));
        return hash_by(digest, certificate.der());
    }
    const auto* algorithm = crypto::signature_algorithm(oid);
    if (algorithm == nullptr) return fail(Code::unsupported, "the certificate's signature algorithm is not known");
    if (algorithm->weak) return fail(Code::bad_key, "the certificate's signature has a weak digest");
    if (algorithm->kind == crypto::KeyKind::ed25519) return crypto::digest("SHA512", certificate.der());  // RFC 9481 3.3
    if (algorithm->kind == crypto::KeyKind::ed448) return hash_by(shake256, certificate.der());
    if (algorithm->digest.empty())
        return fail(Code::unsupported, "the certificate's signature algorithm names no digest: hashAlg is needed (RFC 9810 5.3.18)");
    return crypto::digest(algorithm->digest, certificate.der());
}

}  // namespace

Result<ByteVec> cert_hash(const x509::Certificate& certificate, const std::optional<ByteVec>& hash_alg) {
    if (!hash_alg) return hash_of_signature(certificate);
    ESTUARY_TRY(const auto algorithm, cms::parse_algorithm(*hash_alg));
    ESTUARY_TRY(const auto* digest, cms::read_digest_algorithm(algorithm));
    return cms::digest(*digest, certificate.der());
}

}  // namespace estuary::cmp
