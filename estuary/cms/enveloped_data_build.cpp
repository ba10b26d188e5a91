#include <fmt/format.h>

#include "estuary/cms/enveloped_data.h"
#include "estuary/crypto/cipher.h"

namespace estuary::cms {
namespace {

using crypto::KeyKind;
using crypto::PublicKey;
using crypto::Secret;
using der::Tag;

// Bits of keyUsage (RFC 5280 4.2.1.3)
constexpr std::uint32_t key_encipherment = 1u << 2;
constexpr std::uint32_t key_agreement = 1u << 4;

bool agrees(const PublicKey& key) {
    return key.kind() == KeyKind::ec || key.type_name() == "x25519" || key.type_name() == "x448";
}

/// A certificate with keyUsage must allow what its key is used for (RFC 7030 4.4.1.2, bug class 33).
Result<void> check_key_usage(const PublicKey& key, std::uint32_t usage) {
    const auto needed = agrees(key) ? key_agreement : key_encipherment;
    if ((usage & needed) == 0)
        return fail(Code::bad_key, fmt::format("keyUsage of the certificate does not allow {}",
                                               agrees(key) ? "keyAgreement" : "keyEncipherment"));
    return {};
}

/// RFC 5652 6.1: 3 with password or other recipients, 0 with nothing but ktri by issuer and no attributes, else 2.
int version_of(const std::vector<ByteVec>& recipients, bool attributes) {
    int version = attributes ? 2 : 0;
    for (const auto& recipient : recipients) {
        const auto tag = static_cast<Tag>(recipient[0]);
        if (tag == der::context_constructed(3) || tag == der::context_constructed(4)) return 3;
        der::Reader reader{recipient};
        auto fields = reader.enter(tag);
        if (tag != Tag::sequence || !fields || fields->integer() != 0) version = 2;
    }
    return version;
}

}  // namespace

EnvelopedDataBuilder& EnvelopedDataBuilder::cipher(std::string_view name) {
    cipher_ = name;
    return *this;
}

EnvelopedDataBuilder& EnvelopedDataBuilder::recipient(const x509::Certificate& certificate, RsaPadding padding) {
    recipients_.emplace_back(
        ByKey{certificate.public_key(), Identifier::by_issuer(certificate), padding, certificate.key_usage()});
    return *this;
}

EnvelopedDataBuilder& EnvelopedDataBuilder::recipient(const PublicKey& key, const Identifier& identifier, RsaPadding padding) {
    recipients_.emplace_back(ByKey{key, identifier, padding});
    return *this;
}

EnvelopedDataBuilder& EnvelopedDataBuilder::recipient(const SharedKey& shared) {
    recipients_.emplace_back(SharedKey{shared.identifier, shared.key.clone()});
    return *this;
}

EnvelopedDataBuilder& EnvelopedDataBuilder::password(const Secret& password, std::uint64_t iterations) {
    recipients_.emplace_back(ByPassword{password.clone(), iterations});
    return *this;
}

EnvelopedDataBuilder& EnvelopedDataBuilder::unprotected(Attribute attribute) {
    unprotected_.push_back(std::move(attribute));
    return *this;
}

Result<ByteVec> EnvelopedDataBuilder::make(const ByKey& to, Bytes content_key) {
    ESTUARY_TRY(const auto key, to.key);
    if (to.key_usage) ESTUARY_CHECK(check_key_usage(key, *to.key_usage));
    if (key.kind() == KeyKind::rsa) return make_key_transport(key, to.identifier, to.padding, content_key);
    if (key.kind() == KeyKind::ml_kem) return make_key_encapsulation(key, to.identifier, content_key);
    if (agrees(key)) return make_key_agreement(key, to.identifier, content_key);
    return fail(Code::bad_key, fmt::format("a {} key cannot receive", key.type_name()));
}

Result<ByteVec> EnvelopedDataBuilder::make(const SharedKey& to, Bytes content_key) {
    return make_shared_key_wrap(to.key, to.identifier, content_key);
}

Result<ByteVec> EnvelopedDataBuilder::make(const ByPassword& to, Bytes content_key) {
    return make_password_wrap(to.password, to.iterations, content_key);
}

Result<ByteVec> EnvelopedDataBuilder::build() const {
    const auto* cipher = content_cipher(cipher_);
    if (cipher == nullptr || cipher->legacy) return fail(Code::unsupported, fmt::format("no cipher {} to write with", cipher_));
    if (recipients_.empty()) return fail(Code::malformed, "EnvelopedData: no recipient");
    ByteVec key_octets(cipher->key_octets);
    crypto::random(key_octets);
    const Secret content_key{std::move(key_octets)};
    std::vector<ByteVec> recipients;
    for (const auto& to : recipients_) {
        ESTUARY_TRY(auto made, std::visit([&](const auto& one) { return make(one, content_key.reveal()); }, to));
        recipients.push_back(std::move(made));
    }
    const auto use = fresh(*cipher);
    der::Writer attributes, type;
    if (cipher->authenticated && content_type_ != oid::data)  // RFC 5083 2.1
        write_attributes(attributes, Tag::set, {make_attribute(oid::content_type, type.oid(content_type_).bytes())});
    crypto::Sealed sealed;
    if (cipher->authenticated) {
        ESTUARY_TRY(sealed, crypto::encrypt_gcm(cipher->name, content_key.reveal(), use.iv, attributes.bytes(), content_));
    } else {
        ESTUARY_TRY(sealed.encrypted, crypto::encrypt_cbc(cipher->name, content_key.reveal(), use.iv, content_));
    }
    auto tagged = std::move(attributes).take();
    if (!tagged.empty()) tagged[0] = static_cast<std::uint8_t>(der::context_constructed(1));  // [1] IMPLICIT
    return write_content_info(cipher->authenticated ? oid::auth_enveloped_data : oid::enveloped_data, content_.size() + 1024,
                              [&](der::Writer& writer) {
        writer.integer(cipher->authenticated ? 0 : version_of(recipients, !unprotected_.empty()));
        write_set_of(writer, Tag::set, {recipients.begin(), recipients.end()});
        writer.sequence([&] {
            writer.oid(content_type_).raw(encode(use));
            writer.primitive(der::context(0), sealed.encrypted);
        });
        writer.raw(tagged);
        if (cipher->authenticated) writer.octet_string(sealed.tag);
        if (!unprotected_.empty()) write_attributes(writer, der::context_constructed(cipher->authenticated ? 2 : 1), unprotected_);
    });
}

}  // namespace estuary::cms
