// Verifying: AlgorithmIdentifiers read strictly, then the shortest way through EVP.
#include <array>

#include <openssl/rsa.h>

#include <fmt/format.h>

#include "estuary/asn1/der.h"
#include "estuary/crypto/key.h"
#include "estuary/crypto/oids.h"
#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using der::Oid;
using der::Reader;
using der::Tag;

constexpr Oid mgf1{"1.2.840.113549.1.1.8"};

/// Shorter salts were never anybody's default; longer ones do not fit the largest modulus.
constexpr std::int64_t pss_salt_octets_min = 16;
constexpr std::int64_t pss_salt_octets_max = 2048;

/// How to verify: what an AlgorithmIdentifier says.
struct Scheme {
    std::string_view name;
    Oid oid;
    KeyKind kind{};
    const EVP_MD* md = nullptr;        ///< null where the key takes the message itself
    std::optional<int> pss_salt = {};  ///< octets; set for RSASSA-PSS
};

struct PssDigest {
    Oid oid;
    const char* name;
};
constexpr std::array pss_digests{PssDigest{Oid{"2.16.840.1.101.3.4.2.1"}, "SHA256"},
                                 PssDigest{Oid{"2.16.840.1.101.3.4.2.2"}, "SHA384"},
                                 PssDigest{Oid{"2.16.840.1.101.3.4.2.3"}, "SHA512"}};

/// A digest's AlgorithmIdentifier; parameters absent or NULL (RFC 4055 2.1).
Result<Oid> read_digest_identifier(Reader& reader) {
    ESTUARY_TRY(auto inner, reader.enter(Tag::sequence));
    ESTUARY_TRY(const auto oid, inner.oid());
    if (!inner.empty()) ESTUARY_CHECK(inner.null());
    ESTUARY_CHECK(inner.finish("digest AlgorithmIdentifier"));
    return oid;
}

tl::unexpected<Error> weak_pss() {
    return fail(Code::bad_key, "RSASSA-PSS must state SHA-256, SHA-384 or SHA-512, and MGF1 with the same digest");
}

/// RSASSA-PSS-params (RFC 4055 3.1). Every default there is SHA-1 or follows from it, so hash and MGF must be present.
Result<Scheme> read_pss(Reader& identifier) {
    if (identifier.empty()) return weak_pss();
    ESTUARY_TRY(auto parameters, identifier.enter(Tag::sequence));
    ESTUARY_TRY(auto hash, parameters.enter_if(der::context_constructed(0)));
    ESTUARY_TRY(auto mask, parameters.enter_if(der::context_constructed(1)));
    ESTUARY_TRY(auto salt, parameters.enter_if(der::context_constructed(2)));
    ESTUARY_CHECK(parameters.finish("RSASSA-PSS-params"));  // trailerField has one value, its default
    if (!hash || !mask) return weak_pss();

    ESTUARY_TRY(const auto digest, read_digest_identifier(*hash));
    ESTUARY_CHECK(hash->finish("hashAlgorithm"));
    ESTUARY_TRY(auto generator, mask->enter(Tag::sequence));
    ESTUARY_CHECK(mask->finish("maskGenAlgorithm"));
    ESTUARY_TRY(const auto generator_oid, generator.oid());
    if (generator_oid != mgf1) return weak_pss();
    ESTUARY_TRY(const auto mask_digest, read_digest_identifier(generator));
    ESTUARY_CHECK(generator.finish("maskGenAlgorithm"));
    std::int64_t salt_length = 20;
    if (salt) {
        ESTUARY_TRY(salt_length, salt->integer());
        ESTUARY_CHECK(salt->finish("saltLength"));
        if (salt_length == 20) return fail(Code::malformed, "RSASSA-PSS: a salt of 20 octets is the default, left out in DER");
    }
    const auto known = std::ranges::find(pss_digests, digest, &PssDigest::oid);
    if (known == pss_digests.end() || mask_digest != digest) return weak_pss();
    if (salt_length < pss_salt_octets_min || salt_length > pss_salt_octets_max)
        return fail(Code::bad_key, fmt::format("RSASSA-PSS with a salt of {} octets", salt_length));
    return Scheme{"RSASSA-PSS", oid::rsassa_pss, KeyKind::rsa, openssl::digest_by_name(known->name),
                  static_cast<int>(salt_length)};
}

