#pragma once
// ContentInfo (RFC 5652 3): the wrapping that every message has.
#include <vector>

#include "estuary/cms/limits.h"
#include "estuary/cms/oids.h"

namespace estuary::cms {

/// The content type of a message, to choose its reader by. Nothing but the outermost fields is looked at.
Result<der::Oid> content_type_of(Bytes content_info);

/// A reader of the SEQUENCE inside of a ContentInfo of this type. The whole of it is checked to be DER first, so that views
/// into it are as well. malformed, too_large, unsupported: another content type.
Result<der::Reader> open_content_info(Bytes content_info, const der::Oid& type, const Limits& limits);

/// ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT }; `body` writes the fields of the content's SEQUENCE.
template <class Body>
ByteVec write_content_info(const der::Oid& type, std::size_t size_hint, Body&& body) {
    ByteVec buffer;
    buffer.reserve(size_hint + 64);
    der::Writer writer{std::move(buffer)};
    writer.sequence([&] {
        writer.oid(type);
        writer.constructed(der::context_constructed(0), [&] { writer.sequence([&] { body(writer); }); });
    });
    return std::move(writer).take();
}

/// The whole element inside of a ContentInfo, and the way back: messages inside of others come without one (RFC 5652 6.3).
Result<Bytes> inner_content(Bytes content_info);
ByteVec make_content_info(const der::Oid& type, Bytes inner);

/// SET OF in DER order (X.690 11.6) under any tag: `elements` are sorted in place.
void write_set_of(der::Writer& writer, der::Tag tag, std::vector<Bytes> elements);

/// AlgorithmIdentifier ::= SEQUENCE { algorithm, parameters ANY OPTIONAL } (RFC 5280 4.1.1.2).
struct Algorithm {
    der::Oid oid;
    Bytes parameters;  ///< whole element; empty: absent
    Bytes whole;

    bool parameters_absent_or_null() const { return parameters.empty() || same(parameters, der_null); }
    static constexpr std::uint8_t der_null[] = {0x05, 0x00};
};
/// Reads the next element as an AlgorithmIdentifier under `tag` (IMPLICIT tags occur).
Result<Algorithm> read_algorithm(der::Reader& reader, der::Tag tag = der::Tag::sequence);
/// Exactly one AlgorithmIdentifier.
Result<Algorithm> parse_algorithm(Bytes der);
/// AlgorithmIdentifier with ready-made parameters (a whole element, or nothing).
ByteVec make_algorithm(const der::Oid& oid, Bytes parameters = {});

}  // namespace estuary::cms
