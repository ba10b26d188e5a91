#include "estuary/x509/name.h"

#include <array>

#include <fmt/format.h>

#include "estuary/x509/name_attributes.h"
#include "estuary/x509/oids.h"
#include "estuary/x509/string_types.h"

namespace estuary::x509 {
namespace {

using der::Tag;

constexpr std::size_t name_bytes_max = 8 * 1024;  // over-long names burden every index, log line and peer
constexpr std::size_t rdns_max = 32;
constexpr std::size_t attributes_per_rdn_max = 8;

struct RawAttribute {
    der::Oid type;
    der::Element value;
    Bytes whole;
};

// AttributeTypeAndValue ::= SEQUENCE { type AttributeType, value AttributeValue }
Result<RawAttribute> read_attribute_type_and_value(der::Reader& rdn) {
    ESTUARY_TRY(const auto element, rdn.element(Tag::sequence));
    der::Reader reader{element.content};
    ESTUARY_TRY(const auto type, reader.oid());
    ESTUARY_TRY(const auto value, reader.any());
    ESTUARY_CHECK(reader.finish("AttributeTypeAndValue"));
    return RawAttribute{type, value, element.whole};
}

/// Order of a SET OF (X.690 11.6).
bool is_before(Bytes a, Bytes b) noexcept { return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()); }

// RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
Result<void> check_rdn(Bytes content) {
    der::Reader reader{content};
    if (reader.empty()) return fail(Code::malformed, "empty RelativeDistinguishedName");
    std::array<der::Oid, attributes_per_rdn_max> types{};
    Bytes previous;
    for (std::size_t count = 0; !reader.empty(); ++count) {
        if (count == attributes_per_rdn_max)
            return fail(Code::too_large, fmt::format("more than {} attributes in one RDN", attributes_per_rdn_max));
        ESTUARY_TRY(const auto attribute, read_attribute_type_and_value(reader));
        ESTUARY_CHECK(check_attribute(attribute.type, attribute.value));
        if (count != 0 && !is_before(previous, attribute.whole))
            return fail(Code::malformed, "attributes of an RDN are not in DER order");
        const auto seen = std::span{types}.first(count);
        if (std::ranges::find(seen, attribute.type) != seen.end())
            return fail(Code::malformed, "attribute type twice in one RDN");
        types[count] = attribute.type;
        previous = attribute.whole;
    }
    return {};
}

// Name ::= CHOICE { rdnSequence RDNSequence }, RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
Result<void> check_name(const der::Element& name) {
    if (name.whole.size() > name_bytes_max) return fail(Code::too_large, fmt::format("larger than {} octets", name_bytes_max));
    der::Reader reader{name.content};
    for (std::size_t count = 0; !reader.empty(); ++count) {
        if (count == rdns_max) return fail(Code::too_large, fmt::format("more than {} RDNs", rdns_max));
        ESTUARY_TRY(const auto rdn, reader.content(Tag::set));
        ESTUARY_CHECK(check_rdn(rdn));
    }
    return {};
}

/// Comparable form of one value: text folded, written as UTF8String; anything else as it stands.
void write_canonical_value(der::Writer& writer, const AttributeTypeAndValue& attribute) {
    if (const auto utf8 = attribute.text()) {
        writer.utf8_string(strings::fold(*utf8));
    } else {
        writer.primitive(attribute.tag, attribute.value);
    }
}

ByteVec canonical_attribute(const AttributeTypeAndValue& attribute) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(attribute.type);
        write_canonical_value(writer, attribute);
    });
    return std::move(writer).take();
}

}  // namespace

Result<std::string> AttributeTypeAndValue::text() const { return strings::to_utf8(tag, value); }

Name::Name() : der_{0x30, 0x00} {}

Result<Name> Name::read(der::Reader& reader) {
    ESTUARY_TRY(const auto element, reader.element(Tag::sequence));
    if (auto ok = check_name(element); !ok) return fail(in_context("name", std::move(ok).error()));
    Name name;
    name.der_.assign(element.whole.begin(), element.whole.end());
    return name;
}

Result<Name> Name::parse(Bytes der) {
    der::Reader reader{der};
    ESTUARY_TRY(auto name, read(reader));
    ESTUARY_CHECK(reader.finish("Name"));
    return name;
}

std::vector<std::vector<AttributeTypeAndValue>> Name::rdns() const {
    // Every step was checked when the name was made, so a failure here only ends the walk.
    std::vector<std::vector<AttributeTypeAndValue>> out;
    der::Reader outer{der_};
    auto sequence = outer.content(Tag::sequence);
    if (!sequence) return out;
    for (der::Reader reader{*sequence}; !reader.empty();) {
        const auto set = reader.content(Tag::set);
        if (!set) break;
        auto& rdn = out.emplace_back();
        for (der::Reader attributes{*set}; !attributes.empty();) {
            const auto attribute = read_attribute_type_and_value(attributes);
            if (!attribute) break;
            rdn.push_back({attribute->type, attribute->value.tag, attribute->value.content});
        }
    }
    return out;
}

std::vector<std::string> Name::values(const der::Oid& type) const {
    std::vector<std::string> out;
    for (const auto& rdn : rdns())
        for (const auto& attribute : rdn)
            if (attribute.type == type) {
                auto text = attribute.text();
                out.push_back(text ? std::move(*text) : hex_value(attribute));
            }
    return out;
}

bool Name::matches(const Name& other) const { return *this == other || canonical() == other.canonical(); }

ByteVec Name::canonical() const {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& rdn : rdns()) {
            std::vector<ByteVec> attributes;
            for (const auto& attribute : rdn) attributes.push_back(canonical_attribute(attribute));
            std::ranges::sort(attributes);
            writer.constructed(Tag::set, [&] {
                for (const auto& attribute : attributes) writer.raw(attribute);
            });
        }
    });
    return std::move(writer).take();
}

Result<void> Name::check() const {
    for (const auto& rdn : rdns())
        for (const auto& attribute : rdn) {
            const auto text = attribute.text();
            if (!text) return fail(Code::policy, "name: the value of " + attribute.type.dotted() + " is not text");
            for (std::string_view rest = *text; const auto character = strings::take_character(rest);)
                if (strings::is_deceptive(*character))
                    return fail(Code::policy, fmt::format("name: control or invisible character U+{:04X} in {}",
                                                          static_cast<std::uint32_t>(*character), to_text()));
        }
    return {};
}

}  // namespace estuary::x509
