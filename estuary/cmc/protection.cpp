#include "estuary/cmc/protection.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/cms/ber.h"

namespace estuary::cmc {
namespace {

using der::Tag;

Result<crypto::Secret> open(const cms::EnvelopedData& envelope, const std::vector<cms::KeyHolder>& keys) {
    // A server, and a client, has one key or two; which of them is meant the recipient's identifier says.
    for (const auto& key : keys) {
        auto content = envelope.open(key);
        if (content || content.error().code != Code::not_found) return content;
    }
    return fail(Code::not_found, "the message is encrypted for somebody else");
}

/// The ContentInfo inside: content of a layer comes without one (RFC 5652 6.3), though some send it.
Result<ByteVec> inner_message(const der::Oid& type, Bytes content) {
    if (const auto info = cms::content_type_of(content); info && *info == type) return to_vec(content);
    return cms::make_content_info(type, content);
}

Result<ByteVec> decrypted(Bytes content_info, const std::vector<cms::KeyHolder>& keys, const Limits& limits) {
    ESTUARY_TRY(const auto envelope, cms::EnvelopedData::parse(content_info, cms_limits(limits)));
    if (envelope.content_type() != cms::oid::signed_data)
        return fail(Code::unsupported, "EnvelopedData: what is encrypted is no SignedData");
    const auto content = open(envelope, keys);
    if (!content) return not_decrypted(content.error().detail + " " + content.error().cause);
    // To DER here, so that content which is no BER is told like content that does not decrypt.
    const auto der = cms::to_der(content->reveal(), {.bytes_max = limits.bytes_max});
    if (!der) return not_decrypted(der.error().detail);
    return inner_message(cms::oid::signed_data, *der);
}

bool is_envelope(const der::Oid& type) { return type == cms::oid::enveloped_data || type == cms::oid::auth_enveloped_data; }

}  // namespace

tl::unexpected<Error> not_decrypted(std::string cause) {
    return fail(Code::bad_proof, "the message cannot be decrypted", std::move(cause));
}

cms::Limits cms_limits(const Limits& limits) {
    cms::Limits out;
    out.bytes_max = limits.bytes_max;
    out.certificates_max = limits.requests_max + 64;
    return out;
}

Result<Unwrapped> unwrap(Bytes message, const std::vector<cms::KeyHolder>& keys, const Limits& limits) {
    ESTUARY_TRY(auto current, cms::to_der(message, {.bytes_max = limits.bytes_max}));
    Unwrapped out;
    for (unsigned layer = 0; layer < layers_max; ++layer) {
        ESTUARY_TRY(const auto type, cms::content_type_of(current));
        if (is_envelope(type)) {
            ESTUARY_TRY(current, decrypted(current, keys, limits));
            out.encrypted = true;
            continue;
        }
        auto data = cms::SignedData::parse(current, cms_limits(limits));
        if (!data && out.encrypted) return not_decrypted(data.error().detail);
        if (!data) return fail(std::move(data).error());
        if (!data->content() || !is_envelope(data->content_type())) {
            out.signed_data = std::move(*data);
            return out;
        }
        ESTUARY_TRY(current, inner_message(data->content_type(), *data->content()));
        out.outer.push_back(std::move(*data));
    }
    return fail(Code::too_large, fmt::format("more than {} layers of signatures and encryption", layers_max));
}

Result<ByteVec> encrypt(Bytes signed_data, const std::vector<x509::Certificate>& recipients, std::string_view cipher) {
    ESTUARY_TRY(const auto inner, cms::inner_content(signed_data));
    cms::EnvelopedDataBuilder builder{cms::oid::signed_data, inner};
    builder.cipher(cipher);
    for (const auto& recipient : recipients) builder.recipient(recipient);
    return builder.build();
}

bool is_simple_request(Bytes message) noexcept {
    der::Reader reader{message, {.bytes_max = message.size()}};
    auto outer = reader.enter(Tag::sequence);
    return outer && outer->next_is(Tag::sequence);
}

bool has_no_signature(const cms::SignerInfo& signer) noexcept { return signer.signature_algorithm.oid == oid::no_signature; }

Result<void> verify(const cms::SignedData& data, const cms::SignerInfo& signer, const crypto::PublicKey& key) {
    if (has_no_signature(signer)) return fail(Code::bad_proof, "SignerInfo: id-alg-noSignature is no signature");
    return cms::verify_signer(data, signer, key);
}

// NoSignatureValue is the hash of what would be signed.
Result<ByteVec> sign_without_key(const der::Oid& content_type, Bytes content, Bytes key_identifier) {
    const auto digest_algorithm = cms::make_algorithm(cms::oid::sha256);
    der::Writer type, digest, attributes;
    type.oid(content_type);
    digest.octet_string(crypto::sha256(content));
    cms::write_attributes(attributes, Tag::set,
                          {cms::make_attribute(cms::oid::content_type, type.bytes()),
                           cms::make_attribute(cms::oid::message_digest, digest.bytes())});
    const auto value = crypto::sha256(attributes.bytes());
    auto tagged = std::move(attributes).take();
    tagged.front() = static_cast<std::uint8_t>(der::context_constructed(0));
    return cms::write_content_info(cms::oid::signed_data, content.size() + 256, [&](der::Writer& writer) {
        writer.integer(3);
        writer.constructed(Tag::set, [&] { writer.raw(digest_algorithm); });
        writer.sequence([&] {
            writer.oid(content_type);
            writer.constructed(der::context_constructed(0), [&] { writer.octet_string(content); });
        });
        writer.constructed(Tag::set, [&] {
            writer.sequence([&] {
                writer.integer(3);
                cms::Identifier::by_key(key_identifier).write(writer);
                writer.raw(digest_algorithm).raw(tagged);
                writer.raw(cms::make_algorithm(oid::no_signature, cms::Algorithm::der_null));
                writer.octet_string(value);
            });
        });
    });
}

Result<ByteVec> sign(const der::Oid& content_type, Bytes content, const MessageSigner* signer,
                     const std::vector<Bytes>& certificates, const std::vector<Bytes>& crls) {
    cms::SignedDataBuilder builder{content_type, content};
    for (const auto certificate : certificates) builder.certificate(certificate);
    for (const auto crl : crls) builder.crl(crl);
    if (signer != nullptr) {
        for (const auto certificate : signer->certificates)
            if (std::ranges::none_of(certificates, [&](Bytes other) { return same(certificate, other); }))
                builder.certificate(certificate);
        builder.signer(signer->signer);
    }
    return builder.build();
}

}  // namespace estuary::cmc
