#include "estuary/cms/digest_algorithm.h"

#include <array>

#include <fmt/format.h>

#include "estuary/crypto/openssl.h"

namespace estuary::cms {
namespace {

using crypto::KeyKind;
using der::Oid;
using der::Tag;

constexpr std::array algorithms{
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.1"}, "SHA256", 32},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.2"}, "SHA384", 48},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.3"}, "SHA512", 64},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.8"}, "SHA3-256", 32},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.9"}, "SHA3-384", 48},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.10"}, "SHA3-512", 64},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.11"}, "SHAKE128", 32, true},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.12"}, "SHAKE256", 64, true},
    DigestAlgorithm{Oid{"2.16.840.1.101.3.4.2.18"}, "SHAKE256", 64, true, true},
    DigestAlgorithm{Oid{"1.3.14.3.2.26"}, "SHA1", 20, false, false, true},
    DigestAlgorithm{Oid{"1.2.840.113549.2.5"}, "MD5", 16, false, false, true},
};
constexpr std::uint8_t integer_512[] = {0x02, 0x02, 0x02, 0x00};

const DigestAlgorithm* by_name(std::string_view name) {
    const auto found = std::ranges::find(algorithms, name, &DigestAlgorithm::name);
    return found == algorithms.end() ? nullptr : &*found;
}

const DigestAlgorithm* by_oid(const Oid& oid) {
    const auto found = std::ranges::find(algorithms, oid, &DigestAlgorithm::oid);
    return found == algorithms.end() ? nullptr : &*found;
}

tl::unexpected<Error> disagree(std::string_view signature, const DigestAlgorithm& digest) {
    return fail(Code::bad_proof,
                fmt::format("SignerInfo: digest {} does not go with signature algorithm {}", digest.name, signature));
}

/// PKCS#1 v1.5 with this digest; null where there is none.
const crypto::SignatureAlgorithm* pkcs1_with(const DigestAlgorithm& digest) {
    static constexpr std::array known{Oid{"1.2.840.113549.1.1.11"}, Oid{"1.2.840.113549.1.1.12"}, Oid{"1.2.840.113549.1.1.13"}};
    for (const auto& oid : known) {
        const auto* algorithm = crypto::signature_algorithm(oid);
        if (algorithm != nullptr && algorithm->digest == digest.name) return algorithm;
    }
    return nullptr;
}

/// RSASSA-PSS-params: only the hash is looked at, PublicKey::verify reads all of it. Absent means SHA-1, which it refuses.
Result<void> check_pss_digest(const Algorithm& signature, const DigestAlgorithm& digest) {
    if (signature.parameters.empty()) return {};
    ESTUARY_TRY(auto parameters, der::enter_only(signature.parameters, Tag::sequence, "RSASSA-PSS-params"));
    ESTUARY_TRY(auto hash, parameters.enter_if(der::context_constructed(0)));
    if (!hash) return {};
    ESTUARY_TRY(const auto algorithm, read_algorithm(*hash));
    if (algorithm.oid != digest.oid) return disagree("RSASSA-PSS", digest);
    return {};
}

/// Algorithms that sign the message itself: what digest of the content is strong enough and allowed.
bool goes_with_pure(const crypto::SignatureAlgorithm& algorithm, const DigestAlgorithm& digest) {
    switch (algorithm.kind) {
        case KeyKind::ed25519: return digest.name == "SHA512";    // RFC 8419 3.1
        case KeyKind::ed448: return digest.name == "SHAKE256";
        case KeyKind::ml_dsa:  // RFC 9882 3.3, table 1
            if (algorithm.name == "ML-DSA-87") return digest.octets >= 64;
            if (algorithm.name == "ML-DSA-65") return digest.octets >= 48;
            return true;
        default: return true;  // SLH-DSA: RFC 9814 4 only recommends
    }
}

}  // namespace

Result<const DigestAlgorithm*> read_digest_algorithm(const Algorithm& algorithm) {
    const auto* found = by_oid(algorithm.oid);
    if (found == nullptr)
        return fail(Code::unsupported, fmt::format("digest algorithm {} is not supported", algorithm.oid.dotted()));
    if (found->weak) return fail(Code::bad_key, fmt::format("digest algorithm {} is too weak", found->name));
    const bool well_formed =
        found->length_stated ? same(algorithm.parameters, integer_512) : algorithm.parameters_absent_or_null();
    if (!well_formed)
        return fail(Code::malformed, fmt::format("digest algorithm {} with parameters that it does not have", found->name));
    return found;
}

Result<const DigestAlgorithm*> digest_algorithm_for(const crypto::PrivateKey& key) {
    ESTUARY_TRY(const auto* signature, key.signature_algorithm());
    std::string_view name = signature->digest;
    if (name.empty()) name = signature->kind == KeyKind::slh_dsa && key.public_key().bits() <= 128 ? "SHA256" : "SHA512";
    const auto* found = signature->kind == KeyKind::ed448 ? by_oid(Oid{"2.16.840.1.101.3.4.2.18"}) : by_name(name);
    if (found == nullptr) return fail(Code::unsupported, fmt::format("no digest algorithm to go with {}", signature->name));
    return found;
}

ByteVec encode(const DigestAlgorithm& algorithm) {
    return make_algorithm(algorithm.oid, algorithm.length_stated ? Bytes{integer_512} : Bytes{});
}

Result<ByteVec> digest(const DigestAlgorithm& algorithm, Bytes data) {
    if (!algorithm.extendable) return crypto::digest(algorithm.name, data);
    crypto::openssl::clear_errors();
    const EVP_MD* md = crypto::openssl::digest_by_name(algorithm.name);
    const crypto::openssl::DigestContext context{EVP_MD_CTX_new()};
    ByteVec out(algorithm.octets);
    if (md == nullptr || !context || EVP_DigestInit_ex2(context.get(), md, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), data.data(), data.size()) != 1 ||
        EVP_DigestFinalXOF(context.get(), out.data(), out.size()) != 1)
        return fail(Code::unsupported, fmt::format("digest {} is not available", algorithm.name),
                    crypto::openssl::drain_errors());
    return out;
}

Result<ByteVec> signature_identifier(const Algorithm& signature, const DigestAlgorithm& digest) {
    if (signature.oid == oid::rsa_encryption) {  // RFC 5754 3.2: the digest is then stated only once
        if (!signature.parameters_absent_or_null())
            return fail(Code::malformed, "rsaEncryption with parameters that are not NULL");
        const auto* algorithm = pkcs1_with(digest);
        if (algorithm == nullptr) return disagree("rsaEncryption", digest);
        return algorithm->identifier;
    }
    if (signature.oid == oid::rsassa_pss) {
        ESTUARY_CHECK(check_pss_digest(signature, digest));
        return to_vec(signature.whole);
    }
    const auto* algorithm = crypto::signature_algorithm(signature.oid);
    if (algorithm == nullptr)
        return fail(Code::unsupported, fmt::format("signature algorithm {} is not supported", signature.oid.dotted()));
    const bool agree = algorithm->digest.empty() ? goes_with_pure(*algorithm, digest) : algorithm->digest == digest.name;
    if (!agree) return disagree(algorithm->name, digest);
    return to_vec(signature.whole);
}

bool is_pure(const Algorithm& signature) {
    const auto* algorithm = crypto::signature_algorithm(signature.oid);
    return algorithm != nullptr && algorithm->digest.empty();
}

}  // namespace estuary::cms
