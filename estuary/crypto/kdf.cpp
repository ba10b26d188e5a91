#include "estuary/crypto/kdf.h"

#include <string>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <fmt/format.h>

#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using Kdf = Handle<EVP_KDF, EVP_KDF_free>;
using KdfContext = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

/// The parameters of one derivation; OpenSSL takes them as not const, but does not write to them.
class KdfParameters {
public:
    explicit KdfParameters(std::string_view digest) : digest_{digest} {
        list_.push_back(OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_.data(), 0));
    }
    KdfParameters& octets(const char* name, Bytes value) {
        static std::uint8_t none = 0;  // a null pointer would be no value at all
        auto* data = value.empty() ? &none : const_cast<std::uint8_t*>(value.data());
        list_.push_back(OSSL_PARAM_construct_octet_string(name, data, value.size()));
        return *this;
    }
    KdfParameters& number(const char* name, std::uint64_t* value) {
        list_.push_back(OSSL_PARAM_construct_uint64(name, value));
        return *this;
    }
    KdfParameters& flag(const char* name, int* value) {
        list_.push_back(OSSL_PARAM_construct_int(name, value));
        return *this;
    }
    Result<Secret> derive(const char* function, std::size_t octets) {
        list_.push_back(OSSL_PARAM_construct_end());
        openssl::clear_errors();
        const Kdf kdf{EVP_KDF_fetch(nullptr, function, nullptr)};
        const KdfContext context{kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr};
        if (!context) return fail(Code::unsupported, fmt::format("{} is not available", function), openssl::drain_errors());
        ByteVec out(octets);
        if (EVP_KDF_derive(context.get(), out.data(), out.size(), list_.data()) != 1)
            return fail(Code::unsupported, fmt::format("{} with {} failed", function, digest_), openssl::drain_errors());
        return Secret{std::move(out)};
    }

private:
    std::string digest_;
    std::vector<OSSL_PARAM> list_;
};

}  // namespace

Result<Secret> x963_kdf(std::string_view digest, Bytes shared_secret, Bytes shared_info, std::size_t octets) {
    return KdfParameters{digest}
        .octets(OSSL_KDF_PARAM_SECRET, shared_secret)
        .octets(OSSL_KDF_PARAM_INFO, shared_info)
        .derive("X963KDF", octets);
}

Result<Secret> hkdf(std::string_view digest, Bytes key_material, Bytes salt, Bytes info, std::size_t octets) {
    KdfParameters parameters{digest};
    parameters.octets(OSSL_KDF_PARAM_KEY, key_material).octets(OSSL_KDF_PARAM_INFO, info);
    if (!salt.empty()) parameters.octets(OSSL_KDF_PARAM_SALT, salt);
    return parameters.derive("HKDF", octets);
}

Result<Secret> pbkdf2(std::string_view digest, Bytes password, Bytes salt, std::uint64_t iterations, std::size_t octets) {
    int no_lower_bounds = 1;  // the peer chose salt and count: what is too little for SP 800-132 still has to be read
    return KdfParameters{digest}
        .octets(OSSL_KDF_PARAM_PASSWORD, password)
        .octets(OSSL_KDF_PARAM_SALT, salt)
        .number(OSSL_KDF_PARAM_ITER, &iterations)
        .flag(OSSL_KDF_PARAM_PKCS5, &no_lower_bounds)
        .derive("PBKDF2", octets);
}

}  // namespace estuary::crypto
