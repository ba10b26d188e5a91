#include <array>
#include <cstring>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include <fmt/format.h>

#include "estuary/asn1/der.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/crypto/key.h"
#include "estuary/crypto/openssl.h"

namespace estuary::crypto {

struct PrivateKey::Impl {
    Impl(openssl::Pkey owned, PublicKey half);

    openssl::Pkey key;
    PublicKey public_key;
    const SignatureAlgorithm* algorithm = nullptr;  ///< null for keys that do not sign
    openssl::DigestContext ready;  ///< initialised for signing, only ever copied; null where copies cannot be made
};

namespace {

using openssl::Bio;
using openssl::DigestContext;
using openssl::Pkey;
using openssl::PkeyContext;
using Pkcs8 = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using EncryptedPkcs8 = Handle<X509_SIG, X509_SIG_free>;
using AlgorithmHandle = Handle<X509_ALGOR, X509_ALGOR_free>;
using Cipher = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using Store = Handle<OSSL_STORE_CTX, OSSL_STORE_close>;
using StoreInfo = Handle<OSSL_STORE_INFO, OSSL_STORE_INFO_free>;
using UiMethod = Handle<UI_METHOD, UI_destroy_method>;

/// Keys are a few kilobytes; the largest (SLH-DSA, RSA-16384) stay below 16 kB.
constexpr std::size_t key_file_bytes_max = 1u << 20;
/// 16 MiB of memory, the most that OpenSSL's PKCS#8 reader grants; p makes up for it (about 250 ms here).
constexpr std::uint64_t scrypt_n = 1u << 14, scrypt_r = 8, scrypt_p = 5;
/// What OWASP asks of PBKDF2-HMAC-SHA256 (2023).
constexpr int pbkdf2_iterations = 600'000;
constexpr std::size_t pbes2_salt_octets = 16;

/// What OpenSSL's callback for passphrases gets; without it, OpenSSL asks at the terminal.
struct Passphrase {
    const Secret* secret = nullptr;
    bool asked = false;
};

int give_passphrase(char* buffer, int size, int /*writing*/, void* state) {
    auto& passphrase = *static_cast<Passphrase*>(state);
    passphrase.asked = true;
    if (passphrase.secret == nullptr) return -1;
    const auto text = passphrase.secret->reveal();
    if (size < 0 || text.size() > static_cast<std::size_t>(size)) return -1;
    if (!text.empty()) std::memcpy(buffer, text.data(), text.size());
    return static_cast<int>(text.size());
}

/// Why a key could not be read, told apart for the operator.
tl::unexpected<Error> unreadable(const Passphrase& passphrase, std::string cause = openssl::drain_errors()) {
    if (passphrase.asked && passphrase.secret == nullptr)
        return fail(Code::not_authenticated, "the private key is encrypted, and no passphrase was given",
                    std::move(cause));
    if (passphrase.asked)
        return fail(Code::not_authenticated, "the passphrase does not open the private key", std::move(cause));
    return fail(Code::malformed, "not a private key (PKCS#8, SEC1 or PKCS#1, PEM or DER) of a supported kind",
                std::move(cause));
}

Result<PublicKey> public_half(EVP_PKEY* key) {
    unsigned char* encoded = nullptr;
    const int size = i2d_PUBKEY(key, &encoded);
    if (size <= 0) return fail(Code::bad_key, "the key has no public half that can be read", openssl::drain_errors());
    auto made = PublicKey::from_spki({encoded, static_cast<std::size_t>(size)});
    OPENSSL_free(encoded);
    return made;
}

/// SubjectPublicKeyInfo of an EC key whose curve is known, without the library's encoder, which takes 130 us on OpenSSL 3.0.
/// Empty for all else.
ByteVec quick_spki(EVP_PKEY* key, const KeyType& type) {
    constexpr std::size_t point_octets_max = 1 + 2 * 66;  // P-521
    std::array<std::uint8_t, point_octets_max> point;
    std::size_t size = 0;
    const bool given = type.kind == KeyKind::ec &&
                       EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(), point.size(), &size) == 1;
    if (!given || size != 1 + 2 * ((type.bits + 7) / 8) || point[0] != 0x04) return {};
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] { writer.oid(type.algorithm).oid(type.parameters); });
        writer.bit_string(Bytes{point}.first(size));
    });
    return std::move(writer).take();
}

Result<PublicKey> public_half(EVP_PKEY* key, const KeyType& type) {
    const auto spki = quick_spki(key, type);
    return spki.empty() ? public_half(key) : PublicKey::from_spki(spki);
}

