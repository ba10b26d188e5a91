#pragma once
// What a profile asks of certification requests, as CSR attributes (RFC 7030 4.5.2, RFC 9908).
#include "estuary/authority/profile.h"
#include "estuary/est/messages.h"

namespace estuary::est {

/// The list of RFC 7030 and, if the profile wants it, the template of RFC 9908. With `linking_required`, challengePassword and
/// estIdentityLinking are listed in any case. Empty: there is nothing to ask.
CsrAttrs attributes_of(const authority::Profile& profile, bool linking_required);

}  // namespace estuary::est
