// Reading CsrAttrs (RFC 8951 4) and its request template (RFC 9908 3.4).
#include <algorithm>

#include "estuary/est/messages.h"

namespace estuary::est {
namespace {

using der::Tag;

constexpr der::Limits limits{.depth_max = 24, .bytes_max = 64 * 1024};  // the longest in practice stay below 2 kB
constexpr std::size_t items_max = 256;
constexpr std::size_t values_max = 64;
constexpr std::size_t rdns_max = 32;
constexpr std::size_t rdn_attributes_max = 8;
constexpr std::size_t extensions_max = 64;
constexpr unsigned rsa_bits_max = 16384;  // as crypto accepts

/// Whole elements up to the end, each checked to the bottom.
Result<std::vector<ByteVec>> read_values(der::Reader& set) {
    std::vector<ByteVec> values;
    while (!set.empty()) {
        if (values.size() == values_max) return fail(Code::too_large, "CsrAttrs: an attribute has too many values");
        ESTUARY_TRY(const auto value, set.any());
        ESTUARY_CHECK(der::check_der(value.whole, "CsrAttrs: attribute value", limits));
        values.push_back(to_vec(value.whole));
    }
    return values;
}

/// Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
Result<AttrOrOid> read_attribute(der::Reader& parent) {
    ESTUARY_TRY(auto reader, parent.enter(Tag::sequence));
    AttrOrOid out;
    ESTUARY_TRY(out.oid, reader.oid());
    ESTUARY_TRY(auto set, reader.enter(Tag::set));
    ESTUARY_TRY(out.values, read_values(set));
    ESTUARY_CHECK(reader.finish("CsrAttrs: attribute"));
    return out;
}

/// AttrOrOID ::= CHOICE { oid OBJECT IDENTIFIER, attribute Attribute }
Result<AttrOrOid> read_item(der::Reader& parent) {
    if (!parent.next_is(Tag::oid)) return read_attribute(parent);
    AttrOrOid out;
    ESTUARY_TRY(out.oid, parent.oid());
    return out;
}

/// SingleAttributeTemplate ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY OPTIONAL }
Result<RequestInfoTemplate::NameAttribute> read_name_attribute(der::Reader& parent) {
    ESTUARY_TRY(auto reader, parent.enter(Tag::sequence));
    RequestInfoTemplate::NameAttribute out;
    ESTUARY_TRY(out.type, reader.oid());
    if (!reader.empty()) {
        ESTUARY_TRY(const auto value, reader.any());
        ESTUARY_CHECK(der::check_der(value.whole, "CsrAttrs: subject value", limits));
        out.value.emplace(value.tag, estuary::to_string(value.content));
    }
    ESTUARY_CHECK(reader.finish("CsrAttrs: subject attribute"));
    return out;
}

/// RDNSequenceTemplate ::= SEQUENCE OF SET SIZE (1..MAX) OF SingleAttributeTemplate
Result<std::vector<std::vector<RequestInfoTemplate::NameAttribute>>> read_subject(der::Reader reader) {
    std::vector<std::vector<RequestInfoTemplate::NameAttribute>> out;
    while (!reader.empty()) {
        if (out.size() == rdns_max) return fail(Code::too_large, "CsrAttrs: too many RDNs in the subject");
        ESTUARY_TRY(auto rdn, reader.enter(Tag::set));
        auto& attributes = out.emplace_back();
        do {
            if (attributes.size() == rdn_attributes_max) return fail(Code::too_large, "CsrAttrs: an RDN is too long");
            ESTUARY_TRY(auto attribute, read_name_attribute(rdn));
            attributes.push_back(std::move(attribute));
        } while (!rdn.empty());
    }
    return out;
}

/// The modulus length of a stand-in RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }.
Result<unsigned> read_rsa_bits(Bytes key) {
    ESTUARY_TRY(auto reader, der::enter_only(key, Tag::sequence, "CsrAttrs: RSAPublicKey", limits));
    ESTUARY_TRY(auto modulus, reader.integer_octets());
    ESTUARY_TRY([[maybe_unused]] const auto exponent, reader.integer_octets());
    ESTUARY_CHECK(reader.finish("CsrAttrs: RSAPublicKey"));
    if (modulus.empty() || (modulus.front() & 0x80) != 0)
        return fail(Code::malformed, "CsrAttrs: the RSA modulus is negative");
    if (modulus.front() == 0) modulus = modulus.subspan(1);
    if (modulus.empty() || modulus.size() > rsa_bits_max / 8)
        return fail(Code::malformed, "CsrAttrs: the RSA modulus is zero or too long");
    unsigned bits = static_cast<unsigned>(modulus.size()) * 8;
    for (unsigned mask = 0x80; (modulus.front() & mask) == 0; mask >>= 1) --bits;
    return bits;
}

/// SubjectPublicKeyInfoTemplate ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING OPTIONAL }
Result<void> read_key(der::Reader reader, RequestInfoTemplate& into) {
    ESTUARY_TRY(const auto algorithm, reader.element(Tag::sequence));
    der::Reader inside{algorithm.content};
    ESTUARY_TRY(const auto type, inside.oid());
    ESTUARY_CHECK(der::check_der(algorithm.whole, "CsrAttrs: algorithm", limits));
    into.key_algorithm = to_vec(algorithm.whole);
    if (!reader.empty()) {
        ESTUARY_TRY(const auto key, reader.bit_string_octets());
        // RFC 9908 3.4: the stand-in key is for RSA; with others it says nothing.
        if (type == oid::rsa_encryption) {
            ESTUARY_TRY(into.rsa_bits, read_rsa_bits(key));
        }
    }
    return reader.finish("CsrAttrs: subjectPKInfo");
}

/// ExtensionTemplate ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING OPTIONAL }
Result<ExtensionTemplate> read_extension(der::Reader& parent, bool value_optional) {
    ESTUARY_TRY(auto reader, parent.enter(Tag::sequence));
    ExtensionTemplate out;
    ESTUARY_TRY(out.id, reader.oid());
    ESTUARY_TRY(out.critical, reader.boolean_default_false());
    if (!reader.empty() || !value_optional) {
        ESTUARY_TRY(const auto value, reader.octet_string());
        out.value = to_vec(value);
    }
    ESTUARY_CHECK(reader.finish("CsrAttrs: extension"));
    return out;
}

Result<std::vector<ExtensionTemplate>> read_extensions(Bytes der, bool values_optional) {
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "CsrAttrs: extensions", limits));
    std::vector<ExtensionTemplate> out;
    do {
        if (out.size() == extensions_max) return fail(Code::too_large, "CsrAttrs: too many extensions");
        ESTUARY_TRY(auto extension, read_extension(reader, values_optional));
        if (std::ranges::count(out, extension.id, &ExtensionTemplate::id) != 0)
            return fail(Code::malformed, "CsrAttrs: an extension occurs twice");  // RFC 9908 3.2
        out.push_back(std::move(extension));
    } while (!reader.empty());
    return out;
}

