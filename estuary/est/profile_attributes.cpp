#include "estuary/est/profile_attributes.h"

#include <algorithm>

#include "estuary/crypto/algorithms.h"
#include "estuary/est/keygen.h"

namespace estuary::est {
namespace {

using authority::Profile;
using crypto::KeyKind;

constexpr der::Oid ecdsa_with_sha256{"1.2.840.10045.4.3.2"};  // RFC 5758 3.2
constexpr der::Oid ecdsa_with_sha384{"1.2.840.10045.4.3.3"};
constexpr der::Oid ecdsa_with_sha512{"1.2.840.10045.4.3.4"};
constexpr der::Oid sha256_with_rsa{"1.2.840.113549.1.1.11"};  // RFC 4055 5
constexpr der::Oid sha384_with_rsa{"1.2.840.113549.1.1.12"};

/// The first of the profile's key types that the library has: what a client without a wish of its own should make.
const crypto::KeyType* preferred_key(const Profile& profile, bool made_here) {
    if (!profile.ask_for_key_type) return nullptr;
    for (const auto& name : made_here && !profile.generated_key_types.empty() ? profile.generated_key_types : profile.key_types)
        if (const auto type = crypto::key_type(name); type && (*type)->signs) return *type;
    return nullptr;
}

/// The signature algorithm of such a key; empty where the key's own OID says it.
der::Oid signature_of(const crypto::KeyType& key) {
    switch (key.kind) {
        case KeyKind::ec: return key.bits <= 256 ? ecdsa_with_sha256 : key.bits <= 384 ? ecdsa_with_sha384 : ecdsa_with_sha512;
        case KeyKind::rsa: return key.bits < 4096 ? sha256_with_rsa : sha384_with_rsa;
        case KeyKind::ed25519:
        case KeyKind::ed448:
        case KeyKind::ml_dsa:
        case KeyKind::slh_dsa:
        case KeyKind::ml_kem:
        case KeyKind::other: return {};
    }
    return {};
}

/// RFC 9908 3.2: type is the key's algorithm; values its curve, its RSA modulus length, or nothing.
AttrOrOid key_attribute(const crypto::KeyType& key) {
    der::Writer value;
    if (key.kind == KeyKind::rsa) value.integer(key.bits);
    if (!key.parameters.empty()) value.oid(key.parameters);
    AttrOrOid out{key.algorithm, std::vector<ByteVec>{}};
    if (value.size() != 0) out.values->push_back(std::move(value).take());
    return out;
}

bool has_fixed(const Profile& profile, const der::Oid& type) { return !profile.subject.fixed.values(type).empty(); }

/// What is asked of the subject: required attributes without a value, those that the CA puts in with it (RFC 9908 3.4).
std::optional<std::vector<std::vector<RequestInfoTemplate::NameAttribute>>> subject_template(const Profile& profile) {
    std::vector<std::vector<RequestInfoTemplate::NameAttribute>> out;
    for (const auto& rdn : profile.subject.fixed.rdns()) {
        auto& attributes = out.emplace_back();
        for (const auto& attribute : rdn)
            attributes.push_back({attribute.type, std::pair{attribute.tag, estuary::to_string(attribute.value)}});
    }
    for (const auto& type : profile.subject.required)
        if (!has_fixed(profile, type)) out.push_back({{type, std::nullopt}});
    if (out.empty()) return std::nullopt;
    return out;
}

bool wants_san(const Profile& profile) { return profile.ask_for_san || profile.san.required; }

std::vector<ExtensionTemplate> extension_templates(const Profile& profile, const crypto::KeyType* key) {
    std::vector<ExtensionTemplate> out;
    if (wants_san(profile)) out.push_back({x509::oid::subject_alt_name, false, std::nullopt});
    auto usage = profile.key_usage;
    // Keys other than RSA encipher nothing (RFC 5480 3, RFC 8410 5).
    if (key != nullptr && key->kind != KeyKind::rsa)
        usage &= ~static_cast<std::uint32_t>(x509::key_encipherment | x509::data_encipherment);
    const auto add = [&](x509::Extension extension) {
        out.push_back({extension.id, extension.critical, std::move(extension.value)});
    };
    if (usage != 0) add(x509::make_key_usage(usage));
    if (!profile.ext_key_usage.empty()) add(x509::make_ext_key_usage(profile.ext_key_usage));
    return out;
}

/// Linking is asked for in the list only: there is no way to ask for an attribute without a value inside the template.
void ask_for_linking(CsrAttrs& attributes) {
    attributes.items.push_back({x509::oid::challenge_password, std::nullopt});
    attributes.items.push_back({x509::oid::est_identity_linking, std::nullopt});
}

/// Keys made here leave encrypted only: what the request must say for that (RFC 7030 4.4.1). The values are the client's own.
void ask_for_key_encryption(CsrAttrs& attributes) {
    for (const auto& type : {oid::smime_capabilities, oid::asymmetric_decrypt_key_identifier, oid::decrypt_key_identifier})
        attributes.items.push_back({type, std::nullopt});
}

}  // namespace

CsrAttrs attributes_of(const Profile& profile, bool linking_required, KeygenAttributes keygen) {
    CsrAttrs out;
    const auto* key = preferred_key(profile, keygen.only);
    if (linking_required || profile.ask_for_linking) ask_for_linking(out);
    if (keygen.encrypted) ask_for_key_encryption(out);
    if (key != nullptr) out.items.push_back(key_attribute(*key));
    for (const auto& type : profile.subject.required)
        if (!has_fixed(profile, type)) out.items.push_back({type, std::nullopt});
    // RFC 9908 5.2: what has no value stands alone and not in an extensionRequest.
    if (wants_san(profile)) out.items.push_back({x509::oid::subject_alt_name, std::nullopt});
    if (key != nullptr)
        if (const auto signature = signature_of(*key); !signature.empty()) out.items.push_back({signature, std::nullopt});
    if (!profile.csrattrs_template) return out;
    RequestInfoTemplate wanted;
    wanted.subject = subject_template(profile);
    if (key != nullptr) {
        wanted.key_algorithm = crypto::key_algorithm_identifier(*key);
        if (key->kind == KeyKind::rsa) wanted.rsa_bits = key->bits;
    }
    if (wants_san(profile) || wanted.subject || wanted.key_algorithm) {
        wanted.extensions = extension_templates(profile, key);
        out.request_template = std::move(wanted);
    }
    return out;
}

}  // namespace estuary::est