/// One context a thread and key type: making one costs more than a P-256 key does. Null where the library refuses.
EVP_PKEY_CTX* generation_context(const KeyType& type) {
    thread_local std::vector<PkeyContext> contexts(key_types().size());
    auto& context = contexts[static_cast<std::size_t>(&type - key_types().data())];
    if (context) return context.get();
    PkeyContext made{EVP_PKEY_CTX_new_from_name(nullptr, type.openssl_name.c_str(), nullptr)};
    const bool ready = made && EVP_PKEY_keygen_init(made.get()) == 1 &&
                       (type.group.empty() || EVP_PKEY_CTX_set_group_name(made.get(), type.group.c_str()) == 1) &&
                       (type.kind != KeyKind::rsa || EVP_PKEY_CTX_set_rsa_keygen_bits(made.get(), static_cast<int>(type.bits)) == 1);
    if (ready) context = std::move(made);
    return context.get();
}

constexpr der::Oid ecdsa_sha256{"1.2.840.10045.4.3.2"}, ecdsa_sha384{"1.2.840.10045.4.3.3"},
    ecdsa_sha512{"1.2.840.10045.4.3.4"}, rsa_sha256{"1.2.840.113549.1.1.11"}, rsa_sha384{"1.2.840.113549.1.1.12"};

/// A digest as strong as the curve or modulus.
const SignatureAlgorithm* natural_algorithm(const PublicKey& key) {
    switch (key.kind()) {
        case KeyKind::ec:
            return signature_algorithm(key.bits() <= 256   ? ecdsa_sha256
                                       : key.bits() <= 384 ? ecdsa_sha384
                                                           : ecdsa_sha512);
        case KeyKind::rsa:
            if (EVP_PKEY_is_a(key.handle(), "RSA-PSS") == 1) return nullptr;  // never made here
            return signature_algorithm(key.bits() < 4096 ? rsa_sha256 : rsa_sha384);
        case KeyKind::ed25519:
        case KeyKind::ed448:
        case KeyKind::ml_dsa:
        case KeyKind::slh_dsa: {
            const auto type = key_type(key.type_name());
            return type ? signature_algorithm((*type)->algorithm) : nullptr;
        }
        case KeyKind::ml_kem:
        case KeyKind::other: return nullptr;
    }
    return nullptr;
}

bool begin_signing(EVP_MD_CTX* context, EVP_PKEY* key, const SignatureAlgorithm& algorithm) {
    const char* digest = algorithm.digest.empty() ? nullptr : algorithm.digest.c_str();
    return EVP_DigestSignInit_ex(context, nullptr, digest, nullptr, nullptr, key, nullptr) == 1;
}

/// A context to copy for each signature; null where that fails (no digest on OpenSSL 3.0, some tokens).
DigestContext make_ready(EVP_PKEY* key, const SignatureAlgorithm& algorithm) {
    DigestContext ready{EVP_MD_CTX_new()}, probe{EVP_MD_CTX_new()};
    const bool copies = ready && probe && !algorithm.digest.empty() && begin_signing(ready.get(), key, algorithm) &&
                        EVP_MD_CTX_copy_ex(probe.get(), ready.get()) == 1;
    openssl::clear_errors();
    return copies ? std::move(ready) : nullptr;
}

bool looks_like_pem(Bytes encoded) { return as_text(encoded).find("-----BEGIN ") != std::string_view::npos; }

/// EncryptedPrivateKeyInfo (RFC 5958 3) begins with an AlgorithmIdentifier, all others with a version.
bool is_encrypted_der(Bytes encoded) {
    auto reader = der::enter_only(encoded, der::Tag::sequence, "private key");
    return reader && reader->next_is(der::Tag::sequence);
}

Result<Pkey> read_pem(Bytes text, const Secret* secret) {
    const Bio bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
    if (!bio) return fail(Code::internal, "no memory for a private key", openssl::drain_errors());
    Passphrase passphrase{secret};
    Pkey key{PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, give_passphrase, &passphrase, nullptr, nullptr)};
    if (!key) return unreadable(passphrase);
    return key;
}

Result<Pkey> read_der(Bytes encoded, const Secret* secret) {
    if (is_encrypted_der(encoded)) return read_pem(as_bytes(to_pem("ENCRYPTED PRIVATE KEY", encoded)), secret);
    ESTUARY_CHECK(der::check_der(encoded, "private key"));
    const std::uint8_t* at = encoded.data();
    Pkey key{d2i_AutoPrivateKey_ex(nullptr, &at, static_cast<long>(encoded.size()), nullptr, nullptr)};
    if (!key || at != encoded.data() + encoded.size()) return unreadable({});
    return key;
}

