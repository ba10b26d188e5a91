#pragma once
// What a profile asks of certification requests, as CSR attributes (RFC 7030 4.5.2, RFC 9908).
#include "estuary/authority/profile.h"
#include "estuary/est/messages.h"

namespace estuary::est {

/// What a label's /serverkeygen adds.
struct KeygenAttributes {
    bool only = false;       ///< there is no other way to a certificate: the kind of key is that of keys made here
    bool encrypted = false;  ///< keys leave encrypted only: the request has to name a key (RFC 7030 4.4.1)
};

/// The list of RFC 7030 and, if the profile wants it, the template of RFC 9908. With `linking_required`, challengePassword and
/// estIdentityLinking are listed in any case. Empty: there is nothing to ask.
CsrAttrs attributes_of(const authority::Profile& profile, bool linking_required, KeygenAttributes keygen = {});

}  // namespace estuary::est
