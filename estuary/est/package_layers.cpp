#include "estuary/est/package_layers.h"

#include <array>

#include <fmt/format.h>

#include "estuary/cms/key_package.h"

namespace estuary::est {
namespace detail {
namespace {

using der::Oid;
using der::Tag;

constexpr unsigned layers_max = 6;  // signed, encrypted, signed and the key package are four

/// How a content type is gone into.
enum class Syntax : std::uint8_t { signed_data, enveloped, encrypted, encrypted_key_package, compressed, content };
struct ContentType {
    Oid oid;
    std::string_view name;   ///< as RFC 7193 5 spells it
    Syntax syntax = Syntax::content;
};
constexpr std::array content_types{
    ContentType{cms::oid::signed_data, "signedData", Syntax::signed_data},
    ContentType{cms::oid::enveloped_data, "envelopedData", Syntax::enveloped},
    ContentType{cms::oid::auth_enveloped_data, "authEnvelopedData", Syntax::enveloped},
    ContentType{Oid{"1.2.840.113549.1.7.6"}, "encryptedData", Syntax::encrypted},                          // RFC 5652 8
    ContentType{Oid{"2.16.840.1.101.2.1.2.78.2"}, "encryptedKeyPkg", Syntax::encrypted_key_package},       // RFC 6032
    ContentType{Oid{"1.2.840.113549.1.9.16.1.9"}, "compressedData", Syntax::compressed},                   // RFC 3274
    ContentType{cms::oid::asymmetric_key_package, "aKeyPackage"},
    ContentType{Oid{"1.2.840.113549.1.9.16.1.25"}, "sKeyPackage"},                                       // RFC 6031
    ContentType{Oid{"1.2.840.113549.1.9.16.1.16"}, "firmwarePackage"},                                   // RFC 4108
    ContentType{Oid{"1.2.840.113549.1.9.16.1.17"}, "firmwareLoadReceipt"},
    ContentType{Oid{"1.2.840.113549.1.9.16.1.18"}, "firmwareLoadError"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.78.3"}, "keyPackageReceipt"},                                  // RFC 7191
    ContentType{Oid{"2.16.840.1.101.2.1.2.78.6"}, "keyPackageError"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.1"}, "TAMP-statusQuery"},                                   // RFC 5934
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.2"}, "TAMP-statusResponse"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.3"}, "TAMP-update"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.4"}, "TAMP-updateConfirm"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.5"}, "TAMP-apexUpdate"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.6"}, "TAMP-apexUpdateConfirm"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.7"}, "TAMP-communityUpdate"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.8"}, "TAMP-communityUpdateConfirm"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.9"}, "TAMP-error"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.10"}, "TAMP-seqNumAdjust"},
    ContentType{Oid{"2.16.840.1.101.2.1.2.77.11"}, "TAMP-seqNumAdjustConfirm"},
};

tl::unexpected<Error> malformed_package(std::string detail) { return fail(Code::malformed, "package: " + std::move(detail)); }

const ContentType* known(const Oid& oid) {
    for (const auto& type : content_types)
        if (type.oid == oid) return &type;
    return nullptr;
}

/// What is inside of a layer: its type, and its element unless that is hidden.
struct Inside {
    Oid type;
    std::optional<crypto::Secret> element;   ///< keys, once they are opened
    bool none = false;                       ///< nothing at all
};

/// EncryptedContentInfo ::= SEQUENCE { contentType, contentEncryptionAlgorithm, encryptedContent [0] OPTIONAL }
Result<Inside> read_encrypted_content(der::Reader& fields) {
    ESTUARY_TRY(auto info, fields.enter(Tag::sequence));
    ESTUARY_TRY(const auto type, info.oid());
    return Inside{type, std::nullopt, false};
}

/// EncryptedData ::= SEQUENCE { version, encryptedContentInfo, unprotectedAttrs [1] OPTIONAL }
Result<Inside> read_encrypted_data(Bytes element, Tag tag) {
    ESTUARY_TRY(auto fields, der::enter_only(element, tag, "EncryptedData", package_der_limits()));
    ESTUARY_CHECK(fields.integer());
    return read_encrypted_content(fields);
}

/// What the opener has the key for. What is for somebody else, or encrypted in a way that is not known here, stays hidden.
Result<void> open_enveloped(const Oid& type, Bytes element, const KeyOpener& opener, Inside& into) {
    auto untagged = to_vec(element);
    untagged.front() = static_cast<std::uint8_t>(Tag::sequence);
    const auto message = cms::EnvelopedData::parse(cms::make_content_info(type, untagged), package_limits());
    if (!message && message.error().code == Code::unsupported) return {};
    if (!message) return fail(message.error());
    auto content = opener.open(*message);
    if (!content && (content.error().code == Code::not_found || content.error().code == Code::unsupported)) return {};
    if (!content) return fail(in_context("package", std::move(content).error()));
    into.element = std::move(*content);
    // Many encrypt a whole message as if it were plain data.
    const auto nested = into.type == cms::oid::data ? cms::content_type_of(into.element->reveal()) : Result<Oid>{into.type};
    if (!nested || *nested == into.type || known(*nested) == nullptr) return {};
    ESTUARY_TRY(const auto inner, cms::inner_content(into.element->reveal()));
    into = Inside{*nested, crypto::Secret{to_vec(inner)}, false};
    return {};
}

/// EnvelopedData ::= SEQUENCE { version, originatorInfo [0] OPTIONAL, recipientInfos SET, encryptedContentInfo, … }; the fields
/// of AuthEnvelopedData up to there are the same.
Result<Inside> read_enveloped(const Oid& type, Bytes element, Tag tag, const KeyOpener& opener) {
    ESTUARY_TRY(auto fields, der::enter_only(element, tag, "EnvelopedData", package_der_limits()));
    ESTUARY_CHECK(fields.integer());
    ESTUARY_CHECK(fields.element_if(der::context_constructed(0)));
    ESTUARY_TRY(const auto recipients, fields.content(Tag::set));
    if (recipients.empty()) return malformed_package("encrypted for nobody");
    ESTUARY_TRY(auto inside, read_encrypted_content(fields));
    if (opener.expects_encryption()) ESTUARY_CHECK(open_enveloped(type, element, opener, inside));
    return inside;
}

/// EncryptedKeyPackage ::= CHOICE { encrypted EncryptedData, enveloped [0] EnvelopedData, authEnveloped [1] AuthEnvelopedData }
Result<Inside> read_encrypted_key_package(Bytes element, const KeyOpener& opener) {
    const auto tag = der::Reader{element, package_der_limits()}.peek();
    if (tag == der::context_constructed(0)) return read_enveloped(cms::oid::enveloped_data, element, *tag, opener);
    if (tag == der::context_constructed(1)) return read_enveloped(cms::oid::auth_enveloped_data, element, *tag, opener);
    return read_encrypted_data(element, Tag::sequence);
}

/// CompressedData ::= SEQUENCE { version, compressionAlgorithm, encapContentInfo }: nothing is unpacked here.
Result<Inside> read_compressed(Bytes element) {
    ESTUARY_TRY(auto fields, der::enter_only(element, Tag::sequence, "CompressedData", package_der_limits()));
    ESTUARY_CHECK(fields.integer());
    ESTUARY_CHECK(fields.element(Tag::sequence));
    ESTUARY_TRY(auto info, fields.enter(Tag::sequence));
    ESTUARY_TRY(const auto type, info.oid());
    return Inside{type, std::nullopt, false};
}

Result<Inside> read_signed(Bytes element, OpenLayers& into) {
    ESTUARY_TRY(auto data, cms::parse_inner_signed_data(element, package_limits()));
    Inside inside{data.content_type(), std::nullopt, !data.content()};
    if (data.content()) inside.element = crypto::Secret{to_vec(*data.content())};
    if (!data.signers().empty()) {
        into.seen.signed_ = true;
        into.signatures.push_back(std::move(data));
    }
    return inside;
}

Result<Inside> read_layer(const ContentType& type, Bytes element, const KeyOpener& opener, OpenLayers& into) {
    switch (type.syntax) {
        case Syntax::signed_data: return read_signed(element, into);
        case Syntax::enveloped: return read_enveloped(type.oid, element, Tag::sequence, opener);
        case Syntax::encrypted: return read_encrypted_data(element, Tag::sequence);
        case Syntax::encrypted_key_package: return read_encrypted_key_package(element, opener);
        case Syntax::compressed: return read_compressed(element);
        case Syntax::content: break;
    }
    return malformed_package("no layer");
}

bool hides(Syntax syntax) { return syntax == Syntax::enveloped || syntax == Syntax::encrypted || syntax == Syntax::encrypted_key_package; }

}  // namespace

