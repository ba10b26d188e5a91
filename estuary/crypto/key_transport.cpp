#include "estuary/crypto/key_transport.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <fmt/format.h>

#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using openssl::PkeyContext;
using Bignum = Handle<BIGNUM, BN_clear_free>;

tl::unexpected<Error> wrong_kind(std::string_view what, const std::string& type) {
    return fail(Code::bad_key, fmt::format("{} with a {} key", what, type));
}

PkeyContext context_of(EVP_PKEY* key) { return PkeyContext{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)}; }

bool set_oaep(EVP_PKEY_CTX* context, std::string_view digest) {
    const EVP_MD* md = openssl::digest_by_name(digest);
    return md != nullptr && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1;
}

/// An empty digest: PKCS#1 v1.5.
Result<ByteVec> encrypt_rsa(const PublicKey& key, std::string_view digest, Bytes plain) {
    if (key.kind() != KeyKind::rsa) return wrong_kind("RSA encryption", key.type_name());
    openssl::clear_errors();
    const auto context = context_of(key.handle());
    ByteVec out(static_cast<std::size_t>(EVP_PKEY_get_size(key.handle())));
    std::size_t size = out.size();
    if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
        (digest.empty() ? EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1
                        : !set_oaep(context.get(), digest)) ||
        EVP_PKEY_encrypt(context.get(), out.data(), &size, plain.data(), plain.size()) != 1)
        return fail(Code::bad_key, "RSA encryption failed", openssl::drain_errors());
    out.resize(size);
    return out;
}

/// m = c^d mod n, as many octets as the modulus; nothing if `encrypted` is none of the numbers below n, which anybody can see.
std::optional<ByteVec> rsa_decrypt_raw(const PrivateKey& key, Bytes encrypted) {
    const auto context = context_of(key.handle());
    ByteVec out(static_cast<std::size_t>(EVP_PKEY_get_size(key.handle())));
    std::size_t size = out.size();
    if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) != 1 ||
        EVP_PKEY_decrypt(context.get(), out.data(), &size, encrypted.data(), encrypted.size()) != 1 || size != out.size())
        return std::nullopt;
    return out;
}

/// Of the private key only, so that every process answers the same message alike; where the key does not leave its token, of
/// this process.
Sha256 rejection_key(const PrivateKey& key) {
    static const Sha256 of_this_process = [] {
        Sha256 octets;
        random(octets);
        return octets;
    }();
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key.handle(), OSSL_PKEY_PARAM_RSA_D, &raw) != 1) return of_this_process;
    const Bignum exponent{raw};
    ByteVec octets(static_cast<std::size_t>(BN_num_bytes(exponent.get())));
    BN_bn2bin(exponent.get(), octets.data());
    const auto made = hmac_sha256(octets, as_bytes("implicit rejection"));
    wipe(octets);
    return made;
}

/// `octets` that look like any key and always come out the same for the same message.
ByteVec rejected(const PrivateKey& key, Bytes encrypted, std::size_t octets) {
    auto secret = rejection_key(key);
    auto seed = to_vec(hmac_sha256(secret, encrypted));
    ByteVec out;
    for (std::uint8_t counter = 0; out.size() < octets; ++counter) {
        seed.push_back(counter);
        append(out, hmac_sha256(secret, seed));
        seed.pop_back();
    }
    out.resize(octets);
    wipe(secret);
    return out;
}

/// FF if zero, else 00, without a branch.
std::uint8_t mask_if_zero(unsigned octet) { return static_cast<std::uint8_t>((octet - 1u) >> 8 & ~octet >> 8); }

/// 00 02 PS 00 key, PS of non-zero octets (at least eight): FF if it is that with a key of `octets`, else 00. No branch, and no
/// index, depends on the octets.
std::uint8_t is_padded(Bytes message, std::size_t octets) {
    unsigned wrong = message[0] | (message[1] ^ 0x02u);
    const auto zero_at = message.size() - octets - 1;
    for (std::size_t i = 2; i < zero_at; ++i) wrong |= mask_if_zero(message[i]);
    wrong |= message[zero_at];
    return mask_if_zero(wrong & 0xFF);
}

}  // namespace

Result<ByteVec> encrypt_rsa_pkcs1(const PublicKey& key, Bytes plain) { return encrypt_rsa(key, {}, plain); }
Result<ByteVec> encrypt_rsa_oaep(const PublicKey& key, std::string_view digest, Bytes plain) {
    return encrypt_rsa(key, digest, plain);
}

