#include <array>

#include <fmt/format.h>

#include "estuary/cms/content_cipher.h"
#include "estuary/cms/key_wrap_algorithm.h"
#include "estuary/cms/password_wrap.h"
#include "estuary/cms/recipient.h"
#include "estuary/crypto/cipher.h"
#include "estuary/crypto/key_transport.h"
#include "estuary/crypto/pbkdf2.h"

namespace estuary::cms {
namespace {

using crypto::Secret;
using der::Oid;
using der::Reader;
using der::Tag;

struct NamedDigest {
    Oid oid;
    std::string_view name;
};
constexpr std::array oaep_digests{
    NamedDigest{Oid{"1.3.14.3.2.26"}, "SHA1"},  // nobody needs collisions here, and it is OpenSSL's default
    NamedDigest{Oid{"2.16.840.1.101.3.4.2.1"}, "SHA256"}, NamedDigest{Oid{"2.16.840.1.101.3.4.2.2"}, "SHA384"},
    NamedDigest{Oid{"2.16.840.1.101.3.4.2.3"}, "SHA512"}};

Result<std::string_view> name_of(std::span<const NamedDigest> known, const Algorithm& algorithm) {
    const auto found = std::ranges::find(known, algorithm.oid, &NamedDigest::oid);
    if (found == known.end())
        return fail(Code::unsupported, fmt::format("digest {} is not supported here", algorithm.oid.dotted()));
    if (!algorithm.parameters_absent_or_null()) return fail(Code::malformed, "digest with parameters");
    return found->name;
}

/// MGF1 with a digest, which is its parameter.
Result<std::string_view> read_mask(Reader& wrapped) {
    ESTUARY_TRY(const auto mask, read_algorithm(wrapped));
    if (mask.oid != oid::mgf1) return fail(Code::unsupported, "RSAES-OAEP with another mask generation than MGF1");
    ESTUARY_TRY(const auto digest, parse_algorithm(mask.parameters));
    return name_of(oaep_digests, digest);
}

/// Only the empty label, which is the default.
Result<void> check_label(Reader& wrapped) {
    constexpr std::uint8_t empty_string[] = {0x04, 0x00};
    ESTUARY_TRY(const auto source, read_algorithm(wrapped));
    if (source.oid != oid::p_specified || !same(source.parameters, empty_string))
        return fail(Code::unsupported, "RSAES-OAEP with a label");
    return {};
}

/// RSAES-OAEP-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, maskGenAlgorithm [1] DEFAULT mgf1SHA1,
///     pSourceAlgorithm [2] DEFAULT pSpecifiedEmpty } (RFC 4055 4.1). Everything may be absent (CVE-2026-28390).
Result<std::string_view> read_oaep(const Algorithm& algorithm) {
    if (algorithm.parameters.empty()) return fail(Code::malformed, "RSAES-OAEP without parameters");
    ESTUARY_TRY(auto fields, der::enter_only(algorithm.parameters, Tag::sequence, "RSAES-OAEP-params"));
    std::string_view digest = "SHA1", mask_digest = "SHA1";
    ESTUARY_TRY(auto hash, fields.enter_if(der::context_constructed(0)));
    if (hash) {
        ESTUARY_TRY(const auto stated, read_algorithm(*hash));
        ESTUARY_TRY(digest, name_of(oaep_digests, stated));
    }
    ESTUARY_TRY(auto mask, fields.enter_if(der::context_constructed(1)));
    if (mask) {
        ESTUARY_TRY(mask_digest, read_mask(*mask));
    }
    ESTUARY_TRY(auto label, fields.enter_if(der::context_constructed(2)));
    if (label) ESTUARY_CHECK(check_label(*label));
    ESTUARY_CHECK(fields.finish("RSAES-OAEP-params"));
    if (digest != mask_digest) return fail(Code::unsupported, "RSAES-OAEP with two digests");
    return digest;
}

/// The originator's key as SubjectPublicKeyInfo: of the recipient's own algorithm and curve, which the message may leave out.
Result<crypto::PublicKey> originator_key(const KeyAgreement& recipient, const crypto::PublicKey& own) {
    Reader spki{own.spki()};
    ESTUARY_TRY(auto fields, spki.enter(Tag::sequence));
    ESTUARY_TRY(const auto algorithm, read_algorithm(fields));
    const auto& stated = recipient.originator_algorithm;
    if (stated.oid != algorithm.oid || (!stated.parameters_absent_or_null() && !same(stated.parameters, algorithm.parameters)))
        return fail(Code::malformed, "OriginatorPublicKey of another kind than the recipient's key");
    der::Writer writer;
    writer.sequence([&] { writer.raw(algorithm.whole).bit_string(recipient.originator_key); });
    return crypto::PublicKey::from_spki(writer.bytes());
}

/// id-alg-PWRI-KEK: its parameter is the cipher, in CBC mode.
Result<CipherUse> read_password_cipher(const Algorithm& encryption) {
    if (encryption.oid != oid::pwri_kek)
        return fail(Code::unsupported, "password recipient with another key wrap than id-alg-PWRI-KEK");
    ESTUARY_TRY(const auto algorithm, parse_algorithm(encryption.parameters));
    ESTUARY_TRY(auto use, read_content_cipher(algorithm));
    if (use.cipher->authenticated || use.cipher->legacy)
        return fail(Code::unsupported, "id-alg-PWRI-KEK with another cipher than AES-CBC");
    return use;
}

}  // namespace

Result<Secret> unwrap(const KeyTransport& recipient, const crypto::PrivateKey& key, std::size_t key_octets) {
    if (recipient.encryption.oid == oid::rsaes_oaep) {
        ESTUARY_TRY(const auto digest, read_oaep(recipient.encryption));
        return crypto::decrypt_rsa_oaep(key, digest, recipient.encrypted_key);
    }
    if (recipient.encryption.oid != oid::rsa_encryption)
        return fail(Code::unsupported,
                    fmt::format("key-encryption algorithm {} is not supported", recipient.encryption.oid.dotted()));
    if (!recipient.encryption.parameters_absent_or_null())
        return fail(Code::malformed, "rsaEncryption with parameters that are not NULL");
    return crypto::decrypt_rsa_pkcs1(key, recipient.encrypted_key, key_octets);
}

Result<Secret> unwrap(const KeyAgreement& recipient, const crypto::PrivateKey& key) {
    ESTUARY_TRY(const auto* scheme, agreement_scheme(recipient.encryption.oid));
    if (recipient.encryption.parameters.empty())
        return fail(Code::malformed, "key agreement without a key wrap");  // CVE-2026-28389
    ESTUARY_TRY(const auto wrap, parse_algorithm(recipient.encryption.parameters));
    ESTUARY_TRY(const auto octets, wrap_octets(wrap));
    ESTUARY_TRY(const auto other, originator_key(recipient, key.public_key()));
    ESTUARY_TRY(const auto agreed, crypto::agree(key, other));
    ESTUARY_TRY(const auto kek, derive_agreed(*scheme, agreed.reveal(), wrap.whole, recipient.ukm, octets));
    return crypto::unwrap_key(kek.reveal(), recipient.encrypted_key);
}

Result<Secret> unwrap(const KeyEncapsulation& recipient, const crypto::PrivateKey& key) {
    ESTUARY_TRY(const auto octets, wrap_octets(recipient.wrap));
    ESTUARY_TRY(const auto* kdf, hkdf_algorithm(recipient.derivation));
    if (octets != recipient.kek_octets) return fail(Code::malformed, "kekLength is not that of the key wrap");  // RFC 9629 3
    ESTUARY_TRY(auto spki, der::enter_only(key.public_key().spki(), Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_TRY(const auto own, read_algorithm(spki));
    if (recipient.kem.oid != own.oid) return fail(Code::malformed, "key encapsulation of another kind than the recipient's key");
    ESTUARY_TRY(const auto shared, crypto::decapsulate(key, recipient.ciphertext));
    ESTUARY_TRY(const auto kek, derive_encapsulated(*kdf, shared.reveal(), recipient.wrap.whole, recipient.ukm, octets));
    return crypto::unwrap_key(kek.reveal(), recipient.encrypted_key);
}

Result<Secret> unwrap(const SharedKeyWrap& recipient, const Secret& shared_key) {
    ESTUARY_TRY(const auto octets, wrap_octets(recipient.encryption));
    if (octets != shared_key.reveal().size()) return fail(Code::malformed, "the key wrap is not one for a key of this length");
    return crypto::unwrap_key(shared_key.reveal(), recipient.encrypted_key);
}

Result<Secret> unwrap(const PasswordWrap& recipient, const Secret& password, const Limits& limits) {
    if (!recipient.derivation) return fail(Code::unsupported, "password recipient without key derivation");
    ESTUARY_TRY(const auto use, read_password_cipher(recipient.encryption));
    const auto derivation = make_algorithm(recipient.derivation->oid, recipient.derivation->parameters);  // it had a tag of its own
    ESTUARY_TRY(const auto parameters, crypto::read_pbkdf2(derivation, limits.iterations_max));
    const auto octets = use.cipher->key_octets;
    if (parameters.key_octets && *parameters.key_octets != octets)
        return fail(Code::malformed, "PBKDF2: keyLength is not that of the cipher");
    ESTUARY_TRY(const auto kek, crypto::derive(parameters, password.reveal(), octets));
    return unwrap_by_password(use.cipher->name, kek.reveal(), use.iv, recipient.encrypted_key);
}

}  // namespace estuary::cms
