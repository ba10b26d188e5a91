#pragma once
// From a certificate request message to what policy looks at.
#include "estuary/x509/certification_request.h"
#include "estuary/x509/crmf.h"

namespace estuary::x509::crmf {

/// What the receiver knows besides the message.
struct Receiver {
    PossessionContext possession = {};
    /// The sender is a registration authority: raVerified and id-regInfo-certReq are taken from it, and from nobody else.
    bool from_registration_authority = false;
    /// That the template may name as signingAlg: see check_requestable().
    Bytes signing_alg = {};
    /// SubjectPublicKeyInfo of a key that was made here for this request; empty: none was.
    Bytes generated_spki = {};
};

/// The request with its possession checked: signatures and MACs by key agreement are verified here, raVerified is of a registration
/// authority, and subsequentMessage becomes Possession::decryption, which it is for the caller to see through (encrCert, challengeResp). A key
/// made here goes with a message that has neither key nor proof. bad_proof: missing or wrong; not_authorised: raVerified or a
/// replaced request from others; unsupported: other proofs, altCertTemplate; malformed: see check_requestable().
Result<CertificationRequest> to_certification_request(const CertReqMsg& message, const Receiver& receiver = {});

}  // namespace estuary::x509::crmf