Result<Secret> decrypt_rsa_pkcs1(const PrivateKey& key, Bytes encrypted, std::size_t octets) {
    constexpr std::size_t overhead = 11;  // 00 02, eight octets of padding, 00
    if (key.kind() != KeyKind::rsa) return wrong_kind("RSA decryption", key.public_key().type_name());
    if (octets + overhead > static_cast<std::size_t>(EVP_PKEY_get_size(key.handle())))
        return fail(Code::bad_key, "RSA key too small for such a key");
    openssl::clear_errors();
    auto out = rejected(key, encrypted, octets);
    auto message = rsa_decrypt_raw(key, encrypted);
    openssl::clear_errors();
    if (!message) return Secret{std::move(out)};
    const auto mask = is_padded(*message, octets);
    const auto found = Bytes{*message}.last(octets);
    for (std::size_t i = 0; i < octets; ++i) out[i] = static_cast<std::uint8_t>((found[i] & mask) | (out[i] & ~mask));
    wipe(*message);
    return Secret{std::move(out)};
}

Result<Secret> decrypt_rsa_oaep(const PrivateKey& key, std::string_view digest, Bytes encrypted) {
    if (key.kind() != KeyKind::rsa) return wrong_kind("RSA decryption", key.public_key().type_name());
    openssl::clear_errors();
    const auto context = context_of(key.handle());
    ByteVec out(static_cast<std::size_t>(EVP_PKEY_get_size(key.handle())));
    std::size_t size = out.size();
    if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 || !set_oaep(context.get(), digest) ||
        EVP_PKEY_decrypt(context.get(), out.data(), &size, encrypted.data(), encrypted.size()) != 1)
        return fail(Code::bad_proof, "RSA decryption failed", openssl::drain_errors());
    wipe(std::span{out}.subspan(size));
    out.resize(size);
    return Secret{std::move(out)};
}

Result<Secret> agree(const PrivateKey& own, const PublicKey& other) {
    if (own.public_key().type_name() != other.type_name()) return wrong_kind("key agreement of another kind", other.type_name());
    openssl::clear_errors();
    const auto context = context_of(own.handle());
    std::size_t size = 0;
    if (!context || EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), other.handle()) != 1 ||
        EVP_PKEY_derive(context.get(), nullptr, &size) != 1)
        return fail(Code::bad_key, fmt::format("key agreement with a {} key failed", other.type_name()), openssl::drain_errors());
    ByteVec out(size);
    if (EVP_PKEY_derive(context.get(), out.data(), &size) != 1)
        return fail(Code::bad_key, "key agreement failed", openssl::drain_errors());
    out.resize(size);
    return Secret{std::move(out)};
}

Result<Encapsulated> encapsulate(const PublicKey& key) {
    if (key.kind() != KeyKind::ml_kem) return wrong_kind("key encapsulation", key.type_name());
    openssl::clear_errors();
    const auto context = context_of(key.handle());
    std::size_t ciphertext_size = 0, shared_size = 0;
    if (!context || EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1 ||
        EVP_PKEY_encapsulate(context.get(), nullptr, &ciphertext_size, nullptr, &shared_size) != 1)
        return fail(Code::unsupported, "key encapsulation is not available", openssl::drain_errors());
    ByteVec ciphertext(ciphertext_size), shared(shared_size);
    if (EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &ciphertext_size, shared.data(), &shared_size) != 1)
        return fail(Code::internal, "key encapsulation failed", openssl::drain_errors());
    return Encapsulated{std::move(ciphertext), Secret{std::move(shared)}};
}

Result<Secret> decapsulate(const PrivateKey& key, Bytes ciphertext) {
    if (key.kind() != KeyKind::ml_kem) return wrong_kind("key decapsulation", key.public_key().type_name());
    openssl::clear_errors();
    const auto context = context_of(key.handle());
    std::size_t size = 0;
    if (!context || EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
        EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data(), ciphertext.size()) != 1)
        return fail(Code::bad_proof, "key decapsulation failed", openssl::drain_errors());
    ByteVec out(size);
    if (EVP_PKEY_decapsulate(context.get(), out.data(), &size, ciphertext.data(), ciphertext.size()) != 1)
        return fail(Code::bad_proof, "key decapsulation failed", openssl::drain_errors());
    out.resize(size);
    return Secret{std::move(out)};
}

}  // namespace estuary::crypto
