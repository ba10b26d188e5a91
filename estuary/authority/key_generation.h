#pragma once
// Enrollment with a key that is made here (RFC 7030 4.4): who asks is authenticated, and policy applies, as for any other
// enrollment; only the key is not the requester's. Nothing of the key is kept, except for recovery agents where the profile says so.
#include "estuary/authority/authority.h"

namespace estuary::authority {

struct KeyRequest {
    Verb verb = Verb::enroll;
    std::string profile;                        ///< what the label gives
    std::string label;
    x509::CertificationRequest::Parts request;  ///< its key is not looked at, apart from its kind: that is a wish
    Principal principal;
    Linking linking = Linking::absent;
    bool linking_required = false;
    std::optional<Seconds> confirm_within{};
    ByteVec transaction_id{};
    /// Called with the new key once policy has agreed, before anything is signed: the river makes its answer of it. Its error ends
    /// the request, so that there is never a certificate whose key did not get across.
    std::function<Result<void>(const crypto::PrivateKey&)> deliver;
};

struct NewKey {
    x509::Certificate certificate;
    std::string ca;
    crypto::PrivateKey key;
};

/// Who names a key to have a private key encrypted with (RFC 7030 4.4.1), and for which certificate.
struct KeyUser {
    const Principal& principal;
    std::string_view ca;
    const x509::Name& subject;
};

/// The key type of the wish that `spki` expresses, among those that may be made: the same kind and, of RSA, the smallest that is
/// large enough; the first of `types` where that gives none. `spki` need not hold a key (RFC 9908 3.4: dummy values).
std::string choose_key_type(Bytes spki, const std::vector<std::string>& types);

/// id-kp-cmKGA (RFC 9480 2.2): whose signature vouches for keys that were made centrally.
inline constexpr der::Oid kp_cm_kga{"1.3.6.1.5.5.7.3.32"};

}  // namespace estuary::authority
