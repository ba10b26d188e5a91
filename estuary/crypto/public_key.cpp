#include <bit>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <fmt/format.h>

#include "estuary/asn1/der.h"
#include "estuary/crypto/key.h"
#include "estuary/crypto/oids.h"
#include "estuary/crypto/openssl.h"

namespace estuary::crypto {

struct PublicKey::Impl {
    ByteVec spki;
    openssl::Pkey key;
    KeyKind kind = KeyKind::other;
    unsigned bits = 0;
    std::string type_name;
};

namespace {

using der::Oid;
using openssl::Pkey;
using openssl::PkeyContext;

/// A larger modulus makes one verification cost milliseconds; OpenSSL refuses to verify with it anyway.
constexpr std::size_t rsa_modulus_bits_max = 16384;
/// No key generator makes larger ones (FIPS 186-5 A.1.1: e < 2^256); without a limit a stranger chooses our work.
constexpr std::size_t rsa_exponent_bits_max = 256;

/// SubjectPublicKeyInfo (RFC 5280 4.1.2.7), taken apart.
struct Info {
    Oid algorithm;
    std::optional<der::Element> parameters;
    Bytes key;
};

Result<Info> read_info(Bytes spki) {
    constexpr std::string_view what = "SubjectPublicKeyInfo";
    ESTUARY_TRY(auto outer, der::enter_only(spki, der::Tag::sequence, what));
    ESTUARY_TRY(auto identifier, outer.enter(der::Tag::sequence));
    Info info;
    ESTUARY_TRY(info.algorithm, identifier.oid());
    if (!identifier.empty()) {
        ESTUARY_TRY(info.parameters, identifier.any());
    }
    ESTUARY_CHECK(identifier.finish("AlgorithmIdentifier"));
    ESTUARY_TRY(info.key, outer.bit_string_octets());
    ESTUARY_CHECK(outer.finish(what));
    return info;
}

/// What a reader makes of the key: the OpenSSL object and its description.
struct Imported {
    Pkey key;
    KeyKind kind{};
    unsigned bits = 0;
    std::string type_name;
};

tl::unexpected<Error> no_such_key(const Oid& algorithm, const Oid& curve) {
    const auto name = openssl::known_key_name(algorithm, curve);
    if (!name.empty())
        return fail(Code::unsupported, fmt::format("{} keys need a newer OpenSSL than this server's", name));
    const auto& oid = curve.empty() ? algorithm : curve;
    return fail(
        Code::unsupported,
        fmt::format("{} {} is not supported", curve.empty() ? "public key algorithm" : "elliptic curve", oid.dotted()));
}

/// One context a thread and key type for EVP_PKEY_fromdata: making one costs more than the import.
EVP_PKEY_CTX* import_context(const KeyType& type) {
    thread_local std::vector<PkeyContext> contexts(key_types().size());
    auto& context = contexts[static_cast<std::size_t>(&type - key_types().data())];
    if (!context) {
        context.reset(EVP_PKEY_CTX_new_from_name(nullptr, type.openssl_name.c_str(), nullptr));
        if (context && EVP_PKEY_fromdata_init(context.get()) != 1) context.reset();
    }
    return context.get();
}

Pkey import_public(const KeyType& type, OSSL_PARAM* parameters) {
    EVP_PKEY_CTX* context = import_context(type);
    EVP_PKEY* key = nullptr;
    if (context == nullptr || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
    return Pkey{key};
}

/// RFC 5480 2.2: uncompressed or compressed; neither hybrid nor the point at infinity.
bool is_point_encoding(Bytes point, unsigned field_bits) {
    const std::size_t field = (field_bits + 7) / 8;
    if (point.empty()) return false;
    if (point[0] == 0x04) return point.size() == 1 + 2 * field;
    return (point[0] == 0x02 || point[0] == 0x03) && point.size() == 1 + field;
}

/// A copied group and a point set on it: 6 us for P-256 on OpenSSL 3.0, where the library's decoder takes 137. Setting
/// the point checks that it is on the curve.
Result<Imported> import_ec(const Info& info) {
    if (!info.parameters) return fail(Code::malformed, "SubjectPublicKeyInfo: an EC key names no curve");
    if (info.parameters->tag == der::Tag::sequence || info.parameters->tag == der::Tag::null)
        return fail(Code::bad_key, "EC keys must name their curve, not describe or inherit it (RFC 5480 2.1.1)");
    if (info.parameters->tag != der::Tag::oid) return fail(Code::malformed, "SubjectPublicKeyInfo: EC curve is no OID");
    ESTUARY_TRY(const auto curve, Oid::from_content(info.parameters->content));
    const KeyType* type = openssl::key_type_by_oid(oid::ec_public_key, curve);
    const EVP_PKEY* group = type == nullptr ? nullptr : openssl::group_template(*type);
    if (group == nullptr) return no_such_key(oid::ec_public_key, curve);
    if (!is_point_encoding(info.key, type->bits))
        return fail(Code::bad_key,
                    "EC point is neither an uncompressed nor a compressed point of its curve (RFC 5480 2.2)");
    Pkey key{EVP_PKEY_new()};
    if (!key || EVP_PKEY_copy_parameters(key.get(), group) != 1)
        return fail(Code::internal, "the EC key could not be made", openssl::drain_errors());
    if (EVP_PKEY_set1_encoded_public_key(key.get(), info.key.data(), info.key.size()) != 1)
        return fail(Code::bad_key, "EC point is not on its curve", openssl::drain_errors());
    return Imported{std::move(key), KeyKind::ec, type->bits, type->name};
}

std::size_t bit_length(Bytes big_endian) {
    return big_endian.empty() ? 0
                              : (big_endian.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(big_endian[0]));
}

/// A positive INTEGER without its sign octet.
Result<Bytes> positive(der::Reader& reader, std::string_view what) {
    ESTUARY_TRY(auto octets, reader.integer_octets());
    if ((octets[0] & 0x80) != 0) return fail(Code::bad_key, fmt::format("RSA {} is negative", what));
    if (octets[0] == 0) octets = octets.subspan(1);
    if (octets.empty()) return fail(Code::bad_key, fmt::format("RSA {} is zero", what));
    return octets;
}

/// Big-endian octets in the machine's own order, as OSSL_PARAM integers want them.
ByteVec native_order(Bytes big_endian) {
    ByteVec octets = to_vec(big_endian);
    if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(octets);
    return octets;
}

/// RSAPublicKey (RFC 8017 A.1.1), with limits on what a stranger may make us compute.
Result<Imported> import_rsa(const Info& info) {
    if (!info.parameters || info.parameters->tag != der::Tag::null || !info.parameters->content.empty())
        return fail(Code::malformed, "SubjectPublicKeyInfo: parameters of rsaEncryption must be NULL (RFC 3279 2.3.1)");
    ESTUARY_TRY(auto reader, der::enter_only(info.key, der::Tag::sequence, "RSAPublicKey"));
    ESTUARY_TRY(const auto modulus, positive(reader, "modulus"));
    ESTUARY_TRY(const auto exponent, positive(reader, "exponent"));
    ESTUARY_CHECK(reader.finish("RSAPublicKey"));
    const auto bits = bit_length(modulus);
    if (bits > rsa_modulus_bits_max)
        return fail(Code::bad_key, fmt::format("RSA modulus has {} bits, more than {}", bits, rsa_modulus_bits_max));
    if (bits < 512) return fail(Code::bad_key, fmt::format("RSA modulus has only {} bits", bits));
    if ((modulus.back() & 1) == 0) return fail(Code::bad_key, "RSA modulus is even");
    if ((exponent.back() & 1) == 0) return fail(Code::bad_key, "RSA exponent is even");
    if (bit_length(exponent) > rsa_exponent_bits_max || bit_length(exponent) < 2)
        return fail(Code::bad_key, fmt::format("RSA exponent is not between 3 and 2^{}", rsa_exponent_bits_max));
    const auto type = std::ranges::find(key_types(), KeyKind::rsa, &KeyType::kind);
    if (type == key_types().end()) return no_such_key(info.algorithm, {});
    ByteVec n = native_order(modulus), e = native_order(exponent);
    std::array parameters{OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n.data(), n.size()),
                          OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e.data(), e.size()),
                          OSSL_PARAM_construct_end()};
    Pkey key = import_public(*type, parameters.data());
    if (!key) return fail(Code::bad_key, "RSA key refused", openssl::drain_errors());
    return Imported{std::move(key), KeyKind::rsa, static_cast<unsigned>(bits), fmt::format("rsa{}", bits)};
}

/// RSA keys bound to PSS are rare: the library's own decoder reads their restrictions.
Result<Imported> import_rsa_pss(Bytes spki, const Info& info) {
    Info as_rsa{oid::rsa_encryption, der::Element{der::Tag::null, {}, {}}, info.key};
    ESTUARY_TRY(const auto plain, import_rsa(as_rsa));  // for its limits
    const std::uint8_t* at = spki.data();
    Pkey key{d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(spki.size()), nullptr, nullptr)};
    if (!key || at != spki.data() + spki.size())
        return fail(Code::malformed, "SubjectPublicKeyInfo: RSASSA-PSS key cannot be read", openssl::drain_errors());
    return Imported{std::move(key), KeyKind::rsa, plain.bits, fmt::format("rsa-pss{}", plain.bits)};
}

