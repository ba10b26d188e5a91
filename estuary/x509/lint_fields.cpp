// Lint rules on the basic fields (RFC 5280 4.1).
#include <fmt/format.h>

#include "estuary/x509/lint_view.h"
#include "estuary/x509/parts.h"

namespace estuary::x509::lint {
namespace {

using der::Tag;

Complaint version_is_v3(const Subject& subject) {
    if (subject.tbs.v3) return {};
    return "the version is not v3";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2
//# The serial number MUST be a positive integer assigned by the CA to each certificate.
Complaint serial_is_positive(const Subject& subject) {
    const auto octets = subject.tbs.serial_number;
    if ((octets[0] & 0x80) != 0) return "the serial number is negative";
    if (octets.size() == 1 && octets[0] == 0) return "the serial number is zero";
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2
//# Conforming CAs MUST NOT use serialNumber values longer than 20 octets.
Complaint serial_is_short(const Subject& subject) {
    const auto size = subject.tbs.serial_number.size();
    if (size <= serial_octets_max) return {};
    return fmt::format("the serial number has {} octets, more than {}", size, serial_octets_max);
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.4
//# The issuer field MUST contain a non-empty distinguished name (DN).
Complaint issuer_is_not_empty(const Subject& subject) {
    if (subject.tbs.issuer.size() > 2) return {};
    return "the issuer is the empty name";
}

Complaint times_are_well_formed(const Subject& subject) {
    if (!subject.tbs.not_before_time) return "notBefore is no time in UTC with seconds";
    if (!subject.tbs.not_after_time) return "notAfter is no time in UTC with seconds";
    return {};
}

Complaint check_time_kind(std::string_view field, const der::Element& element, const std::optional<Time>& time) {
    if (!time) return {};  // another rule's
    const bool by_utc_time = *time >= first_of_1950 && *time < first_of_2050;
    if (by_utc_time == (element.tag == Tag::utc_time)) return {};
    return fmt::format("{} is through 2049 and not a UTCTime, or later and not a GeneralizedTime", field);
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5
//# CAs conforming to this profile MUST always encode certificate
//# validity dates through the year 2049 as UTCTime; certificate validity
//# dates in 2050 or later MUST be encoded as GeneralizedTime.
Complaint times_are_of_their_kind(const Subject& subject) {
    if (auto wrong = check_time_kind("notBefore", subject.tbs.not_before, subject.tbs.not_before_time)) return wrong;
    return check_time_kind("notAfter", subject.tbs.not_after, subject.tbs.not_after_time);
}

Complaint times_are_ordered(const Subject& subject) {
    const auto& from = subject.tbs.not_before_time;
    const auto& to = subject.tbs.not_after_time;
    if (!from || !to || *from <= *to) return {};
    return "notBefore is after notAfter";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.8
//# CAs conforming to this profile MUST NOT generate certificates with unique identifiers.
Complaint no_unique_ids(const Subject& subject) {
    if (!subject.tbs.has_unique_ids) return {};
    return "issuerUniqueID or subjectUniqueID is present";
}

}  // namespace

std::span<const Rule> field_rules() {
    static constexpr std::array rules{
        Rule{"rfc5280_4_1_2_1_version_v3", "RFC 5280 4.1.2.1", version_is_v3},
        Rule{"rfc5280_4_1_2_2_serial_positive", "RFC 5280 4.1.2.2", serial_is_positive},
        Rule{"rfc5280_4_1_2_2_serial_20_octets", "RFC 5280 4.1.2.2", serial_is_short},
        Rule{"rfc5280_4_1_2_4_issuer_not_empty", "RFC 5280 4.1.2.4", issuer_is_not_empty},
        Rule{"rfc5280_4_1_2_5_time_syntax", "RFC 5280 4.1.2.5", times_are_well_formed},
        Rule{"rfc5280_4_1_2_5_time_kind", "RFC 5280 4.1.2.5", times_are_of_their_kind},
        Rule{"rfc5280_4_1_2_5_time_order", "RFC 5280 4.1.2.5", times_are_ordered},
        Rule{"rfc5280_4_1_2_8_no_unique_ids", "RFC 5280 4.1.2.8", no_unique_ids},
    };
    return rules;
}

}  // namespace estuary::x509::lint