/// Attributes ::= SET OF Attribute, without its tag.
Result<void> read_template_attributes(der::Reader reader, RequestInfoTemplate& into) {
    bool extensions_seen = false;
    for (std::size_t count = 0; !reader.empty(); ++count) {
        if (count == items_max) return fail(Code::too_large, "CsrAttrs: too many attributes");
        ESTUARY_TRY(auto attribute, read_attribute(reader));
        const bool partial = attribute.oid == oid::extension_request_template;
        if (!partial && attribute.oid != x509::oid::extension_request) {
            into.attributes.push_back(std::move(attribute));
            continue;
        }
        // RFC 9908 3.4: never twice, never both, exactly one value.
        if (std::exchange(extensions_seen, true))
            return fail(Code::malformed, "CsrAttrs: the template asks for extensions twice");
        if (attribute.values->size() != 1)
            return fail(Code::malformed, "CsrAttrs: the template's extensions must be exactly one value");
        ESTUARY_TRY(into.extensions, read_extensions(attribute.values->front(), partial));
    }
    return {};
}

/// CertificationRequestInfoTemplate ::= SEQUENCE { version INTEGER { v1(0) }, subject NameTemplate OPTIONAL,
///     subjectPKInfo [0] SubjectPublicKeyInfoTemplate OPTIONAL, attributes [1] Attributes }   -- implicit tags
Result<RequestInfoTemplate> read_template(Bytes der) {
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "CsrAttrs: request template", limits));
    RequestInfoTemplate out;
    ESTUARY_TRY(const auto version, reader.integer());
    if (version != 0) return fail(Code::unsupported, "CsrAttrs: the request template is not of version 1");
    ESTUARY_TRY(auto subject, reader.enter_if(Tag::sequence));
    if (subject) {
        ESTUARY_TRY(out.subject, read_subject(*subject));
    }
    ESTUARY_TRY(auto key, reader.enter_if(der::context_constructed(0)));
    if (key) ESTUARY_CHECK(read_key(*key, out));
    ESTUARY_TRY(auto attributes, reader.enter(der::context_constructed(1)));
    ESTUARY_CHECK(read_template_attributes(attributes, out));
    ESTUARY_CHECK(reader.finish("CsrAttrs: request template"));
    return out;
}

Result<void> take_template(const AttrOrOid& item, CsrAttrs& into) {
    if (into.request_template) return fail(Code::malformed, "CsrAttrs: there are two request templates");
    if (!item.values || item.values->size() != 1)
        return fail(Code::malformed, "CsrAttrs: the request template must be exactly one value");
    ESTUARY_TRY(into.request_template, read_template(item.values->front()));
    return {};
}

}  // namespace

Result<CsrAttrs> CsrAttrs::parse(Bytes der) {
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "CsrAttrs", limits));
    CsrAttrs out;
    for (std::size_t count = 0; !reader.empty(); ++count) {
        if (count == items_max) return fail(Code::too_large, "CsrAttrs: more than 256 elements");
        ESTUARY_TRY(auto item, read_item(reader));
        if (item.oid == oid::request_info_template) {
            ESTUARY_CHECK(take_template(item, out));
        } else {
            out.items.push_back(std::move(item));
        }
    }
    return out;
}

bool has_unfinished_name(Bytes subject_alt_name) noexcept {
    auto reader = der::enter_only(subject_alt_name, Tag::sequence, "subjectAltName", limits);
    if (!reader) return false;
    while (!reader->empty()) {
        const auto name = reader->any();
        if (!name) return false;
        const bool empty_directory = name->tag == der::context_constructed(4) && name->content.size() == 2 &&
                                     name->content[0] == static_cast<std::uint8_t>(Tag::sequence);
        if (name->content.empty() || empty_directory) return true;
    }
    return false;
}

}  // namespace estuary::est
