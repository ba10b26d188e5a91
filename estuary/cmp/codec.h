#pragma once
// What the readers and writers of this room share: lists, and explicitly tagged fields.
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include "estuary/cmp/limits.h"
#include "estuary/x509/certificate.h"

namespace estuary::cmp::codec {

/// How many elements a list has.
struct Count {
    std::size_t min = 0, max = 0;
};
inline constexpr std::size_t at_least_one = 1;

template <class Read>
using Value = typename std::invoke_result_t<Read&, der::Reader&>::value_type;

/// SEQUENCE OF what `read_one` reads. malformed: fewer than count.min; too_large: more than count.max.
template <class Read>
Result<std::vector<Value<Read>>> read_sequence_of(der::Reader& reader, Count count, std::string_view what, Read&& read_one) {
    ESTUARY_TRY(auto list, reader.enter(der::Tag::sequence));
    std::vector<Value<Read>> values;
    while (!list.empty()) {
        if (values.size() == count.max) return fail(Code::too_large, fmt::format("more than {} in {}", count.max, what));
        ESTUARY_TRY(auto value, read_one(list));
        values.push_back(std::move(value));
    }
    if (values.size() < count.min) return fail(Code::malformed, fmt::format("{} is empty", what));
    return values;
}

template <class T, class Write>
void write_sequence_of(der::Writer& writer, const std::vector<T>& values, Write&& write_one) {
    writer.sequence([&] {
        for (const auto& value : values) write_one(value);
    });
}

/// [number] EXPLICIT around what `read_one` reads; nothing if it is absent.
template <class Read>
Result<std::optional<Value<Read>>> read_explicit(der::Reader& reader, unsigned number, std::string_view what, Read&& read_one) {
    ESTUARY_TRY(auto wrapper, reader.enter_if(der::context_constructed(number)));
    if (!wrapper) return std::optional<Value<Read>>{};
    ESTUARY_TRY(auto value, read_one(*wrapper));
    ESTUARY_CHECK(wrapper->finish(what));
    return std::optional<Value<Read>>{std::move(value)};
}

template <class Write>
void write_explicit(der::Writer& writer, unsigned number, Write&& write_one) {
    writer.constructed(der::context_constructed(number), static_cast<Write&&>(write_one));
}

/// The whole next element, which must have this tag.
inline Result<ByteVec> read_whole(der::Reader& reader, der::Tag tag) {
    ESTUARY_TRY(const auto element, reader.element(tag));
    return to_vec(element.whole);
}

/// The content of an OCTET STRING.
inline Result<ByteVec> read_octets(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.octet_string());
    return to_vec(octets);
}

/// A whole AlgorithmIdentifier.
inline Result<ByteVec> read_algorithm(der::Reader& reader) {
    ESTUARY_TRY(const auto algorithm, x509::read_algorithm_identifier(reader));
    return to_vec(algorithm);
}

inline Result<std::string> read_utf8_string(der::Reader& reader, const Limits& limits, std::string_view what) {
    ESTUARY_TRY(const auto octets, reader.content(der::Tag::utf8_string));
    if (octets.size() > limits.text_octets_max) return fail(Code::too_large, fmt::format("a text of {} is too long", what));
    return estuary::to_string(octets);
}

inline Result<std::vector<std::string>> read_utf8_strings(der::Reader& reader, const Limits& limits, std::string_view what) {
    return read_sequence_of(reader, {at_least_one, limits.texts_max}, what,
                            [&](der::Reader& list) { return read_utf8_string(list, limits, what); });
}

inline void write_utf8_strings(der::Writer& writer, const std::vector<std::string>& texts) {
    write_sequence_of(writer, texts, [&](const std::string& text) { writer.utf8_string(text); });
}

}  // namespace estuary::cmp::codec
