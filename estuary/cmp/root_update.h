#pragma once
// A new root CA certificate, told by CMP (RFC 9810 4.4, 5.3.19.15): verified by the old one before anybody trusts it.
#include "estuary/cmp/info_values.h"

namespace estuary::cmp {

/// Why a new root may be trusted: the old one, whose key signed newWithOld, vouches for it (RFC 9810 4.4.2.2). Verified are:
/// newWithOld by the key of `old_root`, and it has the key and the subject of newWithNew; newWithNew by its own key; both are CA
/// certificates within their validity at `now`; oldWithNew, if it is there, by the new key for the key of `old_root`. Whoever
/// protected the message does not matter (bug class 16: CVE-2026-42769).
/// not_authenticated: one of that is not so; malformed: certificates that cannot be read.
Result<x509::Certificate> verify_root_ca_key_update(const RootCaKeyUpdate& update, const x509::Certificate& old_root, Time now);

}  // namespace estuary::cmp
