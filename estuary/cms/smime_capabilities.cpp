#include "estuary/cms/smime_capabilities.h"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "estuary/cms/content_cipher.h"
#include "estuary/cms/key_wrap_algorithm.h"

namespace estuary::cms {
namespace {

using crypto::KeyKind;
using crypto::PublicKey;
using der::Tag;

constexpr std::size_t capabilities_max = 64;
constexpr std::array cbc_ciphers{std::string_view{"AES-256-CBC"}, std::string_view{"AES-192-CBC"},
                                 std::string_view{"AES-128-CBC"}};

/// Bits of security (NIST SP 800-57 part 1, table 2).
unsigned strength_of(const PublicKey& key) {
    const auto bits = key.bits();
    if (key.kind() == KeyKind::rsa) return bits >= 15360 ? 256 : bits >= 7680 ? 192 : 128;
    return key.kind() == KeyKind::ec ? bits / 2 : bits;
}

const ContentCipher& cipher_for(unsigned strength) {
    return *content_cipher(strength <= 128 ? "AES-128-CBC" : strength <= 192 ? "AES-192-CBC" : "AES-256-CBC");
}

bool is_listed(const Capabilities& capabilities, const der::Oid& oid) {
    return std::ranges::find(capabilities, oid, &Capability::oid) != capabilities.end();
}

bool is_absent_or_null(Bytes parameters) { return parameters.empty() || same(parameters, Algorithm::der_null); }

/// The content ciphers to choose from, the best first: those listed in their order, the strong enough ones before the others;
/// without any, the one that is as strong as the key.
std::vector<const ContentCipher*> content_ciphers(const Capabilities& capabilities, unsigned strength) {
    std::vector<const ContentCipher*> listed;
    for (const auto& capability : capabilities)
        for (const auto name : cbc_ciphers)
            if (const auto* cipher = content_cipher(name); cipher->oid == capability.oid) listed.push_back(cipher);
    if (listed.empty()) return {&cipher_for(strength), content_cipher("AES-256-CBC")};
    const auto is_strong = [&](const ContentCipher* cipher) { return cipher->key_octets * 8 >= std::min(strength, 256u); };
    std::vector<const ContentCipher*> ordered, weak;
    for (const auto* cipher : listed) (is_strong(cipher) ? ordered : weak).push_back(cipher);
    // Not a stable sort: with libstdc++ 12 clang warns of what that is made of, and a size is one cipher's.
    std::ranges::sort(weak, std::ranges::greater{}, [](const auto* cipher) { return cipher->key_octets; });
    ordered.insert(ordered.end(), weak.begin(), weak.end());
    return ordered;
}

/// An AlgorithmIdentifier of an AES key wrap, with or without NULL.
bool is_wrap(Bytes parameters, std::size_t octets) {
    const auto stated = parse_algorithm(parameters);
    if (!stated) return false;
    const auto found = wrap_octets(*stated);
    return found && *found == octets;
}

/// Whether a key wrap of this size is listed: by itself, or by the scheme that it is used with.
bool may_wrap(const Capabilities& capabilities, const der::Oid& scheme, std::size_t octets) {
    const auto bare = parse_algorithm(wrap_algorithm(octets))->oid;
    return std::ranges::any_of(capabilities, [&](const Capability& one) {
        if (one.oid == bare) return is_absent_or_null(one.parameters);
        return one.oid == scheme && (is_absent_or_null(one.parameters) || is_wrap(one.parameters, octets));
    });
}

Result<Encipherment> for_rsa(const Capabilities& capabilities, unsigned strength) {
    const auto oaep = rsa_oaep_algorithm();
    const auto stated = parse_algorithm(oaep)->parameters;
    for (const auto& one : capabilities) {
        const auto* cipher = content_ciphers(capabilities, strength).front();
        if (one.oid == oid::rsaes_oaep && (one.parameters.empty() || same(one.parameters, stated)))
            return Encipherment{cipher->name, RsaPadding::oaep};
        if (one.oid == oid::rsa_encryption && is_absent_or_null(one.parameters)) return Encipherment{cipher->name, RsaPadding::pkcs1};
    }
    return fail(Code::unsupported, "SMIMECapabilities lists neither RSAES-OAEP with SHA-256 nor rsaEncryption, and the key is an RSA key");
}

/// The scheme by which a key that is no RSA key gets the key-encryption key across.
der::Oid scheme_of(const PublicKey& key) {
    if (key.kind() != KeyKind::ml_kem) return agreement_scheme_for(key.type_name()).oid;
    const auto type = crypto::key_type(key.type_name());
    return type ? (*type)->algorithm : der::Oid{};
}

}  // namespace

Result<Capabilities> parse_capabilities(Bytes der) {
    ESTUARY_CHECK(der::check_der(der, "SMIMECapabilities"));
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "SMIMECapabilities"));
    Capabilities capabilities;
    while (!reader.empty()) {
        if (capabilities.size() == capabilities_max) return fail(Code::too_large, "SMIMECapabilities: more than 64");
        ESTUARY_TRY(const auto one, read_algorithm(reader));
        capabilities.push_back({one.oid, to_vec(one.parameters)});
    }
    return capabilities;
}