Result<OpenLayers> open_layers(Bytes der, const KeyOpener& opener) {
    ESTUARY_CHECK(der::check_der(der, "package", package_der_limits()));
    ESTUARY_TRY(auto type, cms::content_type_of(der));
    ESTUARY_TRY(const auto content, cms::inner_content(der));
    OpenLayers out;
    std::optional<crypto::Secret> element{to_vec(content)};
    for (unsigned depth = 0;; ++depth) {
        if (type == cms::oid::data && !element) return out;  // hidden, and its maker did not say what it is
        const auto* layer = known(type);
        if (layer == nullptr || layer->syntax == Syntax::content) break;
        // A type that is only named, behind encryption or compression, is the last thing that can be told.
        out.seen.names.emplace_back(layer->name);
        if (!element) return out;
        if (depth == layers_max) return fail(Code::too_large, "package: too many layers");
        out.seen.encrypted = out.seen.encrypted || hides(layer->syntax);
        ESTUARY_TRY(auto inside, read_layer(*layer, element->reveal(), opener, out));
        type = inside.type;
        out.has_content = !inside.none;
        element = std::move(inside.element);
        if (inside.none) return out;
        out.hidden = !element && hides(layer->syntax);
        if (element && known(type) != nullptr) ESTUARY_CHECK(der::check_der(element->reveal(), "package content", package_der_limits()));
    }
    const auto* last = known(type);
    out.seen.content = last != nullptr ? std::string{last->name} : type.dotted();
    return out;
}

}  // namespace detail

Result<Layers> read_layers(Bytes der) {
    ESTUARY_TRY(auto open, detail::open_layers(der));
    return std::move(open.seen);
}

std::string Layers::describe() const {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : " > ") + name;
    if (!content.empty()) out += (out.empty() ? "" : " > ") + content;
    return out;
}

std::string cms_media_type(const Layers& layers) {
    std::string out{media_cms};
    if (layers.names.size() == 1) out += "; encapsulatingContent=" + layers.names.front();
    if (layers.names.size() > 1) {
        std::string list;
        for (const auto& name : layers.names) list += (list.empty() ? "" : " , ") + name;
        out += fmt::format("; encapsulatingContent=\"{}\"", list);
    }
    // Only the registered names are values of innerContent; a dotted OID is none.
    const bool named = !layers.content.empty() && layers.content.find('.') == std::string::npos;
    if (named) out += "; innerContent=" + layers.content;
    return out;
}

}  // namespace estuary::est
