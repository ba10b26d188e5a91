#include "estuary/crypto/digest.h"

#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <fmt/format.h>

#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using openssl::DigestContext;

/// A fault of our own: without digests and random octets nothing here can be trusted to go on.
[[noreturn]] void broken(std::string_view what) {
    throw std::runtime_error{fmt::format("OpenSSL: {}: {}", what, openssl::drain_errors())};
}

/// One context a thread: making one costs as much as digesting a certificate.
EVP_MD_CTX* thread_context() {
    thread_local const DigestContext context{EVP_MD_CTX_new()};
    if (!context) throw std::bad_alloc{};
    return context.get();
}

template <std::size_t Size>
std::array<std::uint8_t, Size> digest_array(const EVP_MD* md, Bytes data) {
    std::array<std::uint8_t, Size> out;
    if (md == nullptr || !openssl::digest_into(md, data, out.data())) broken("a basic digest failed");
    return out;
}

using Mac = Handle<EVP_MAC, EVP_MAC_free>;
using MacContext = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;

/// HMAC-SHA256 without a key yet; one a thread, keyed anew for each use.
EVP_MAC_CTX* thread_hmac() {
    thread_local const MacContext context = [] {
        const Mac mac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
        MacContext made{mac ? EVP_MAC_CTX_new(mac.get()) : nullptr};
        std::array<char, 7> name{"SHA256"};
        const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                                    OSSL_PARAM_construct_end()};
        if (!made || EVP_MAC_CTX_set_params(made.get(), parameters.data()) != 1) broken("no HMAC-SHA256");
        return made;
    }();
    return context.get();
}

}  // namespace

bool openssl::digest_into(const EVP_MD* md, Bytes data, std::uint8_t* out) {
    EVP_MD_CTX* context = thread_context();
    return EVP_DigestInit_ex2(context, md, nullptr) == 1 && EVP_DigestUpdate(context, data.data(), data.size()) == 1 &&
           EVP_DigestFinal_ex(context, out, nullptr) == 1;
}

Sha256 sha256(Bytes data) {
    static const EVP_MD* const md = openssl::digest_by_name("SHA256");
    return digest_array<32>(md, data);
}

Sha1 sha1_for_identifiers(Bytes data) {
    static const EVP_MD* const md = openssl::digest_by_name("SHA1");
    return digest_array<20>(md, data);
}

Result<ByteVec> digest(std::string_view name, Bytes data) {
    openssl::clear_errors();
    const EVP_MD* md = openssl::digest_by_name(name);
    if (md == nullptr)
        return fail(Code::unsupported, fmt::format("digest {} is not available", name), openssl::drain_errors());
    const int size = EVP_MD_get_size(md);
    if (size <= 0) return fail(Code::unsupported, fmt::format("digest {} has no fixed length", name));
    ByteVec out(static_cast<std::size_t>(size));
    if (!openssl::digest_into(md, data, out.data()))
        return fail(Code::internal, fmt::format("digest {} failed", name), openssl::drain_errors());
    return out;
}

Sha256 hmac_sha256(Bytes key, Bytes data) {
    EVP_MAC_CTX* context = thread_hmac();
    const std::uint8_t none = 0;  // a null key would mean: the key of the last use
    Sha256 out;
    std::size_t size = 0;
    if (EVP_MAC_init(context, key.empty() ? &none : key.data(), key.size(), nullptr) != 1 ||
        EVP_MAC_update(context, data.data(), data.size()) != 1 ||
        EVP_MAC_final(context, out.data(), &size, out.size()) != 1 || size != out.size())
        broken("HMAC-SHA256 failed");
    return out;
}

void random(std::span<std::uint8_t> out) {
    if (out.empty()) return;
    if (RAND_bytes_ex(nullptr, out.data(), out.size(), 0) != 1) broken("no random octets");
}

bool equal_in_constant_time(Bytes a, Bytes b) noexcept {
    return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace estuary::crypto
