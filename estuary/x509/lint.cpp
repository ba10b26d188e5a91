// The lint: every rule of the table over one view of the to-be-signed octets.
#include <fmt/format.h>

#include "estuary/x509/lint_view.h"

namespace estuary::x509 {
namespace {

/// The one rule that is not in the table: octets that do not even lie open cannot be judged by the others.
constexpr std::string_view structure_rule = "rfc5280_4_1_structure";

std::array<std::span<const lint::Rule>, 6> all_rules() {
    return {lint::field_rules(),     lint::name_rules(),       lint::key_rules(),
            lint::extension_rules(), lint::constraint_rules(), lint::issuer_rules()};
}

}  // namespace

std::vector<LintFinding> lint_tbs(Bytes tbs, const Certificate* issuer) {
    std::vector<LintFinding> findings;
    lint::TbsView view;
    if (const auto open = lint::read_tbs(view, tbs); !open) {
        findings.push_back({std::string{structure_rule}, "RFC 5280 4.1: " + open.error().detail});
        return findings;
    }
    const lint::Subject subject{view, issuer};
    for (const auto rules : all_rules())
        for (const auto& rule : rules)
            if (auto complaint = rule.check(subject))
                findings.push_back({std::string{rule.name}, fmt::format("{}: {}", rule.section, *complaint)});
    return findings;
}

std::vector<std::string_view> lint_rule_names() {
    std::vector<std::string_view> names{structure_rule};
    for (const auto rules : all_rules())
        for (const auto& rule : rules) names.push_back(rule.name);
    return names;
}

}  // namespace estuary::x509
