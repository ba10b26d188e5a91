#include "estuary/cms/content_cipher.h"

#include <array>

#include <fmt/format.h>

#include "estuary/crypto/cipher.h"
#include "estuary/crypto/digest.h"

namespace estuary::cms {
namespace {

using der::Oid;
using der::Tag;

constexpr std::int64_t tag_octets_default = 12;  // RFC 5084 3.2
constexpr std::int64_t tag_octets_max = 16;

constexpr std::array ciphers{
    ContentCipher{Oid{"2.16.840.1.101.3.4.1.2"}, "AES-128-CBC", 16, 16},
    ContentCipher{Oid{"2.16.840.1.101.3.4.1.22"}, "AES-192-CBC", 24, 16},
    ContentCipher{Oid{"2.16.840.1.101.3.4.1.42"}, "AES-256-CBC", 32, 16},
    ContentCipher{Oid{"2.16.840.1.101.3.4.1.6"}, "AES-128-GCM", 16, 12, true},
    ContentCipher{Oid{"2.16.840.1.101.3.4.1.26"}, "AES-192-GCM", 24, 12, true},
    ContentCipher{Oid{"2.16.840.1.101.3.4.1.46"}, "AES-256-GCM", 32, 12, true},
    ContentCipher{Oid{"1.2.840.113549.3.7"}, "DES-EDE3-CBC", 24, 8, false, true},
};

Result<CipherUse> read_gcm(const ContentCipher& cipher, Bytes parameters) {
    ESTUARY_TRY(auto fields, der::enter_only(parameters, Tag::sequence, "GCMParameters"));
    ESTUARY_TRY(const auto nonce, fields.octet_string());
    std::int64_t tag_octets = tag_octets_default;
    if (!fields.empty()) {
        ESTUARY_TRY(tag_octets, fields.integer());
        if (tag_octets == tag_octets_default) return fail(Code::malformed, "GCMParameters: aes-ICVlen states its default");
    }
    ESTUARY_CHECK(fields.finish("GCMParameters"));
    if (tag_octets < tag_octets_default || tag_octets > tag_octets_max)
        return fail(Code::malformed, fmt::format("GCMParameters: aes-ICVlen of {}", tag_octets));
    if (nonce.size() != cipher.iv_octets)
        return fail(Code::unsupported, fmt::format("GCMParameters: nonce of {} octets", nonce.size()));
    return CipherUse{&cipher, to_vec(nonce), static_cast<std::size_t>(tag_octets)};
}

Result<CipherUse> read_cbc(const ContentCipher& cipher, Bytes parameters) {
    der::Reader reader{parameters};
    ESTUARY_TRY(const auto iv, reader.octet_string());
    ESTUARY_CHECK(reader.finish("IV"));
    if (iv.size() != cipher.iv_octets)
        return fail(Code::malformed, fmt::format("{} with an IV of {} octets", cipher.name, iv.size()));
    return CipherUse{&cipher, to_vec(iv), 0};
}

}  // namespace

const ContentCipher* content_cipher(std::string_view name) {
    const auto found = std::ranges::find(ciphers, name, &ContentCipher::name);
    return found == ciphers.end() ? nullptr : &*found;
}

Result<CipherUse> read_content_cipher(const Algorithm& algorithm) {
    const auto found = std::ranges::find(ciphers, algorithm.oid, &ContentCipher::oid);
    if (found == ciphers.end())
        return fail(Code::unsupported, fmt::format("content-encryption algorithm {} is not supported", algorithm.oid.dotted()));
    return found->authenticated ? read_gcm(*found, algorithm.parameters) : read_cbc(*found, algorithm.parameters);
}

CipherUse fresh(const ContentCipher& cipher) {
    CipherUse use{&cipher, ByteVec(cipher.iv_octets), cipher.authenticated ? crypto::gcm_tag_octets : 0};
    crypto::random(use.iv);
    return use;
}

ByteVec encode(const CipherUse& use) {
    der::Writer parameters;
    if (use.cipher->authenticated)
        parameters.sequence([&] {
            parameters.octet_string(use.iv);
            parameters.integer(static_cast<std::int64_t>(use.tag_octets));  // never 12, the default
        });
    else
        parameters.octet_string(use.iv);
    return make_algorithm(use.cipher->oid, parameters.bytes());
}

}  // namespace estuary::cms
