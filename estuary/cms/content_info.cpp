#include "estuary/cms/content_info.h"

#include <fmt/format.h>

namespace estuary::cms {

using der::Tag;

Result<der::Oid> content_type_of(Bytes content_info) {
    ESTUARY_TRY(auto reader, der::enter_only(content_info, Tag::sequence, "ContentInfo", {.bytes_max = content_info.size()}));
    return reader.oid();
}

Result<der::Reader> open_content_info(Bytes content_info, const der::Oid& type, const Limits& limits) {
    ESTUARY_CHECK(der::check_der(content_info, "ContentInfo", der_limits(limits)));
    ESTUARY_TRY(auto reader, der::enter_only(content_info, Tag::sequence, "ContentInfo", der_limits(limits)));
    ESTUARY_TRY(const auto found, reader.oid());
    if (found != type)
        return fail(Code::unsupported,
                    fmt::format("ContentInfo: content type {} where {} is wanted", found.dotted(), type.dotted()));
    ESTUARY_TRY(auto content, reader.enter(der::context_constructed(0)));
    ESTUARY_CHECK(reader.finish("ContentInfo"));
    ESTUARY_TRY(auto fields, content.enter(Tag::sequence));
    ESTUARY_CHECK(content.finish("ContentInfo"));
    return fields;
}

Result<Bytes> inner_content(Bytes content_info) {
    ESTUARY_TRY(auto reader, der::enter_only(content_info, Tag::sequence, "ContentInfo", {.bytes_max = content_info.size()}));
    ESTUARY_CHECK(reader.oid());
    ESTUARY_TRY(auto content, reader.enter(der::context_constructed(0)));
    ESTUARY_CHECK(reader.finish("ContentInfo"));
    ESTUARY_TRY(const auto inner, content.any());
    ESTUARY_CHECK(content.finish("ContentInfo"));
    return inner.whole;
}

ByteVec make_content_info(const der::Oid& type, Bytes inner) {
    ByteVec buffer;
    buffer.reserve(inner.size() + 64);
    der::Writer writer{std::move(buffer)};
    writer.sequence([&] {
        writer.oid(type);
        writer.constructed(der::context_constructed(0), [&] { writer.raw(inner); });
    });
    return std::move(writer).take();
}

void write_set_of(der::Writer& writer, der::Tag tag, std::vector<Bytes> elements) {
    std::ranges::sort(elements, [](Bytes a, Bytes b) { return std::ranges::lexicographical_compare(a, b); });
    writer.constructed(tag, [&] {
        for (const auto element : elements) writer.raw(element);
    });
}

Result<Algorithm> read_algorithm(der::Reader& reader, der::Tag tag) {
    ESTUARY_TRY(const auto element, reader.element(tag));
    der::Reader fields{element.content, {.bytes_max = element.content.size()}};
    Algorithm algorithm;
    algorithm.whole = element.whole;
    ESTUARY_TRY(algorithm.oid, fields.oid());
    if (!fields.empty()) {
        ESTUARY_TRY(const auto parameters, fields.any());
        algorithm.parameters = parameters.whole;
    }
    ESTUARY_CHECK(fields.finish("AlgorithmIdentifier"));
    return algorithm;
}

Result<Algorithm> parse_algorithm(Bytes der) {
    der::Reader reader{der};
    ESTUARY_TRY(auto algorithm, read_algorithm(reader));
    ESTUARY_CHECK(reader.finish("AlgorithmIdentifier"));
    return algorithm;
}

ByteVec make_algorithm(const der::Oid& oid, Bytes parameters) {
    der::Writer writer;
    writer.sequence([&] { writer.oid(oid).raw(parameters); });
    return std::move(writer).take();
}

}  // namespace estuary::cms
