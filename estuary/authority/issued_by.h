#pragma once
// Which of several CA certificates a certificate comes from: generations of a CA share a name in the store, not a key.
#include "estuary/x509/certificate.h"

namespace estuary::authority {

/// By the issuer's name and, where both certificates tell it, the issuer's key identifier. No signature is verified: for
/// certificates of our own records.
inline bool is_issued_by(const x509::Certificate& certificate, const x509::Certificate& ca) {
    if (!(certificate.issuer() == ca.subject())) return false;
    const auto wanted = certificate.authority_key_id();
    const auto own = ca.subject_key_id();
    return !wanted || !own || *wanted == *own;
}

}  // namespace estuary::authority