/// Keys that are a string of octets: Ed25519 and Ed448 (RFC 8410 4), ML-DSA, SLH-DSA, ML-KEM, X25519.
Result<Imported> import_octets(const Info& info) {
    const KeyType* type = openssl::key_type_by_oid(info.algorithm, {});
    if (type == nullptr) return no_such_key(info.algorithm, {});
    if (info.parameters)
        return fail(Code::malformed, fmt::format("SubjectPublicKeyInfo: {} keys have no parameters", type->name));
    ByteVec octets = to_vec(info.key);
    std::array parameters{OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()),
                          OSSL_PARAM_construct_end()};
    Pkey key = import_public(*type, parameters.data());
    if (!key) return fail(Code::bad_key, fmt::format("not a {} public key", type->name), openssl::drain_errors());
    return Imported{std::move(key), type->kind, type->bits, type->name};
}

Result<Imported> import_any(Bytes spki, const Info& info) {
    if (info.algorithm == oid::ec_public_key) return import_ec(info);
    if (info.algorithm == oid::rsa_encryption) return import_rsa(info);
    if (info.algorithm == oid::rsassa_pss) return import_rsa_pss(spki, info);
    return import_octets(info);
}

}  // namespace

Result<PublicKey> PublicKey::from_spki(Bytes spki) {
    ESTUARY_TRY(const auto info, read_info(spki));
    openssl::clear_errors();
    ESTUARY_TRY(auto imported, import_any(spki, info));
    PublicKey made;
    made.impl_ = std::make_shared<const Impl>(to_vec(spki), std::move(imported.key), imported.kind, imported.bits,
                                              std::move(imported.type_name));
    return made;
}

Bytes PublicKey::spki() const noexcept { return impl_->spki; }
KeyKind PublicKey::kind() const noexcept { return impl_->kind; }
unsigned PublicKey::bits() const noexcept { return impl_->bits; }
const std::string& PublicKey::type_name() const noexcept { return impl_->type_name; }
evp_pkey_st* PublicKey::handle() const noexcept { return impl_->key.get(); }

}  // namespace estuary::crypto
