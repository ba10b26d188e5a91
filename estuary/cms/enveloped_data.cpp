// Reading and opening; making is in enveloped_data_build.cpp.
#include "estuary/cms/enveloped_data.h"

#include <fmt/format.h>

#include "estuary/cms/uniform_open.h"
#include "estuary/crypto/cipher.h"

namespace estuary::cms {
namespace {

using crypto::Secret;
using der::Reader;
using der::Tag;

tl::unexpected<Error> malformed_enveloped_data(std::string detail) {
    return fail(Code::malformed, "EnvelopedData: " + std::move(detail));
}

/// encryptedContent [0] IMPLICIT OCTET STRING: in one piece, or in those that to_der() leaves it in.
Result<ByteVec> read_encrypted(Reader& info) {
    if (info.next_is(der::context(0))) {
        ESTUARY_TRY(const auto content, info.content(der::context(0)));
        return to_vec(content);
    }
    ESTUARY_TRY(auto pieces, info.enter_if(der::context_constructed(0)));
    if (!pieces) return fail(Code::unsupported, "EnvelopedData: the content is detached");
    ByteVec joined;
    while (!pieces->empty()) {
        ESTUARY_TRY(const auto piece, pieces->octet_string());
        append(joined, piece);
    }
    return joined;
}

/// Which identifiers are this holder's.
bool is_for(const Identifier& identifier, const KeyHolder& holder) {
    if (holder.certificate && identifier.names(*holder.certificate)) return true;
    if (holder.other_name && identifier == *holder.other_name) return true;
    return identifier.is_by_key() && !holder.key_identifier.empty() && identifier.key_identifier == holder.key_identifier;
}

struct IsFor {
    const KeyHolder& holder;
    bool operator()(const KeyTransport& recipient) const { return is_for(recipient.recipient, holder); }
    bool operator()(const KeyAgreement& recipient) const { return is_for(recipient.recipient, holder); }
    bool operator()(const KeyEncapsulation& recipient) const { return is_for(recipient.recipient, holder); }
    bool operator()(const SharedKeyWrap&) const { return false; }
    bool operator()(const PasswordWrap&) const { return false; }
    bool operator()(const UnknownRecipient&) const { return false; }
};

struct Unwrap {
    const KeyHolder& holder;
    std::size_t key_octets;
    Result<Secret> operator()(const KeyTransport& recipient) const { return unwrap(recipient, holder.key, key_octets); }
    Result<Secret> operator()(const KeyAgreement& recipient) const { return unwrap(recipient, holder.key); }
    Result<Secret> operator()(const KeyEncapsulation& recipient) const { return unwrap(recipient, holder.key); }
    template <class Other>
    Result<Secret> operator()(const Other&) const {
        return fail(Code::internal, "a recipient without a private key was chosen");
    }
};

/// The one recipient that `wanted` is true of. Two would be two tries at one key (bug class 17).
template <class Predicate>
Result<const Recipient*> only(const std::vector<Recipient>& recipients, Predicate wanted) {
    const Recipient* found = nullptr;
    for (const auto& recipient : recipients) {
        if (!wanted(recipient)) continue;
        if (found != nullptr) return malformed_enveloped_data("two recipients are the same");
        found = &recipient;
    }
    if (found == nullptr) return fail(Code::not_found, "EnvelopedData: no recipient is this one");
    return found;
}

}  // namespace

struct EnvelopedData::Fields {
    ByteVec der;
    bool authenticated = false;
    der::Oid content_type;
    CipherUse use;
    ByteVec encrypted;
    std::vector<Recipient> recipients;
    ByteVec additional;  ///< authAttrs as SET OF in DER; empty: none
    Bytes tag;
    Bytes unprotected;   ///< content of unprotectedAttrs

    /// EncryptedContentInfo ::= SEQUENCE { contentType, contentEncryptionAlgorithm, encryptedContent [0] IMPLICIT OPTIONAL }
    Result<void> read_content(Reader& reader) {
        ESTUARY_TRY(auto info, reader.enter(Tag::sequence));
        ESTUARY_TRY(content_type, info.oid());
        ESTUARY_TRY(const auto algorithm, read_algorithm(info));
        ESTUARY_TRY(use, read_content_cipher(algorithm));
        if (use.cipher->authenticated != authenticated)  // a forger could otherwise have CBC taken for GCM (CVE-2026-34182)
            return fail(Code::unsupported, fmt::format("{} in this kind of message", use.cipher->name));
        ESTUARY_TRY(encrypted, read_encrypted(info));
        return info.finish("EncryptedContentInfo");
    }

    /// RFC 5083 2.1: authAttrs are there unless the content is id-data, and then contentType is among them.
    Result<void> read_authenticated_attributes(Reader& reader, const Limits& limits) {
        ESTUARY_TRY(const auto set, reader.enter_if(der::context_constructed(1)));
        if (!set) {
            if (content_type != oid::data)
                return malformed_enveloped_data("content of a type that needs authenticated attributes");
            return {};
        }
        ESTUARY_TRY(const auto attributes, read_attributes(*set, limits));
        const auto* stated = find(attributes, oid::content_type);
        der::Writer wanted, all;
        wanted.oid(content_type);
        const bool right =
            stated != nullptr ? *stated == make_attribute(oid::content_type, wanted.bytes()) : content_type == oid::data;
        if (!right) return malformed_enveloped_data("the authenticated contentType is not that of the content");
        write_attributes(all, Tag::set, attributes);
        additional = std::move(all).take();
        return {};
    }

