#pragma once
// What is known of each attribute type of names: how it is called, how long it may be, how it is written.
#include <string_view>

#include "estuary/x509/name.h"

namespace estuary::x509 {

struct AttributeRule {
    der::Oid type;
    std::string_view short_name;  ///< as RFC 4514 and OpenSSL print it
    std::string_view long_name;   ///< as X.520 spells it; also read
    std::size_t characters_max;   ///< RFC 5280 A.1; X.520 or RFC 4519 where that is silent
    der::Tag written_as;          ///< string type that we write
};

/// Nothing for a type that is not known here.
const AttributeRule* attribute_rule(const der::Oid& type) noexcept;
/// By short or long name, in any case.
const AttributeRule* attribute_rule(std::string_view name) noexcept;

/// The value's string type and size against the rule of its attribute type; the types that are not known may hold anything.
Result<void> check_attribute(const der::Oid& type, const der::Element& value);

/// The value as RFC 4514 writes what is no text: '#' and the hexadecimal of its whole DER.
std::string hex_value(const AttributeTypeAndValue& attribute);

}  // namespace estuary::x509
