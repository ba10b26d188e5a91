#include "estuary/cms/attribute.h"

#include <fmt/format.h>

#include "estuary/cms/content_info.h"

namespace estuary::cms {
namespace {

using der::Tag;

Result<Attribute> read_attribute(der::Reader& set, const Limits& limits) {
    ESTUARY_TRY(auto fields, set.enter(Tag::sequence));
    Attribute attribute;
    ESTUARY_TRY(attribute.type, fields.oid());
    ESTUARY_TRY(auto values, fields.enter(Tag::set));
    ESTUARY_CHECK(fields.finish("Attribute"));
    while (!values.empty()) {
        if (attribute.values.size() == limits.values_max)
            return fail(Code::too_large,
                        fmt::format("Attribute {}: more than {} values", attribute.type.dotted(), limits.values_max));
        ESTUARY_TRY(const auto value, values.any());
        attribute.values.push_back(to_vec(value.whole));
    }
    return attribute;
}

ByteVec encode(const Attribute& attribute) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(attribute.type);
        write_set_of(writer, Tag::set, {attribute.values.begin(), attribute.values.end()});
    });
    return std::move(writer).take();
}

}  // namespace

Attribute make_attribute(const der::Oid& type, Bytes value) { return {type, {to_vec(value)}}; }

Attribute signing_time_attribute(Time time) {
    der::Writer writer;
    writer.time(time);
    return make_attribute(oid::signing_time, writer.bytes());
}

const Attribute* find(const Attributes& attributes, const der::Oid& type) {
    const auto found = std::ranges::find(attributes, type, &Attribute::type);
    return found == attributes.end() ? nullptr : &*found;
}

Result<Bytes> single_value(const Attributes& attributes, const der::Oid& type) {
    const auto* attribute = find(attributes, type);
    if (attribute == nullptr) return fail(Code::not_found, fmt::format("attribute {} is missing", type.dotted()));
    if (attribute->values.size() != 1)
        return fail(Code::malformed, fmt::format("attribute {} has {} values where one is wanted", type.dotted(),
                                                 attribute->values.size()));
    return Bytes{attribute->values.front()};
}

Result<Attributes> read_attributes(der::Reader set, const Limits& limits, const der::Oid& repeatable) {
    Attributes attributes;
    while (!set.empty()) {
        if (attributes.size() == limits.attributes_max)
            return fail(Code::too_large, fmt::format("more than {} attributes", limits.attributes_max));
        ESTUARY_TRY(auto attribute, read_attribute(set, limits));
        if (attribute.type != repeatable && find(attributes, attribute.type) != nullptr)
            return fail(Code::malformed, fmt::format("attribute {} occurs twice", attribute.type.dotted()));
        attributes.push_back(std::move(attribute));
    }
    return attributes;
}

void write_attributes(der::Writer& writer, der::Tag tag, const Attributes& attributes) {
    std::vector<ByteVec> encoded;
    encoded.reserve(attributes.size());
    for (const auto& attribute : attributes) encoded.push_back(encode(attribute));
    write_set_of(writer, tag, {encoded.begin(), encoded.end()});
}

}  // namespace estuary::cms
