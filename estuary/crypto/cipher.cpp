#include "estuary/crypto/cipher.h"

#include <climits>
#include <string>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <fmt/format.h>

#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using Cipher = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t block_octets_max = 32;
constexpr std::size_t data_octets_max = INT_MAX / 2;  // EVP counts in int

enum class Direction : int { decrypt = 0, encrypt = 1 };

tl::unexpected<Error> failed(std::string_view what) {
    return fail(Code::bad_proof, fmt::format("{} failed", what), openssl::drain_errors());
}

/// A context with the cipher, key and IV set.
Result<CipherContext> start(std::string_view name, Bytes key, Bytes iv, Direction direction) {
    openssl::clear_errors();
    const Cipher cipher{EVP_CIPHER_fetch(nullptr, std::string{name}.c_str(), nullptr)};
    if (!cipher) return fail(Code::unsupported, fmt::format("cipher {} is not available", name), openssl::drain_errors());
    if (key.size() != static_cast<std::size_t>(EVP_CIPHER_get_key_length(cipher.get())) ||
        (!iv.empty() && iv.size() != static_cast<std::size_t>(EVP_CIPHER_get_iv_length(cipher.get()))))
        return fail(Code::unsupported, fmt::format("{} with a key or an IV of another length", name));
    CipherContext context{EVP_CIPHER_CTX_new()};
    if (!context) throw std::bad_alloc{};
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), iv.empty() ? nullptr : iv.data(), static_cast<int>(direction),
                           nullptr) != 1)
        return fail(Code::unsupported, fmt::format("{} failed to start", name), openssl::drain_errors());
    return context;
}

/// All of the octets through the context, and its end. False: see the error queue; what was made is wiped.
bool run(EVP_CIPHER_CTX* context, Bytes in, ByteVec& out) {
    if (in.size() > data_octets_max) return false;
    out.resize(in.size() + block_octets_max);
    int size = 0, rest = 0;  // an update without octets would mean something else to the AEAD ciphers
    const bool good = (in.empty() || EVP_CipherUpdate(context, out.data(), &size, in.data(), static_cast<int>(in.size())) == 1) &&
                      EVP_CipherFinal_ex(context, out.data() + size, &rest) == 1;
    const auto made = good ? static_cast<std::size_t>(size) + static_cast<std::size_t>(rest) : 0;
    wipe(std::span{out}.subspan(made));  // block leavings, or all of it
    out.resize(made);
    return good;
}

bool add_additional(EVP_CIPHER_CTX* context, Bytes additional) {
    int size = 0;
    return additional.empty() ||
           (additional.size() <= data_octets_max &&
            EVP_CipherUpdate(context, nullptr, &size, additional.data(), static_cast<int>(additional.size())) == 1);
}

Result<std::string_view> wrap_cipher(Bytes key_encryption_key) {
    switch (key_encryption_key.size()) {
        case 16: return "AES-128-WRAP";
        case 24: return "AES-192-WRAP";
        case 32: return "AES-256-WRAP";
        default: return fail(Code::bad_key, fmt::format("a key-encryption key of {} octets", key_encryption_key.size()));
    }
}

}  // namespace

Result<ByteVec> encrypt_cbc(std::string_view cipher, Bytes key, Bytes iv, Bytes plain, Padding padding) {
    ESTUARY_TRY(const auto context, start(cipher, key, iv, Direction::encrypt));
    EVP_CIPHER_CTX_set_padding(context.get(), padding == Padding::pkcs7 ? 1 : 0);
    ByteVec out;
    if (!run(context.get(), plain, out)) return failed(cipher);
    return out;
}

Result<Secret> decrypt_cbc(std::string_view cipher, Bytes key, Bytes iv, Bytes encrypted, Padding padding) {
    ESTUARY_TRY(const auto context, start(cipher, key, iv, Direction::decrypt));
    EVP_CIPHER_CTX_set_padding(context.get(), padding == Padding::pkcs7 ? 1 : 0);
    ByteVec out;
    if (!run(context.get(), encrypted, out)) return failed(cipher);
    return Secret{std::move(out)};
}

Result<Sealed> encrypt_gcm(std::string_view cipher, Bytes key, Bytes nonce, Bytes additional, Bytes plain) {
    ESTUARY_TRY(const auto context, start(cipher, key, nonce, Direction::encrypt));
    Sealed sealed{{}, ByteVec(gcm_tag_octets)};
    if (!add_additional(context.get(), additional) || !run(context.get(), plain, sealed.encrypted) ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(gcm_tag_octets), sealed.tag.data()) != 1)
        return failed(cipher);
    return sealed;
}

Result<Secret> decrypt_gcm(std::string_view cipher, Bytes key, Bytes nonce, Bytes additional, Bytes encrypted, Bytes tag) {
    ESTUARY_TRY(const auto context, start(cipher, key, nonce, Direction::decrypt));
    auto expected = to_vec(tag);
    ByteVec out;
    if (tag.size() > gcm_tag_octets ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), expected.data()) != 1 ||
        !add_additional(context.get(), additional) || !run(context.get(), encrypted, out))
        return failed(cipher);
    return Secret{std::move(out)};
}

Result<ByteVec> wrap_key(Bytes key_encryption_key, Bytes key) {
    ESTUARY_TRY(const auto cipher, wrap_cipher(key_encryption_key));
    if (key.size() < 16 || key.size() % 8 != 0)
        return fail(Code::bad_key, fmt::format("a key of {} octets to be wrapped", key.size()));
    ESTUARY_TRY(const auto context, start(cipher, key_encryption_key, {}, Direction::encrypt));
    ByteVec out;
    if (!run(context.get(), key, out)) return failed(cipher);
    return out;
}

Result<Secret> unwrap_key(Bytes key_encryption_key, Bytes wrapped) {
    ESTUARY_TRY(const auto cipher, wrap_cipher(key_encryption_key));
    if (wrapped.size() < 24 || wrapped.size() % 8 != 0) return fail(Code::bad_proof, fmt::format("{} failed", cipher));
    ESTUARY_TRY(const auto context, start(cipher, key_encryption_key, {}, Direction::decrypt));
    ByteVec out;
    if (!run(context.get(), wrapped, out)) return failed(cipher);
    return Secret{std::move(out)};
}

}  // namespace estuary::crypto
