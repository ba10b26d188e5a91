#pragma once
// Inside of the CRL lint: what its rules look at.
#include <span>

#include "estuary/x509/crl_view.h"
#include "estuary/x509/lint_complaint.h"
#include "estuary/x509/lint_crl.h"

namespace estuary::x509::lint {

/// What is wrong with entries: of each kind of fault the first found.
struct EntryFaults {
    Complaint syntax, serial_number, repeated, date_kind, unknown_critical;
    Complaint reason_critical, reason_unknown, reason_unspecified, reason_out_of_scope, remove_from_complete;
    Complaint invalidity_critical, certificate_issuer;
};

struct CrlView {
    crl::TbsView tbs;
    std::vector<Extension> extensions;
    std::optional<CrlNumber> number, delta_base;  ///< as far as they are well-formed
    std::optional<IssuingDistributionPoint> scope;
    EntryFaults faults;

    const Extension* find(const der::Oid& id) const { return x509::find(extensions, id); }
    bool is_delta() const { return find(oid::delta_crl_indicator) != nullptr; }
};

/// One pass over all entries; `view` is filled but for `faults`.
EntryFaults check_entries(const CrlView& view);

struct CrlSubject {
    const CrlView& list;
    const Certificate& issuer;
};
struct CrlRule {
    std::string_view name;
    std::string_view section;
    Complaint (*check)(const CrlSubject&);
};
std::span<const CrlRule> crl_field_rules();
std::span<const CrlRule> crl_extension_rules();
std::span<const CrlRule> crl_entry_rules();

}  // namespace estuary::x509::lint