/// "pkcs11:…", "handle:…": a scheme of two letters or more; a path may begin with "./" where it would look like one.
bool is_uri(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon < 2) return false;
    return std::ranges::all_of(text.substr(0, colon), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
               c == '.';
    });
}

std::string_view scheme_of(std::string_view uri) { return uri.substr(0, uri.find(':')); }

/// OpenSSL puts the URI into its errors, and a URI may hold a PIN.
std::string drain_errors_without(std::string_view uri) {
    auto cause = openssl::drain_errors();
    for (auto at = cause.find(uri); at != std::string::npos; at = cause.find(uri))
        cause.replace(at, uri.size(), "the URI");
    return cause;
}

/// The one private key that a store has under a URI.
Result<Pkey> read_store(const std::string& uri, const Secret* secret) {
    Passphrase passphrase{secret};
    const UiMethod method{UI_UTIL_wrap_read_pem_callback(give_passphrase, 0)};
    const Store store{
        OSSL_STORE_open_ex(uri.c_str(), nullptr, nullptr, method.get(), &passphrase, nullptr, nullptr, nullptr)};
    if (!store)
        return fail(
            Code::unavailable,
            fmt::format("no OpenSSL provider opens '{}:' keys; is it configured in openssl.cnf?", scheme_of(uri)),
            drain_errors_without(uri));
    OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY);  // a hint: some stores ignore it
    Pkey found;
    while (OSSL_STORE_eof(store.get()) == 0) {
        const StoreInfo info{OSSL_STORE_load(store.get())};
        if (!info) {
            if (OSSL_STORE_error(store.get()) != 0) break;
            continue;
        }
        if (OSSL_STORE_INFO_get_type(info.get()) != OSSL_STORE_INFO_PKEY) continue;
        if (found) return fail(Code::conflict, "the URI names more than one private key; make it more precise");
        found.reset(OSSL_STORE_INFO_get1_PKEY(info.get()));
    }
    if (found) return found;
    if (passphrase.asked) return unreadable(passphrase, drain_errors_without(uri));
    return fail(Code::not_found, fmt::format("no private key under the '{}:' URI", scheme_of(uri)),
                drain_errors_without(uri));
}

/// PBES2 parameters (RFC 8018 A.4) with scrypt (RFC 7914 7), or PBKDF2 where the library lacks it.
AlgorithmHandle encryption_algorithm(const EVP_CIPHER* cipher) {
    std::array<std::uint8_t, pbes2_salt_octets> salt;
    random(salt);
    AlgorithmHandle made;
#ifndef OPENSSL_NO_SCRYPT
    made.reset(PKCS5_pbe2_set_scrypt(cipher, salt.data(), salt.size(), nullptr, scrypt_n, scrypt_r, scrypt_p));
#endif
    if (!made)
        made.reset(PKCS5_pbe2_set_iv_ex(cipher, pbkdf2_iterations, salt.data(), salt.size(), nullptr,
                                        NID_hmacWithSHA256, nullptr));
    return made;
}

bool write_encrypted(BIO* to, const PKCS8_PRIV_KEY_INFO* info, const Secret& passphrase) {
    const Cipher cipher{EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)};
    AlgorithmHandle algorithm = cipher ? encryption_algorithm(cipher.get()) : nullptr;
    if (!algorithm) return false;
    const auto text = passphrase.reveal_text();
    auto* plain = const_cast<PKCS8_PRIV_KEY_INFO*>(info);  // only read; not const in OpenSSL's signature
    const EncryptedPkcs8 encrypted{
        PKCS8_set0_pbe_ex(text.data(), static_cast<int>(text.size()), plain, algorithm.get(), nullptr, nullptr)};
    if (!encrypted) return false;
    algorithm.release();  // now the envelope's
    return PEM_write_bio_PKCS8(to, encrypted.get()) == 1;
}

/// A damaged file may hold a private half that is not the public one's: found at once, not by those who verify.
Result<void> check_halves(const PrivateKey& key) {
    const auto algorithm = key.signature_algorithm();
    if (!algorithm || key.kind() == KeyKind::slh_dsa) return {};  // an SLH-DSA signature takes up to 0.3 s
    constexpr std::string_view message = "are the halves of this key a pair?";
    auto signature = key.sign(as_bytes(message));
    if (signature && key.public_key().verify((*algorithm)->identifier, as_bytes(message), *signature)) return {};
    return fail(Code::bad_key, "the halves of the private key do not belong together",
                signature ? std::string{} : std::move(signature).error().cause);
}

}  // namespace