    Result<void> read_version(Reader& reader) {
        constexpr std::int64_t version_max = 4;  // it says no more than the fields do
        ESTUARY_TRY(const auto version, reader.integer());
        if (version < 0 || version > (authenticated ? 0 : version_max))
            return malformed_enveloped_data(fmt::format("version {}", version));
        return {};
    }

    /// EnvelopedData ::= SEQUENCE { version, originatorInfo [0] IMPLICIT OPTIONAL, recipientInfos SET OF,
    ///     encryptedContentInfo, unprotectedAttrs [1] IMPLICIT OPTIONAL }   -- RFC 5652 6.1
    /// AuthEnvelopedData ::= SEQUENCE { …, authEncryptedContentInfo, authAttrs [1] IMPLICIT OPTIONAL, mac OCTET STRING,
    ///     unauthAttrs [2] IMPLICIT OPTIONAL }   -- RFC 5083 2.1
    Result<void> read(Reader reader, const Limits& limits) {
        ESTUARY_CHECK(read_version(reader));
        ESTUARY_CHECK(reader.element_if(der::context_constructed(0)));  // certificates for static originators
        ESTUARY_TRY(const auto set, reader.enter(Tag::set));
        ESTUARY_TRY(recipients, read_recipients(set, limits));
        ESTUARY_CHECK(read_content(reader));
        if (authenticated) {
            ESTUARY_CHECK(read_authenticated_attributes(reader, limits));
            ESTUARY_TRY(tag, reader.octet_string());
            if (tag.size() != use.tag_octets) return malformed_enveloped_data("mac of another length than aes-ICVlen");
        }
        const auto outside = der::context_constructed(authenticated ? 2 : 1);
        if (reader.next_is(outside)) {
            ESTUARY_TRY(unprotected, reader.content(outside));
        }
        return reader.finish("EnvelopedData");
    }

    Result<void> check_options(const OpenOptions& options) const {
        if (use.cipher->legacy && !options.triple_des) return fail(Code::unsupported, "DES-EDE3-CBC is not allowed here");
        return {};
    }

    Result<Secret> decrypt(Bytes key) const {
        return authenticated ? crypto::decrypt_gcm(use.cipher->name, key, use.iv, additional, encrypted, tag)
                             : crypto::decrypt_cbc(use.cipher->name, key, use.iv, encrypted);
    }
};

Result<EnvelopedData> EnvelopedData::parse(Bytes content_info, const Limits& limits) {
    if (content_info.size() > limits.bytes_max) return fail(Code::too_large, "EnvelopedData: larger than its limit");
    auto fields = std::make_shared<Fields>();
    fields->der = to_vec(content_info);
    ESTUARY_TRY(const auto type, content_type_of(content_info));
    fields->authenticated = type == oid::auth_enveloped_data;
    const auto& wanted = fields->authenticated ? oid::auth_enveloped_data : oid::enveloped_data;
    ESTUARY_TRY(const auto reader, open_content_info(fields->der, wanted, limits));
    ESTUARY_CHECK(fields->read(reader, limits));
    EnvelopedData parsed;
    parsed.fields_ = std::move(fields);
    return parsed;
}

bool EnvelopedData::authenticated() const noexcept { return fields_->authenticated; }
const der::Oid& EnvelopedData::content_type() const noexcept { return fields_->content_type; }
const ContentCipher& EnvelopedData::cipher() const noexcept { return *fields_->use.cipher; }
const std::vector<Recipient>& EnvelopedData::recipients() const noexcept { return fields_->recipients; }

Result<Attributes> EnvelopedData::unprotected_attributes(const Limits& limits) const {
    return read_attributes(Reader{fields_->unprotected, der_limits(limits)}, limits);
}

Result<Secret> EnvelopedData::open_content(Result<Secret> content_key) const {
    return open_uniformly(std::move(content_key), fields_->use.cipher->key_octets, "EnvelopedData",
                          [&](Bytes key) { return fields_->decrypt(key); });
}

Result<Secret> EnvelopedData::open(const KeyHolder& holder, const OpenOptions& options) const {
    ESTUARY_CHECK(fields_->check_options(options));
    ESTUARY_TRY(const auto* recipient,
                only(fields_->recipients, [&](const auto& one) { return std::visit(IsFor{holder}, one); }));
    return open_content(std::visit(Unwrap{holder, fields_->use.cipher->key_octets}, *recipient));
}

Result<Secret> EnvelopedData::open(const SharedKey& shared, const OpenOptions& options) const {
    ESTUARY_CHECK(fields_->check_options(options));
    ESTUARY_TRY(const auto* recipient, only(fields_->recipients, [&](const auto& one) {
                    const auto* wrap = std::get_if<SharedKeyWrap>(&one);
                    return wrap != nullptr && same(wrap->key_identifier, shared.identifier);
                }));
    return open_content(unwrap(std::get<SharedKeyWrap>(*recipient), shared.key));
}

Result<Secret> EnvelopedData::open_with_password(const Secret& password, const OpenOptions& options) const {
    ESTUARY_CHECK(fields_->check_options(options));
    ESTUARY_TRY(const auto* recipient,
                only(fields_->recipients, [](const auto& one) { return std::holds_alternative<PasswordWrap>(one); }));
    return open_content(unwrap(std::get<PasswordWrap>(*recipient), password, {.iterations_max = options.iterations_max}));
}

}  // namespace estuary::cms
