#pragma once
// Profiles for the certificates of other CAs (RFC 9810 6.6).
#include "apps/estuaryd/config_table.h"

namespace estuary::daemon {

/// ca_certificate, path_length and [….name_constraints] of a profile, and what does not go with them.
void read_ca_certificate(Table& table, authority::Profile& profile);
/// No label but [cmp.label.NAME] cross_certification names such a profile, and that one no other.
void check_ca_profiles(const Configuration& configuration, Faults& faults);
/// The fault of a label that enrolls by such a profile.
std::string for_cas_only(std::string_view profile);

}  // namespace estuary::daemon