PrivateKey::Impl::Impl(Pkey owned, PublicKey half)
    : key{std::move(owned)}, public_key{std::move(half)}, algorithm{natural_algorithm(public_key)},
      ready{algorithm == nullptr ? nullptr : make_ready(key.get(), *algorithm)} {}

Result<PrivateKey> PrivateKey::adopt(evp_pkey_st* raw) {
    Pkey key{raw};
    if (!key) return fail(Code::internal, "no private key given");
    openssl::clear_errors();
    ESTUARY_TRY(auto half, public_half(key.get()));
    PrivateKey made;
    made.impl_ = std::make_shared<const Impl>(std::move(key), std::move(half));
    return made;
}

Result<PrivateKey> PrivateKey::generate(std::string_view type_name) {
    ESTUARY_TRY(const KeyType* type, key_type(type_name));
    openssl::clear_errors();
    EVP_PKEY_CTX* const context = generation_context(*type);
    EVP_PKEY* raw = nullptr;
    if (context == nullptr || EVP_PKEY_generate(context, &raw) != 1)
        return fail(Code::internal, fmt::format("a {} key could not be made", type->name), openssl::drain_errors());
    Pkey key{raw};
    ESTUARY_TRY(auto half, public_half(key.get(), *type));
    PrivateKey made;
    made.impl_ = std::make_shared<const Impl>(std::move(key), std::move(half));
    return made;
}

Result<PrivateKey> PrivateKey::from_bytes(Bytes encoded, const Secret* passphrase) {
    if (encoded.size() > key_file_bytes_max)
        return fail(Code::too_large, fmt::format("a private key of more than {} bytes", key_file_bytes_max));
    openssl::clear_errors();
    ESTUARY_TRY(auto key, looks_like_pem(encoded) ? read_pem(encoded, passphrase) : read_der(encoded, passphrase));
    ESTUARY_TRY(auto made, adopt(key.release()));
    ESTUARY_CHECK(check_halves(made));
    return made;
}

Result<PrivateKey> PrivateKey::load(const std::string& path_or_uri, const Secret* passphrase) {
    if (is_uri(path_or_uri) && !path_or_uri.starts_with("file:")) {
        openssl::clear_errors();
        ESTUARY_TRY(auto key, read_store(path_or_uri, passphrase));
        return adopt(key.release());
    }
    std::string_view path = path_or_uri;
    if (path.starts_with("file:")) path.remove_prefix(5);
    if (path.starts_with("///")) path.remove_prefix(2);
    ESTUARY_TRY(auto octets, file::read_private(path, key_file_bytes_max));
    const Secret content{std::move(octets)};
    auto key = from_bytes(content.reveal(), passphrase);
    if (!key) return fail(in_context(path, std::move(key).error()));
    return key;
}

Result<Secret> PrivateKey::to_pem(const Secret* passphrase) const {
    openssl::clear_errors();
    const Pkcs8 info{EVP_PKEY2PKCS8(impl_->key.get())};
    if (!info) return fail(Code::unsupported, "this private key cannot leave its store", openssl::drain_errors());
    const Bio bio{BIO_new(BIO_s_mem())};  // wiped by OpenSSL when freed
    const bool written = bio && (passphrase == nullptr ? PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), info.get()) == 1
                                                       : write_encrypted(bio.get(), info.get(), *passphrase));
    if (!written) return fail(Code::internal, "the private key could not be written", openssl::drain_errors());
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return Secret{std::string_view{text, static_cast<std::size_t>(size)}};
}

const PublicKey& PrivateKey::public_key() const noexcept { return impl_->public_key; }
evp_pkey_st* PrivateKey::handle() const noexcept { return impl_->key.get(); }

Result<const SignatureAlgorithm*> PrivateKey::signature_algorithm() const {
    if (impl_->algorithm == nullptr)
        return fail(Code::bad_key, fmt::format("a {} key does not sign here", public_key().type_name()));
    return impl_->algorithm;
}

Result<ByteVec> PrivateKey::sign(Bytes message) const {
    ESTUARY_TRY(const SignatureAlgorithm* algorithm, signature_algorithm());
    openssl::clear_errors();
    const DigestContext context{EVP_MD_CTX_new()};
    const bool begun = context && (impl_->ready ? EVP_MD_CTX_copy_ex(context.get(), impl_->ready.get()) == 1
                                                : begin_signing(context.get(), impl_->key.get(), *algorithm));
    ByteVec signature(static_cast<std::size_t>(std::max(EVP_PKEY_get_size(impl_->key.get()), 0)));
    std::size_t size = signature.size();
    if (!begun || EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1)
        return fail(Code::internal, "signing failed", openssl::drain_errors());
    signature.resize(size);
    return signature;
}

}  // namespace estuary::crypto
