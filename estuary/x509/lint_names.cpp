// Lint rules on the subject (RFC 5280 4.1.2.4, 4.1.2.6, A.1). The issuer's name is not judged by itself: it has to be the
// issuer's subject octet for octet, whatever string types that has.
#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/x509/lint_view.h"
#include "estuary/x509/string_types.h"

namespace estuary::x509::lint {
namespace {

using der::Tag;

/// The first complaint of `judge` about an attribute that has a rule, with the attribute's name before it.
template <class Judge>
Complaint first_wrong(const Subject& subject, Judge&& judge) {
    for (const auto& attribute : subject.tbs.subject_attributes)
        if (attribute.rule != nullptr)
            if (const char* wrong = judge(attribute)) return fmt::format("{} {}", attribute.rule->long_name, wrong);
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.6
//# If the subject is a CA […], then the subject field MUST be
//# populated with a non-empty distinguished name matching the contents
//# of the issuer field (Section 4.1.2.4) in all certificates issued by
//# the subject CA.
Complaint ca_has_a_subject(const Subject& subject) {
    if (!subject.tbs.basic_constraints.ca || !subject.tbs.subject_empty()) return {};
    return "the subject of a CA certificate is the empty name";
}

/// Whatever else the rules below let pass, we and others have to be able to read it: SET OF in order, limits on size.
Complaint name_is_readable(const Subject& subject) {
    const auto& name = subject.tbs.subject_name;
    if (name) return {};
    return name.error().detail;
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.4
//# […] CAs conforming to this profile MUST use either the PrintableString or UTF8String encoding of DirectoryString, with
//# two exceptions.
Complaint string_types(const Subject& subject) {
    return first_wrong(subject, [](const AttributeView& attribute) -> const char* {
        const auto wanted = attribute.rule->written_as;
        const auto tag = attribute.value.tag;
        if (tag == wanted || (wanted == Tag::utf8_string && tag == Tag::printable_string)) return nullptr;
        if (wanted == Tag::printable_string) return "is not a PrintableString";
        if (wanted == Tag::ia5_string) return "is not an IA5String";
        return "is neither a UTF8String nor a PrintableString";
    });
}

Complaint string_content(const Subject& subject) {
    const bool readable = subject.tbs.subject_name.has_value();  // then the octets have been looked at already
    return first_wrong(subject, [readable](const AttributeView& attribute) -> const char* {
        const auto& [tag, content, whole] = attribute.value;
        if (!strings::is_string_type(tag)) return nullptr;  // string_types' matter
        if (!readable && !strings::count_characters(tag, content)) return "has octets that its string type does not allow";
        if ((tag == Tag::utf8_string || tag == Tag::ia5_string) && !text::is_plain_utf8(as_text(content)))
            return "has control characters";
        return nullptr;
    });
}

Complaint string_sizes(const Subject& subject) {
    if (subject.tbs.subject_name) return {};  // reading it included this
    return first_wrong(subject, [](const AttributeView& attribute) -> const char* {
        const auto characters = strings::count_characters(attribute.value.tag, attribute.value.content);
        if (!characters) return nullptr;  // string_content's matter
        if (*characters == 0) return "is empty";
        return *characters > attribute.rule->characters_max ? "is longer than its upper bound" : nullptr;
    });
}

//# X520countryName ::= PrintableString (SIZE (2))   -- a code of ISO 3166
Complaint country_codes(const Subject& subject) {
    return first_wrong(subject, [](const AttributeView& attribute) -> const char* {
        if (attribute.type != oid::country_name) return nullptr;
        const auto letter = [](std::uint8_t octet) { return (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z'; };
        const auto code = attribute.value.content;
        return code.size() == 2 && std::ranges::all_of(code, letter) ? nullptr : "is not a code of two letters";
    });
}

}  // namespace

std::span<const Rule> name_rules() {
    static constexpr std::array rules{
        Rule{"rfc5280_4_1_2_6_ca_subject_not_empty", "RFC 5280 4.1.2.6", ca_has_a_subject},
        Rule{"rfc5280_4_1_2_6_subject_syntax", "RFC 5280 4.1.2.6", name_is_readable},
        Rule{"rfc5280_4_1_2_4_string_type", "RFC 5280 4.1.2.4", string_types},
        Rule{"rfc5280_4_1_2_4_string_content", "RFC 5280 4.1.2.4", string_content},
        Rule{"rfc5280_a_1_attribute_size", "RFC 5280 A.1", string_sizes},
        Rule{"rfc5280_a_1_country_two_letters", "RFC 5280 A.1", country_codes},
    };
    return rules;
}

}  // namespace estuary::x509::lint
