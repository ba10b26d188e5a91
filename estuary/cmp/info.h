#pragma once
// InfoTypeAndValue (RFC 9810 5.1.1, 5.3.19): what generalInfo, genm and genp are made of. Types and values that are not known are
// kept as they came; the typed readers are in info_values.h.
#include <optional>
#include <vector>

#include "estuary/cmp/limits.h"
#include "estuary/cmp/oids.h"

namespace estuary::cmp {

/// InfoTypeAndValue ::= SEQUENCE { infoType OBJECT IDENTIFIER, infoValue ANY DEFINED BY infoType OPTIONAL }
struct InfoTypeAndValue {
    der::Oid info_type;
    std::optional<ByteVec> info_value;  ///< one whole element

    bool operator==(const InfoTypeAndValue&) const = default;

    static Result<InfoTypeAndValue> read(der::Reader& reader);
    void write(der::Writer& writer) const;
};
using InfoTypeAndValues = std::vector<InfoTypeAndValue>;

/// The first of this type; null if there is none.
const InfoTypeAndValue* find(const InfoTypeAndValues& infos, const der::Oid& type) noexcept;
/// The only one of this type; null if there is none. malformed: there are several.
Result<const InfoTypeAndValue*> find_only(const InfoTypeAndValues& infos, const der::Oid& type);
/// "id-it-caCerts", or the dotted OID.
std::string info_type_name(const der::Oid& type);

}  // namespace estuary::cmp
