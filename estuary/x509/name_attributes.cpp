#include "estuary/x509/name_attributes.h"

#include <array>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/x509/oids.h"
#include "estuary/x509/string_types.h"

namespace estuary::x509 {
namespace {

using der::Tag;

// ub-name; larger than the whole of a name may be, so it is the name's limit that acts.
constexpr std::size_t ub_name = 32768;

constexpr std::array rules{
    AttributeRule{oid::common_name, "CN", "commonName", 64, Tag::utf8_string},
    AttributeRule{oid::organization_name, "O", "organizationName", 64, Tag::utf8_string},
    AttributeRule{oid::organizational_unit_name, "OU", "organizationalUnitName", 64, Tag::utf8_string},
    AttributeRule{oid::country_name, "C", "countryName", 2, Tag::printable_string},
    AttributeRule{oid::serial_number, "serialNumber", "serialNumber", 64, Tag::printable_string},
    AttributeRule{oid::locality_name, "L", "localityName", 128, Tag::utf8_string},
    AttributeRule{oid::state_or_province_name, "ST", "stateOrProvinceName", 128, Tag::utf8_string},
    AttributeRule{oid::street_address, "street", "streetAddress", 128, Tag::utf8_string},
    AttributeRule{oid::domain_component, "DC", "domainComponent", 63, Tag::ia5_string},
    AttributeRule{oid::user_id, "UID", "userId", 256, Tag::utf8_string},
    AttributeRule{oid::email_address, "emailAddress", "email", 255, Tag::ia5_string},
    AttributeRule{oid::surname, "SN", "surname", ub_name, Tag::utf8_string},
    AttributeRule{oid::given_name, "GN", "givenName", ub_name, Tag::utf8_string},
    AttributeRule{oid::initials, "initials", "initials", ub_name, Tag::utf8_string},
    AttributeRule{oid::generation_qualifier, "generationQualifier", "generationQualifier", ub_name, Tag::utf8_string},
    AttributeRule{oid::title, "title", "title", 64, Tag::utf8_string},
    AttributeRule{oid::dn_qualifier, "dnQualifier", "dnQualifier", 64, Tag::printable_string},
    AttributeRule{oid::pseudonym, "pseudonym", "pseudonym", 128, Tag::utf8_string},
    AttributeRule{oid::organization_identifier, "organizationIdentifier", "organizationIdentifier", 256, Tag::utf8_string},
    AttributeRule{oid::description, "description", "description", 1024, Tag::utf8_string},
    AttributeRule{oid::postal_code, "postalCode", "postalCode", 40, Tag::utf8_string},
    AttributeRule{oid::business_category, "businessCategory", "businessCategory", 128, Tag::utf8_string},
    AttributeRule{oid::name, "name", "name", ub_name, Tag::utf8_string},
    AttributeRule{oid::unstructured_name, "unstructuredName", "unstructuredName", 255, Tag::ia5_string},
    AttributeRule{oid::unstructured_address, "unstructuredAddress", "unstructuredAddress", 255, Tag::utf8_string},
};

}  // namespace

const AttributeRule* attribute_rule(const der::Oid& type) noexcept {
    const auto found = std::ranges::find(rules, type, &AttributeRule::type);
    return found == rules.end() ? nullptr : &*found;
}

const AttributeRule* attribute_rule(std::string_view name) noexcept {
    const auto found = std::ranges::find_if(rules, [&](const AttributeRule& rule) {
        return text::equal_ignoring_case(rule.short_name, name) || text::equal_ignoring_case(rule.long_name, name);
    });
    if (found != rules.end()) return &*found;
    // "S" is what Microsoft prints for stateOrProvinceName; "E" for emailAddress.
    if (text::equal_ignoring_case(name, "S")) return attribute_rule(oid::state_or_province_name);
    if (text::equal_ignoring_case(name, "E")) return attribute_rule(oid::email_address);
    return nullptr;
}

Result<void> check_attribute(const der::Oid& type, const der::Element& value) {
    const auto* rule = attribute_rule(type);
    const auto refused = [&](std::string_view why) {
        return fail(Code::malformed, (rule != nullptr ? std::string{rule->long_name} : type.dotted()) + std::string{why});
    };
    if (!strings::is_string_type(value.tag)) {
        if (rule != nullptr) return refused(" is not a character string");
        return der::check_der(value.whole, "attribute value");
    }
    const auto characters = strings::count_characters(value.tag, value.content);
    if (!characters) return refused(": " + characters.error().detail);
    if (rule == nullptr) return {};
    if (*characters == 0) return refused(" is empty");
    if (*characters > rule->characters_max)
        return refused(
            fmt::format(" has {} characters; at most {} are allowed (RFC 5280 A.1)", *characters, rule->characters_max));
    if (rule->type == oid::country_name && *characters != 2) return refused(" is not a code of two letters (RFC 5280 A.1)");
    return {};
}

}  // namespace estuary::x509
