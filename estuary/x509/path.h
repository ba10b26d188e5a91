#pragma once
// Path validation (RFC 5280 section 6), by OpenSSL's verifier on DER that our reader accepted.
#include "estuary/x509/certificate.h"

namespace estuary::x509 {

struct PathOptions {
    Time at{};
    std::vector<der::Oid> required_ext_key_usage{};  ///< each must be allowed by the end entity; empty: any
    unsigned depth_max = 8;
    bool anchors_may_be_intermediates = true;  ///< partial chains to a configured anchor
};
/// The verified path, end entity first, anchor last. not_authenticated with OpenSSL's reason in the detail otherwise.
Result<std::vector<Certificate>> validate_path(const Certificate& end_entity, const std::vector<Certificate>& intermediates,
                                               const std::vector<Certificate>& anchors, const PathOptions& options);

}  // namespace estuary::x509
