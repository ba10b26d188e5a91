#pragma once
// What a registration authority puts in place of what others have made (RFC 9483 5.2.2, 5.2.3).
#include "estuary/cmp/client.h"
#include "estuary/x509/certification_request.h"

namespace estuary::cmp {

/// raVerified: the request as policy has left it, whoever made it. Controls and regInfo of `original`, if it is given, stay.
Result<x509::crmf::CertReqMsg> vouched_for(const x509::CertificationRequest& request, const x509::crmf::CertReqMsg* original = nullptr);

/// The whole PKIMessage, from `own` and signed by it; its chain goes along without roots.
Result<ByteVec> sign_message(PkiHeader header, const PkiBody& body, const ClientSigner& own);

}  // namespace estuary::cmp
