#pragma once
// What registration authorities change in requests of others (RFC 10002 6.5).
#include "estuary/cmc/controls.h"
#include "estuary/x509/certification_request.h"

namespace estuary::cmc {

/// One change to one request.
struct Modification {
    const ModCertTemplate* mod = nullptr;  ///< one of the two
    const AddExtensions* add = nullptr;
};

/// The request with the changes applied in this order: innermost layer first, so that the outermost wins. Its octets then name
/// the changes as well. malformed: a field that a registration authority cannot change (the key, what only the CA decides).
Result<x509::CertificationRequest> modified(const x509::CertificationRequest& request, const std::vector<Modification>& changes);

/// RFC 10002 6.5.2: two addExtensions of one PKIData that ask for different values of one extension in one request. malformed.
Result<void> check_conflicts(const std::vector<AddExtensions>& controls);

}  // namespace estuary::cmc
