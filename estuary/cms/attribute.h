#pragma once
// Attributes (RFC 5652 5.3, 11): typed SETs of values, signed or not.
#include <vector>

#include "estuary/cms/limits.h"
#include "estuary/cms/oids.h"

namespace estuary::cms {

/// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
struct Attribute {
    der::Oid type;
    std::vector<ByteVec> values;  ///< whole elements in DER

    bool operator==(const Attribute&) const = default;
};
using Attributes = std::vector<Attribute>;

/// An attribute with one value (a whole element).
Attribute make_attribute(const der::Oid& type, Bytes value);
/// signingTime: UTCTime through 2049, then GeneralizedTime (RFC 5652 11.3).
Attribute signing_time_attribute(Time time);

/// The attribute of that type; null if there is none.
const Attribute* find(const Attributes& attributes, const der::Oid& type);
/// Its only value, a whole element. not_found: no such attribute; malformed: not exactly one value.
Result<Bytes> single_value(const Attributes& attributes, const der::Oid& type);

/// The content of a SET OF Attribute. malformed: no type may occur twice except `repeatable` (empty: none); too_large.
Result<Attributes> read_attributes(der::Reader set, const Limits& limits, const der::Oid& repeatable = {});
/// The SET OF Attribute in DER under `tag`: attributes and values sorted.
void write_attributes(der::Writer& writer, der::Tag tag, const Attributes& attributes);

}  // namespace estuary::cms
