#include <fmt/format.h>

#include "estuary/cms/digest_algorithm.h"
#include "estuary/cms/signed_data.h"

namespace estuary::cms {
namespace {

using der::Tag;

Result<Attributes> with_required(const Attributes& given, const der::Oid& content_type, Bytes digest_octets) {
    Attributes attributes;
    attributes.reserve(given.size() + 2);
    der::Writer type, octets;
    type.oid(content_type);
    octets.octet_string(digest_octets);
    attributes.push_back(make_attribute(oid::content_type, type.bytes()));
    attributes.push_back(make_attribute(oid::message_digest, octets.bytes()));
    for (const auto& attribute : given) {
        if (find(attributes, attribute.type) != nullptr)
            return fail(Code::malformed, fmt::format("SignedData: attribute {} twice", attribute.type.dotted()));
        attributes.push_back(attribute);
    }
    return attributes;
}

std::size_t total_size(const std::vector<Bytes>& elements) {
    std::size_t size = 0;
    for (const auto element : elements) size += element.size();
    return size;
}

}  // namespace

Result<ByteVec> SignedDataBuilder::signer_info(const Signer& signer) const {
    ESTUARY_TRY(const auto* signature_algorithm, signer.key.signature_algorithm());
    ESTUARY_TRY(const auto* digest_algorithm, digest_algorithm_for(signer.key));
    ESTUARY_TRY(const auto content_digest, digest(*digest_algorithm, *content_));
    ESTUARY_TRY(const auto attributes, with_required(signer.signed_attributes, content_type_, content_digest));
    der::Writer to_sign;
    write_attributes(to_sign, Tag::set, attributes);
    ESTUARY_TRY(const auto signature, signer.key.sign(to_sign.bytes()));
    auto tagged = std::move(to_sign).take();
    tagged[0] = static_cast<std::uint8_t>(der::context_constructed(0));  // the same octets as [0] IMPLICIT
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(signer.identifier.is_by_key() ? 3 : 1);
        signer.identifier.write(writer);
        writer.raw(encode(*digest_algorithm));
        writer.raw(tagged);
        writer.raw(signature_algorithm->identifier);
        writer.octet_string(signature);
        if (!signer.unsigned_attributes.empty())
            write_attributes(writer, der::context_constructed(1), signer.unsigned_attributes);
    });
    return std::move(writer).take();
}

Result<ByteVec> SignedDataBuilder::build() const {
    if (!signers_.empty() && !content_) return fail(Code::malformed, "SignedData: nothing to sign");
    std::vector<ByteVec> digests, infos;
    bool any_by_key = false;
    for (const auto& signer : signers_) {
        ESTUARY_TRY(const auto* digest_algorithm, digest_algorithm_for(signer.key));
        auto identifier = encode(*digest_algorithm);
        if (std::ranges::find(digests, identifier) == digests.end()) digests.push_back(std::move(identifier));
        ESTUARY_TRY(auto info, signer_info(signer));
        infos.push_back(std::move(info));
        any_by_key = any_by_key || signer.identifier.is_by_key();
    }
    const auto size = total_size(certificates_) + total_size(crls_) + total_size({infos.begin(), infos.end()}) +
                      (content_ ? content_->size() : 0);
    return write_content_info(oid::signed_data, size, [&](der::Writer& writer) {
        writer.integer(any_by_key || content_type_ != oid::data ? 3 : 1);  // RFC 5652 5.1
        write_set_of(writer, Tag::set, {digests.begin(), digests.end()});
        writer.sequence([&] {
            writer.oid(content_type_);
            if (content_ && !detached_)
                writer.constructed(der::context_constructed(0), [&] { writer.octet_string(*content_); });
        });
        if (!certificates_.empty()) write_set_of(writer, der::context_constructed(0), certificates_);
        if (!crls_.empty()) write_set_of(writer, der::context_constructed(1), crls_);
        write_set_of(writer, Tag::set, {infos.begin(), infos.end()});
    });
}

}  // namespace estuary::cms
