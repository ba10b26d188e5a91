#pragma once
// Inside of the lint: the to-be-signed octets laid open once, and the table of rules that look at them.
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "estuary/x509/certificate.h"
#include "estuary/x509/lint_complaint.h"
#include "estuary/x509/name_attributes.h"

namespace estuary::x509::lint {

/// Extensions that the rules know.
enum class Known : std::uint8_t {
    authority_key_identifier,
    subject_key_identifier,
    key_usage,
    certificate_policies,
    policy_mappings,
    subject_alt_name,
    issuer_alt_name,
    subject_directory_attributes,
    basic_constraints,
    name_constraints,
    policy_constraints,
    ext_key_usage,
    crl_distribution_points,
    inhibit_any_policy,
    freshest_crl,
    authority_info_access,
    subject_info_access,
    tls_feature,
    ct_poison,
    ct_timestamps,
    other,
};
inline constexpr std::size_t known_count = static_cast<std::size_t>(Known::other);
/// As its RFC spells it; "extension" for others.
std::string_view name_of(Known known) noexcept;

struct ExtensionView {
    der::Oid id;
    Known known = Known::other;
    bool critical = false;
    Bytes value;
};

struct AlgorithmView {
    Bytes whole;
    der::Oid oid;
    std::optional<der::Element> parameters;
};

struct KeyInfoView {
    AlgorithmView algorithm;
    Bytes bits;  ///< content of the BIT STRING, with its count of unused bits
};
Result<KeyInfoView> read_key_info(Bytes spki);

struct AttributeView {
    const AttributeRule* rule = nullptr;  ///< null: a type without rules
    der::Oid type;
    der::Element value;
};

/// A TBSCertificate (RFC 5280 4.1) with its fields found; views into the octets linted.
struct TbsView {
    bool v3 = false;
    Bytes serial_number;
    AlgorithmView signature;
    Bytes issuer;
    der::Element not_before, not_after;
    std::optional<Time> not_before_time, not_after_time;  ///< nothing: malformed
    Bytes subject;
    Result<Name> subject_name;
    std::vector<AttributeView> subject_attributes;
    KeyInfoView key;
    bool has_unique_ids = false;
    std::vector<ExtensionView> extensions;

    // The values of extensions, as far as they are well-formed; `extension_errors` holds what is wrong with the others.
    std::vector<std::pair<Known, std::string>> extension_errors;
    std::optional<Bytes> authority_key_id, subject_key_id;
    std::optional<std::uint32_t> key_usage;
    BasicConstraints basic_constraints;
    std::vector<GeneralName> subject_alt_names;
    std::vector<der::Oid> ext_key_usage;
    std::vector<der::Oid> policies;

    /// The first of its kind; null if there is none.
    const ExtensionView* find(Known known) const noexcept {
        const auto at = first_of_kind[static_cast<std::size_t>(known)];
        return at == 0 ? nullptr : &extensions[at - 1u];
    }
    std::array<std::uint8_t, known_count> first_of_kind{};  ///< place in `extensions`, counted from 1; 0: absent
    bool asserts(std::uint32_t usage) const noexcept { return key_usage && (*key_usage & usage) != 0; }
    bool subject_empty() const noexcept { return subject.size() == 2; }
    bool self_issued() const noexcept { return same(issuer, subject); }
};
/// An error: the octets do not lie open at all.
Result<void> read_tbs(TbsView& view, Bytes tbs);

/// Reads the value of one extension into `view`; an error is what is wrong with it.
Result<void> read_extension_value(TbsView& view, const ExtensionView& extension);

struct Subject {
    const TbsView& tbs;
    const Certificate* issuer;  ///< null: self-signed
};

struct Rule {
    std::string_view name;
    std::string_view section;
    Complaint (*check)(const Subject&);
};

// The table, in the order of the standard; one part for each file.
std::span<const Rule> field_rules();
std::span<const Rule> name_rules();
std::span<const Rule> key_rules();
std::span<const Rule> extension_rules();
std::span<const Rule> constraint_rules();
std::span<const Rule> issuer_rules();

}  // namespace estuary::x509::lint
