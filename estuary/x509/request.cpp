#include "estuary/x509/request_fields.h"

#include <fmt/format.h>

#include "estuary/x509/string_types.h"

namespace estuary::x509 {
namespace {

using der::Tag;

constexpr std::size_t request_bytes_max = 128 * 1024;  // the largest SLH-DSA signature is 49,856 octets
constexpr std::size_t attributes_max = 64;
constexpr std::size_t values_max = 16;
constexpr std::size_t challenge_characters_max = 255;  // pkcs-9-ub-challengePassword

tl::unexpected<Error> malformed_request(std::string detail) {
    return fail(Code::malformed, "certification request: " + std::move(detail));
}

/// The parts of a request, as views into it.
struct Parts {
    Bytes signed_octets;
    Bytes spki;
    Bytes algorithm;
    Bytes signature;
    Name subject;
    Bytes attributes;  ///< content of [0]
};

// CertificationRequestInfo ::= SEQUENCE { version INTEGER { v1(0) }, subject Name, subjectPKInfo SubjectPublicKeyInfo,
//                                         attributes [0] IMPLICIT Attributes }
Result<void> read_info(der::Reader reader, Parts& parts) {
    ESTUARY_TRY(const auto version, reader.integer());
    if (version != 0) return malformed_request(fmt::format("version {} is not v1(0)", version));
    ESTUARY_TRY(parts.subject, Name::read(reader));
    ESTUARY_TRY(const auto spki, reader.element(Tag::sequence));
    parts.spki = spki.whole;
    // RFC 2986 4.1 wants [0] there also when it is empty. Some clients leave it out then; nothing is lost by reading that.
    ESTUARY_TRY(const auto attributes, reader.element_if(der::context_constructed(0)));
    if (attributes) parts.attributes = attributes->content;
    return reader.finish("CertificationRequestInfo");
}

// CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
Result<Parts> read_parts(Bytes der) {
    if (der.size() > request_bytes_max)
        return fail(Code::too_large, fmt::format("certification request: larger than {} octets", request_bytes_max));
    ESTUARY_CHECK(der::check_der(der, "CertificationRequest"));  // to the bottom, so that attributes need not be
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "CertificationRequest"));
    ESTUARY_TRY(const auto info, reader.element(Tag::sequence));
    Parts parts;
    ESTUARY_CHECK(read_info(der::Reader{info.content}, parts));
    parts.signed_octets = info.whole;
    ESTUARY_TRY(const auto algorithm, reader.element(Tag::sequence));
    parts.algorithm = algorithm.whole;
    ESTUARY_TRY(parts.signature, reader.bit_string_octets());
    ESTUARY_CHECK(reader.finish("CertificationRequest"));
    return parts;
}

// Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET SIZE (1..MAX) OF ANY DEFINED BY type }
Result<Attribute> read_attribute(der::Reader& attributes) {
    ESTUARY_TRY(auto reader, attributes.enter(Tag::sequence));
    Attribute attribute;
    ESTUARY_TRY(attribute.type, reader.oid());
    ESTUARY_TRY(auto values, reader.enter(Tag::set));
    ESTUARY_CHECK(reader.finish("Attribute"));
    while (!values.empty()) {
        if (attribute.values.size() == values_max)
            return fail(Code::too_large, "certification request: attribute of more than 16 values");
        ESTUARY_TRY(const auto value, values.any());
        attribute.values.push_back(to_vec(value.whole));
    }
    if (attribute.values.empty()) return malformed_request("attribute " + attribute.type.dotted() + " without a value");
    return attribute;
}

/// The order of the SETs is not looked at: few clients sort them as DER demands, and no meaning hangs on it.
Result<std::vector<Attribute>> read_attributes(Bytes content) {
    std::vector<Attribute> attributes;
    for (der::Reader reader{content}; !reader.empty();) {
        if (attributes.size() == attributes_max) return fail(Code::too_large, "certification request: more than 64 attributes");
        ESTUARY_TRY(auto attribute, read_attribute(reader));
        if (find(attributes, attribute.type) != nullptr)
            return malformed_request("attribute " + attribute.type.dotted() + " more than once");
        attributes.push_back(std::move(attribute));
    }
    return attributes;
}

Result<std::vector<Extension>> requested_extensions(const std::vector<Attribute>& attributes) {
    const auto* attribute = find(attributes, oid::extension_request);
    // Microsoft's own attribute has the same syntax; older Windows clients send nothing else.
    if (attribute == nullptr) attribute = find(attributes, oid::microsoft_extensions);
    if (attribute == nullptr) return std::vector<Extension>{};
    if (attribute->values.size() != 1) return malformed_request("extensionRequest has more than one value");
    auto extensions = parse_extensions(attribute->values.front());
    if (!extensions) return fail(in_context("extensionRequest", std::move(extensions).error()));
    return extensions;
}

