// The CRL lint: its table, and the rules on fields and on the issuer (RFC 5280 5.1, 6.3.3).
#include "estuary/x509/lint_crl.h"

#include <array>

#include <fmt/format.h>

#include "estuary/x509/lint_crl_view.h"

namespace estuary::x509 {
namespace lint {
namespace {

//= https://www.rfc-editor.org/rfc/rfc5280#section-5
//# When CRLs are issued, the CRLs MUST be version 2 CRLs
Complaint version_is_2(const CrlSubject& subject) {
    if (subject.list.tbs.version == 1) return {};
    return "the version is not v2";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.3
//# The issuer field MUST contain a non-empty X.500 distinguished name (DN).
Complaint issuer_is_not_empty(const CrlSubject& subject) {
    if (subject.list.tbs.issuer.size() > 2) return {};
    return "the issuer is the empty name";
}

/// Octet for octet: then every verifier finds the issuer, however it compares names (bug class 34).
Complaint issuer_name_is_the_issuers(const CrlSubject& subject) {
    if (same(subject.list.tbs.issuer, subject.issuer.subject().der())) return {};
    return "the issuer is not the issuer's subject octet for octet";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.4
//# CRL issuers conforming to this profile MUST encode thisUpdate as
//# UTCTime for dates through the year 2049.
Complaint times_are_of_their_kind(const CrlSubject& subject) {
    if (!crl::is_of_its_kind(subject.list.tbs.this_update))
        return "thisUpdate is through 2049 and not a UTCTime, or later and not a GeneralizedTime";
    if (subject.list.tbs.next_update && !crl::is_of_its_kind(*subject.list.tbs.next_update))
        return "nextUpdate is through 2049 and not a UTCTime, or later and not a GeneralizedTime";
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.5
//# Conforming CRL issuers MUST include the nextUpdate field in all CRLs.
Complaint next_update_is_there(const CrlSubject& subject) {
    if (subject.list.tbs.next_update) return {};
    return "no nextUpdate";
}

Complaint next_update_is_later(const CrlSubject& subject) {
    const auto& next = subject.list.tbs.next_update;
    if (!next || next->time > subject.list.tbs.this_update.time) return {};
    return "nextUpdate is not after thisUpdate";
}

/// After the issuer's certificate has ended, no path leads to the list's signature any more (bug class 18).
Complaint next_update_is_within_issuers(const CrlSubject& subject) {
    const auto& next = subject.list.tbs.next_update;
    if (!next || next->time <= subject.issuer.not_after()) return {};
    return "nextUpdate is after the issuer's notAfter";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.6
//# When there are no revoked certificates, the revoked certificates list MUST be absent.
Complaint revoked_is_absent_if_empty(const CrlSubject& subject) {
    if (!subject.list.tbs.revoked || !subject.list.tbs.revoked->empty()) return {};
    return "revokedCertificates is empty";
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-6.3.3
//# If a key usage extension is present in the CRL issuer's certificate, verify that the cRLSign bit is set.
Complaint issuer_may_sign(const CrlSubject& subject) {
    const auto usage = subject.issuer.key_usage();
    if (!usage || (*usage & crl_sign) != 0) return {};
    return "the issuer's keyUsage has no cRLSign";
}

/// The one rule that is not in the table: octets that do not even lie open cannot be judged by the others.
constexpr std::string_view structure_rule = "rfc5280_5_1_structure";

std::array<std::span<const CrlRule>, 3> all_rules() { return {crl_field_rules(), crl_extension_rules(), crl_entry_rules()}; }

/// The value of an extension as far as it is well-formed: a rule of its own complains otherwise.
template <class T>
std::optional<T> value_of(const CrlView& view, const der::Oid& id, Result<T> (*parse)(Bytes)) {
    const auto* extension = view.find(id);
    if (extension == nullptr) return {};
    auto value = parse(extension->value);
    if (!value) return {};
    return *std::move(value);
}

Result<CrlView> read_view(Bytes tbs) {
    CrlView view;
    ESTUARY_TRY(view.tbs, crl::read_tbs(tbs));
    if (view.tbs.extensions) {
        ESTUARY_TRY(view.extensions, parse_extensions(*view.tbs.extensions));
    }
    view.number = value_of(view, oid::crl_number, &CrlNumber::parse);
    view.delta_base = value_of(view, oid::delta_crl_indicator, &CrlNumber::parse);
    view.scope = value_of(view, oid::issuing_distribution_point, &parse_issuing_distribution_point);
    view.faults = check_entries(view);
    if (view.faults.syntax) return fail(Code::malformed, *view.faults.syntax);
    return view;
}

}  // namespace

std::span<const CrlRule> crl_field_rules() {
    static constexpr std::array rules{
        CrlRule{"rfc5280_5_1_2_1_version_2", "RFC 5280 5, 5.1.2.1", version_is_2},
        CrlRule{"rfc5280_5_1_2_3_issuer_not_empty", "RFC 5280 5.1.2.3", issuer_is_not_empty},
        CrlRule{"rfc5280_5_1_2_3_issuer_name", "RFC 5280 5.1.2.3, 6.3.3 (f)", issuer_name_is_the_issuers},
        CrlRule{"rfc5280_5_1_2_4_time_kind", "RFC 5280 5.1.2.4, 5.1.2.5", times_are_of_their_kind},
        CrlRule{"rfc5280_5_1_2_5_next_update_present", "RFC 5280 5.1.2.5", next_update_is_there},
        CrlRule{"rfc5280_5_1_2_5_next_update_later", "RFC 5280 5.1.2.5", next_update_is_later},
        CrlRule{"rfc5280_6_3_3_next_update_within_issuers", "RFC 5280 6.3.3 (f)", next_update_is_within_issuers},
        CrlRule{"rfc5280_5_1_2_6_revoked_not_empty", "RFC 5280 5.1.2.6", revoked_is_absent_if_empty},
        CrlRule{"rfc5280_6_3_3_issuer_crl_sign", "RFC 5280 6.3.3 (f)", issuer_may_sign},
    };
    return rules;
}

}  // namespace lint

std::vector<LintFinding> lint_crl(Bytes tbs, const Certificate& issuer) {
    std::vector<LintFinding> findings;
    const auto view = lint::read_view(tbs);
    if (!view) {
        findings.push_back({std::string{lint::structure_rule}, "RFC 5280 5.1: " + view.error().detail});
        return findings;
    }
    const lint::CrlSubject subject{*view, issuer};
    for (const auto rules : lint::all_rules())
        for (const auto& rule : rules)
            if (auto complaint = rule.check(subject))
                findings.push_back({std::string{rule.name}, fmt::format("{}: {}", rule.section, *complaint)});
    return findings;
}

std::vector<std::string_view> lint_crl_rule_names() {
    std::vector<std::string_view> names{lint::structure_rule};
    for (const auto rules : lint::all_rules())
        for (const auto& rule : rules) names.push_back(rule.name);
    return names;
}

}  // namespace estuary::x509