ByteVec encode_capabilities(const Capabilities& capabilities) {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& one : capabilities) writer.raw(make_algorithm(one.oid, one.parameters));
    });
    return std::move(writer).take();
}

Capabilities capabilities_of(const PublicKey& key) {
    Capabilities out;
    if (key.kind() == KeyKind::rsa) {
        out.push_back({oid::rsaes_oaep, to_vec(parse_algorithm(rsa_oaep_algorithm())->parameters)});
        out.push_back({oid::rsa_encryption, to_vec(Algorithm::der_null)});
    } else {
        for (const std::size_t octets : {32u, 24u, 16u}) out.push_back({scheme_of(key), wrap_algorithm(octets)});
        for (const std::size_t octets : {32u, 24u, 16u}) out.push_back({parse_algorithm(wrap_algorithm(octets))->oid});
    }
    for (const auto name : cbc_ciphers) out.push_back({content_cipher(name)->oid});
    return out;
}

Capabilities capabilities_of_shared_key(std::size_t key_octets) {
    Capabilities out{{parse_algorithm(wrap_algorithm(key_octets))->oid}};
    for (const auto name : cbc_ciphers) out.push_back({content_cipher(name)->oid});
    return out;
}

Result<Encipherment> encipherment_for(const Capabilities& capabilities, const PublicKey& key) {
    if (key.kind() == KeyKind::rsa) return for_rsa(capabilities, strength_of(key));
    const auto scheme = scheme_of(key);
    if (key.kind() == KeyKind::ml_kem) {  // its key wrap is always of 32 octets: see make_key_encapsulation
        if (may_wrap(capabilities, scheme, 32)) return Encipherment{content_ciphers(capabilities, strength_of(key)).front()->name};
    } else {
        // The key wrap is as strong as what it wraps: see make_key_agreement.
        for (const auto* cipher : content_ciphers(capabilities, strength_of(key)))
            if (may_wrap(capabilities, scheme, cipher->key_octets)) return Encipherment{cipher->name};
    }
    return fail(Code::unsupported,
                fmt::format("SMIMECapabilities lists no key wrap that goes with a {} key here (scheme {}, or AES key wraps)",
                            key.type_name(), scheme.dotted()));
}

Result<Encipherment> encipherment_for_shared_key(const Capabilities& capabilities, std::size_t key_octets) {
    const auto wrap = parse_algorithm(wrap_algorithm(key_octets))->oid;
    if (!is_listed(capabilities, wrap))
        return fail(Code::unsupported,
                    fmt::format("SMIMECapabilities does not list the key wrap that goes with the shared key: AES of {} bits ({})",
                                key_octets * 8, wrap.dotted()));
    return Encipherment{content_ciphers(capabilities, static_cast<unsigned>(key_octets * 8)).front()->name};
}

}  // namespace estuary::cms