/// The text of an attribute of one DirectoryString; challengePassword is seen as IA5String too.
Result<std::optional<std::string>> text_of(const Attribute* attribute, std::string_view what) {
    if (attribute == nullptr) return std::optional<std::string>{};
    if (attribute->values.size() != 1) return malformed_request(std::string{what} + " has more than one value");
    der::Reader reader{attribute->values.front()};
    ESTUARY_TRY(const auto element, reader.any());
    const auto characters = strings::count_characters(element.tag, element.content);
    if (!characters) return malformed_request(std::string{what} + " is not a DirectoryString");
    if (*characters == 0 || *characters > challenge_characters_max)
        return malformed_request(std::string{what} + " is empty or longer than 255 characters");
    ESTUARY_TRY(auto text, strings::to_utf8(element.tag, element.content));
    return std::optional<std::string>{std::move(text)};
}

}  // namespace

const Attribute* find(const std::vector<Attribute>& attributes, const der::Oid& type) noexcept {
    const auto found = std::ranges::find(attributes, type, &Attribute::type);
    return found == attributes.end() ? nullptr : &*found;
}

Result<std::vector<GeneralName>> requested_names(const std::vector<Extension>& extensions) {
    const auto* extension = x509::find(extensions, oid::subject_alt_name);
    if (extension == nullptr) return std::vector<GeneralName>{};
    auto names = parse_general_names(extension->value);
    if (!names) return fail(in_context("subjectAltName", std::move(names).error()));
    // Also what policy might drop is checked here, so that nobody downstream meets a name that is not what it says.
    for (const auto& name : *names)
        if (auto ok = name.check(); !ok) return fail(in_context("subjectAltName", std::move(ok).error()));
    return names;
}

Result<CertificationRequest::Parts> parse_request_without_key(Bytes der) {
    ESTUARY_TRY(auto parts, read_parts(der));
    CertificationRequest::Parts out;
    ESTUARY_TRY(out.attributes, read_attributes(parts.attributes));
    ESTUARY_TRY(out.extensions, requested_extensions(out.attributes));
    out.der = to_vec(der);
    out.subject = std::move(parts.subject);
    out.spki = to_vec(parts.spki);
    out.possession = Possession::generated_here;
    return out;
}

Result<SignedRequest> SignedRequest::parse(Bytes der) {
    auto fields = std::make_shared<RequestFields>();
    fields->der = to_vec(der);
    ESTUARY_TRY(auto parts, read_parts(fields->der));
    ESTUARY_TRY(fields->attributes, read_attributes(parts.attributes));
    ESTUARY_TRY(fields->extensions, requested_extensions(fields->attributes));
    ESTUARY_TRY(fields->names, requested_names(fields->extensions));
    ESTUARY_TRY(fields->challenge, text_of(find(fields->attributes, oid::challenge_password), "challengePassword"));
    // Cryptography comes last: what is malformed costs its sender more than us.
    ESTUARY_TRY(auto key, crypto::PublicKey::from_spki(parts.spki));
    ESTUARY_CHECK(key.verify(parts.algorithm, parts.signed_octets, parts.signature));
    fields->spki = parts.spki;
    fields->subject = std::move(parts.subject);
    fields->key = std::move(key);
    return SignedRequest{std::move(fields)};
}

Result<UnprovenRequest> parse_unproven(Bytes pkcs10) {
    ESTUARY_TRY(auto parts, read_parts(pkcs10));
    UnprovenRequest request;
    request.parts.der = to_vec(pkcs10);
    request.parts.subject = std::move(parts.subject);
    request.parts.spki = to_vec(parts.spki);
    ESTUARY_TRY(request.parts.attributes, read_attributes(parts.attributes));
    ESTUARY_TRY(request.parts.extensions, requested_extensions(request.parts.attributes));
    request.parts.possession = Possession::decryption;
    request.signature_algorithm = to_vec(parts.algorithm);
    request.signed_octets = to_vec(parts.signed_octets);
    request.signature = to_vec(parts.signature);
    return request;
}

Bytes SignedRequest::der() const noexcept { return fields_->der; }
const Name& SignedRequest::subject() const noexcept { return fields_->subject; }
Bytes SignedRequest::spki() const noexcept { return fields_->spki; }
const crypto::PublicKey& SignedRequest::public_key() const noexcept { return *fields_->key; }
const std::vector<Attribute>& SignedRequest::attributes() const noexcept { return fields_->attributes; }
const Attribute* SignedRequest::attribute(const der::Oid& type) const noexcept { return find(fields_->attributes, type); }
const std::vector<Extension>& SignedRequest::extensions() const noexcept { return fields_->extensions; }
const std::vector<GeneralName>& SignedRequest::subject_alt_names() const noexcept { return fields_->names; }
const std::optional<std::string>& SignedRequest::challenge_password() const noexcept { return fields_->challenge; }
crypto::Sha256 SignedRequest::fingerprint() const { return crypto::sha256(fields_->der); }

Result<std::optional<std::string>> directory_string_attribute(const std::vector<Attribute>& attributes, const der::Oid& type) {
    return text_of(find(attributes, type), type.dotted());
}

}  // namespace estuary::x509