/// RSA PKCS#1 v1.5 has NULL parameters, which some leave out (RFC 4055 5 wants both accepted); all others have none.
Result<void> check_parameters(const SignatureAlgorithm& algorithm, Reader& identifier) {
    if (identifier.empty()) return {};
    if (algorithm.kind != KeyKind::rsa)
        return fail(Code::malformed, fmt::format("AlgorithmIdentifier: {} has no parameters", algorithm.name));
    ESTUARY_CHECK(identifier.null());
    return identifier.finish("AlgorithmIdentifier");
}

Result<Scheme> read_scheme(Bytes algorithm_identifier) {
    ESTUARY_TRY(auto identifier, der::enter_only(algorithm_identifier, Tag::sequence, "AlgorithmIdentifier"));
    ESTUARY_TRY(const auto oid, identifier.oid());
    if (oid == oid::rsassa_pss) {
        ESTUARY_TRY(auto scheme, read_pss(identifier));
        ESTUARY_CHECK(identifier.finish("AlgorithmIdentifier"));
        return scheme;
    }
    const SignatureAlgorithm* algorithm = signature_algorithm(oid);
    if (algorithm == nullptr)
        return fail(Code::unsupported, fmt::format("signature algorithm {} is not supported", oid.dotted()));
    if (algorithm->weak) return fail(Code::bad_key, fmt::format("signature algorithm {} is too weak", algorithm->name));
    ESTUARY_CHECK(check_parameters(*algorithm, identifier));
    const EVP_MD* md = algorithm->digest.empty() ? nullptr : openssl::digest_by_name(algorithm->digest);
    if (md == nullptr && !algorithm->digest.empty())
        return fail(Code::unsupported, fmt::format("signature algorithm {} is not supported", algorithm->name));
    return Scheme{algorithm->name, oid, algorithm->kind, md};
}

bool set_up_rsa(EVP_PKEY_CTX* context, const Scheme& scheme) {
    if (EVP_PKEY_CTX_set_rsa_padding(context, scheme.pss_salt ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context, scheme.md) != 1)
        return false;
    return !scheme.pss_salt || (EVP_PKEY_CTX_set_rsa_mgf1_md(context, scheme.md) == 1 &&
                                EVP_PKEY_CTX_set_rsa_pss_saltlen(context, *scheme.pss_salt) == 1);
}

/// Digest here, verify there: 15 us less than EVP_DigestVerify for P-256 on OpenSSL 3.0, which fetches the digest anew.
bool verify_digest(EVP_PKEY* key, const Scheme& scheme, Bytes message, Bytes signature) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
    if (!openssl::digest_into(scheme.md, message, digest.data())) return false;
    const openssl::PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) return false;
    if (scheme.kind == KeyKind::rsa && !set_up_rsa(context.get(), scheme)) return false;
    return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                           static_cast<std::size_t>(EVP_MD_get_size(scheme.md))) == 1;
}

/// EdDSA, ML-DSA and SLH-DSA take the whole message at once.
bool verify_message(EVP_PKEY* key, Bytes message, Bytes signature) {
    const openssl::DigestContext context{EVP_MD_CTX_new()};
    return context && EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key, nullptr) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

/// The algorithm of a SubjectPublicKeyInfo that was read before.
bool key_algorithm_is(Bytes spki, const Oid& oid) {
    Reader reader{spki};
    auto outer = reader.enter(Tag::sequence);
    if (!outer) return false;
    auto identifier = outer->enter(Tag::sequence);
    return identifier && identifier->oid() == oid;
}

}  // namespace

Result<void> PublicKey::verify(Bytes algorithm_identifier, Bytes message, Bytes signature) const {
    ESTUARY_TRY(const auto scheme, read_scheme(algorithm_identifier));
    // Where the key takes the message itself, one OID names both key and signature.
    const bool fits = scheme.kind == kind() && (scheme.md != nullptr || key_algorithm_is(spki(), scheme.oid));
    if (!fits)
        return fail(Code::bad_proof,
                    fmt::format("signature algorithm {} does not fit a {} key", scheme.name, type_name()));
    openssl::clear_errors();
    const bool good = scheme.md != nullptr ? verify_digest(handle(), scheme, message, signature)
                                           : verify_message(handle(), message, signature);
    if (!good) return fail(Code::bad_proof, "the signature does not verify", openssl::drain_errors());
    return {};
}

}  // namespace estuary::crypto
