#include <fmt/format.h>

#include "estuary/cms/content_cipher.h"
#include "estuary/cms/key_wrap_algorithm.h"
#include "estuary/cms/password_wrap.h"
#include "estuary/cms/recipient.h"
#include "estuary/crypto/cipher.h"
#include "estuary/crypto/kdf.h"
#include "estuary/crypto/key_transport.h"

namespace estuary::cms {
namespace {

using crypto::Secret;
using der::Tag;
using der::Writer;

constexpr std::size_t salt_octets = 16;
constexpr std::string_view oaep_digest = "SHA256";

/// Key wrap as strong as the key that is wrapped.
std::size_t kek_octets_for(Bytes content_key) { return content_key.size() <= 16 ? 16 : content_key.size() <= 24 ? 24 : 32; }

void write_agreement_identifier(Writer& writer, const Identifier& recipient) {
    if (!recipient.is_by_key()) return recipient.write(writer);
    writer.constructed(der::context_constructed(0), [&] { writer.octet_string(recipient.key_identifier); });
}

/// The fields of a SubjectPublicKeyInfo are those of OriginatorPublicKey.
Result<Bytes> originator_fields(const crypto::PublicKey& ephemeral) {
    der::Reader reader{ephemeral.spki()};
    return reader.content(Tag::sequence);
}

ByteVec pbkdf2_parameters(Bytes salt, std::uint64_t iterations) {
    Writer writer;
    writer.sequence([&] {
        writer.octet_string(salt);
        writer.integer(static_cast<std::int64_t>(iterations));
        writer.raw(make_algorithm(der::Oid{"1.2.840.113549.2.9"}, Algorithm::der_null));  // hmacWithSHA256
    });
    return std::move(writer).take();
}

}  // namespace

Result<ByteVec> make_key_transport(const crypto::PublicKey& key, const Identifier& recipient, RsaPadding padding,
                                   Bytes content_key) {
    const bool oaep = padding == RsaPadding::oaep;
    ESTUARY_TRY(const auto encrypted,
                oaep ? crypto::encrypt_rsa_oaep(key, oaep_digest, content_key) : crypto::encrypt_rsa_pkcs1(key, content_key));
    Writer writer;
    writer.sequence([&] {
        writer.integer(recipient.is_by_key() ? 2 : 0);
        recipient.write(writer);
        writer.raw(oaep ? rsa_oaep_algorithm() : make_algorithm(oid::rsa_encryption, Algorithm::der_null));
        writer.octet_string(encrypted);
    });
    return std::move(writer).take();
}

Result<ByteVec> make_key_agreement(const crypto::PublicKey& key, const Identifier& recipient, Bytes content_key) {
    ESTUARY_TRY(const auto ephemeral, crypto::PrivateKey::generate(key.type_name()));
    ESTUARY_TRY(const auto agreed, crypto::agree(ephemeral, key));
    const auto octets = kek_octets_for(content_key);
    const auto wrap = wrap_algorithm(octets);
    const auto& scheme = agreement_scheme_for(key.type_name());
    ESTUARY_TRY(const auto kek, derive_agreed(scheme, agreed.reveal(), wrap, std::nullopt, octets));
    ESTUARY_TRY(const auto encrypted, crypto::wrap_key(kek.reveal(), content_key));
    ESTUARY_TRY(const auto originator, originator_fields(ephemeral.public_key()));
    Writer writer;
    writer.constructed(der::context_constructed(1), [&] {
        writer.integer(3);
        writer.constructed(der::context_constructed(0), [&] { writer.primitive(der::context_constructed(1), originator); });
        writer.raw(make_algorithm(scheme.oid, wrap));
        writer.sequence([&] {
            writer.sequence([&] {
                write_agreement_identifier(writer, recipient);
                writer.octet_string(encrypted);
            });
        });
    });
    return std::move(writer).take();
}

Result<ByteVec> make_key_encapsulation(const crypto::PublicKey& key, const Identifier& recipient, Bytes content_key) {
    ESTUARY_TRY(const auto made, crypto::encapsulate(key));
    ESTUARY_TRY(auto spki, der::enter_only(key.spki(), Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_TRY(const auto kem, read_algorithm(spki));
    constexpr std::size_t octets = 32;  // no weaker than any KEM
    const auto wrap = wrap_algorithm(octets);
    const auto& kdf = hkdf_algorithm_usual();
    ESTUARY_TRY(const auto kek, derive_encapsulated(kdf, made.shared.reveal(), wrap, std::nullopt, octets));
    ESTUARY_TRY(const auto encrypted, crypto::wrap_key(kek.reveal(), content_key));
    Writer writer;
    writer.constructed(der::context_constructed(4), [&] {
        writer.oid(oid::ori_kem);
        writer.sequence([&] {
            writer.integer(0);
            recipient.write(writer);
            writer.raw(kem.whole).octet_string(made.ciphertext).raw(make_algorithm(kdf.oid));
            writer.integer(octets);
            writer.raw(wrap).octet_string(encrypted);
        });
    });
    return std::move(writer).take();
}

Result<ByteVec> make_shared_key_wrap(const Secret& shared_key, Bytes key_identifier, Bytes content_key) {
    ESTUARY_TRY(const auto encrypted, crypto::wrap_key(shared_key.reveal(), content_key));
    Writer writer;
    writer.constructed(der::context_constructed(2), [&] {
        writer.integer(4);
        writer.sequence([&] { writer.octet_string(key_identifier); });
        writer.raw(wrap_algorithm(shared_key.reveal().size())).octet_string(encrypted);
    });
    return std::move(writer).take();
}

Result<ByteVec> make_password_wrap(const Secret& password, std::uint64_t iterations, Bytes content_key) {
    const auto use = fresh(*content_cipher("AES-256-CBC"));
    ByteVec salt(salt_octets);
    crypto::random(salt);
    ESTUARY_TRY(const auto kek, crypto::pbkdf2("SHA256", password.reveal(), salt, iterations, use.cipher->key_octets));
    ESTUARY_TRY(const auto encrypted, wrap_by_password(use.cipher->name, kek.reveal(), use.iv, content_key));
    const auto parameters = pbkdf2_parameters(salt, iterations);
    Writer writer;
    writer.constructed(der::context_constructed(3), [&] {
        writer.integer(0);
        writer.constructed(der::context_constructed(0), [&] { writer.oid(oid::pbkdf2).raw(parameters); });
        writer.raw(make_algorithm(oid::pwri_kek, encode(use))).octet_string(encrypted);
    });
    return std::move(writer).take();
}

}  // namespace estuary::cms
