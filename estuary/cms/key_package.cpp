#include "estuary/cms/key_package.h"

#include <bit>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "estuary/crypto/openssl.h"

namespace estuary::cms {
namespace {

using crypto::PrivateKey;
using crypto::Secret;
using der::Reader;
using der::Tag;

using Pkcs8 = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

/// OneAsymmetricKey ::= SEQUENCE { version INTEGER, privateKeyAlgorithm, privateKey OCTET STRING,
///     attributes [0] IMPLICIT OPTIONAL, publicKey [1] IMPLICIT BIT STRING OPTIONAL }   -- RFC 5958 2
struct KeyInfo {
    Bytes algorithm, private_key;
    std::optional<Bytes> public_key;  ///< with its octet of unused bits
};

Result<KeyInfo> read_key_info(Reader fields) {
    KeyInfo info;
    ESTUARY_TRY(const auto version, fields.integer());
    if (version != 0 && version != 1) return fail(Code::malformed, "OneAsymmetricKey of another version than v1 and v2");
    ESTUARY_TRY(const auto algorithm, read_algorithm(fields));
    info.algorithm = algorithm.whole;
    ESTUARY_TRY(info.private_key, fields.octet_string());
    ESTUARY_CHECK(fields.element_if(der::context_constructed(0)));
    if (version == 1 && fields.next_is(der::context(1))) {
        ESTUARY_TRY(info.public_key, fields.content(der::context(1)));
    }
    ESTUARY_CHECK(fields.finish("OneAsymmetricKey"));
    return info;
}

/// subjectPublicKey of a SubjectPublicKeyInfo, with its octet of unused bits.
Result<Bytes> public_bits(const PrivateKey& key) {
    ESTUARY_TRY(auto spki, der::enter_only(key.public_key().spki(), Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_CHECK(spki.element(Tag::sequence));
    return spki.content(Tag::bit_string);
}

/// The private value of an EC key, as long as the field, big-endian; nothing where the key does not leave its token.
std::optional<Secret> scalar_of(const PrivateKey& key, std::size_t octets) {
    ByteVec scalar(octets);
    std::array parameters{OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar.data(), scalar.size()), OSSL_PARAM_construct_end()};
    const bool given = EVP_PKEY_get_params(key.handle(), parameters.data()) == 1 && parameters[0].return_size == octets;
    if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(scalar);
    Secret secret{std::move(scalar)};
    if (!given) return std::nullopt;
    return secret;
}

/// PrivateKeyInfo of an EC key (RFC 5958 2, RFC 5915 3), octet for octet what the library's encoder makes, which takes 140 us on
/// OpenSSL 3.0 and this 2. Nothing for other kinds, and where the library does not say what is needed.
std::optional<Secret> quick_ec_key(const PrivateKey& key) {
    const auto type = crypto::key_type(key.public_key().type_name());
    if (!type || (*type)->kind != crypto::KeyKind::ec) return std::nullopt;
    const auto scalar = scalar_of(key, ((*type)->bits + 7) / 8);
    const auto point = public_bits(key);
    if (!scalar || !point) return std::nullopt;
    ByteVec buffer;
    buffer.reserve(scalar->reveal().size() + point->size() + 64);
    der::Writer writer{std::move(buffer)};
    writer.sequence([&] {
        writer.integer(0).sequence([&] { writer.oid((*type)->algorithm).oid((*type)->parameters); });
        writer.constructed(Tag::octet_string, [&] {
            writer.sequence([&] {
                writer.integer(1).octet_string(scalar->reveal());
                writer.constructed(der::context_constructed(1), [&] { writer.primitive(Tag::bit_string, *point); });
            });
        });
    });
    return Secret{std::move(writer).take()};
}

/// Version 1 without the optional fields, which is all that OpenSSL 3.0 reads.
Result<PrivateKey> make_key(const KeyInfo& info) {
    ByteVec buffer;
    buffer.reserve(info.algorithm.size() + info.private_key.size() + 32);
    der::Writer writer{std::move(buffer)};
    writer.sequence([&] { writer.integer(0).raw(info.algorithm).octet_string(info.private_key); });
    const Secret plain{std::move(writer).take()};
    ESTUARY_TRY(auto key, PrivateKey::from_bytes(plain.reveal()));
    if (!info.public_key) return key;
    ESTUARY_TRY(const auto own, public_bits(key));
    if (!same(own, *info.public_key)) return fail(Code::bad_key, "OneAsymmetricKey: the public key is another one's");
    return key;
}

}  // namespace

Result<Secret> encode_private_key(const PrivateKey& key) {
    crypto::openssl::clear_errors();
    if (auto quick = quick_ec_key(key)) return std::move(*quick);
    const Pkcs8 info{EVP_PKEY2PKCS8(key.handle())};
    const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr) : 0;
    if (size <= 0) return fail(Code::bad_key, "the private key cannot be given away", crypto::openssl::drain_errors());
    ByteVec der(static_cast<std::size_t>(size));
    auto* to = der.data();
    i2d_PKCS8_PRIV_KEY_INFO(info.get(), &to);
    return Secret{std::move(der)};
}

Result<PrivateKey> decode_private_key(Bytes der) {
    ESTUARY_CHECK(der::check_der(der, "OneAsymmetricKey"));
    ESTUARY_TRY(const auto fields, der::enter_only(der, Tag::sequence, "OneAsymmetricKey"));
    ESTUARY_TRY(const auto info, read_key_info(fields));
    return make_key(info);
}

Result<Secret> encode_key_package(const PrivateKey& key) {
    ESTUARY_TRY(const auto info, encode_private_key(key));
    ByteVec buffer;
    buffer.reserve(info.reveal().size() + 16);
    der::Writer writer{std::move(buffer)};
    writer.sequence([&] { writer.raw(info.reveal()); });
    return Secret{std::move(writer).take()};
}

Result<PrivateKey> decode_key_package(Bytes der) {
    ESTUARY_CHECK(der::check_der(der, "AsymmetricKeyPackage"));
    ESTUARY_TRY(auto keys, der::enter_only(der, Tag::sequence, "AsymmetricKeyPackage"));
    ESTUARY_TRY(const auto key, keys.element(Tag::sequence));
    ESTUARY_CHECK(keys.finish("AsymmetricKeyPackage of one key"));
    return decode_private_key(key.whole);
}

Result<Secret> sign_key_package(const PrivateKey& key, const Signer& signer, const std::vector<Bytes>& certificates) {
    ESTUARY_TRY(const auto package, encode_key_package(key));
    SignedDataBuilder builder{oid::asymmetric_key_package, package.reveal()};
    for (const auto certificate : certificates) builder.certificate(certificate);
    ESTUARY_TRY(auto message, builder.signer(signer).build());
    const Secret whole{std::move(message)};
    ESTUARY_TRY(const auto inner, inner_content(whole.reveal()));
    return Secret{inner};
}

Result<SignedData> parse_inner_signed_data(Bytes content, const Limits& limits) {
    ESTUARY_TRY(const auto fields, der::enter_only(content, Tag::sequence, "SignedData", der_limits(limits)));
    if (fields.next_is(Tag::oid)) return SignedData::parse(content, limits);
    const Secret wrapped{make_content_info(oid::signed_data, content)};
    return SignedData::parse(wrapped.reveal(), limits);
}

Result<PrivateKey> key_of_package(const SignedData& package) {
    if (package.content_type() != oid::asymmetric_key_package || !package.content())
        return fail(Code::unsupported, "SignedData: not a package of private keys");
    return decode_key_package(*package.content());
}

}  // namespace estuary::cms
