#include "apps/estuaryd/ocsp_signer.h"

#include "apps/estuaryd/paths.h"

namespace estuary::daemon {
namespace {

constexpr Seconds ocsp_signer_validity{30 * 86400LL};  // nobody can revoke it (id-pkix-ocsp-nocheck), so it must be short

}  // namespace

authority::Profile ocsp_profile(const std::string& ca, const std::string& key_type) {
    auto profile = service_profile(std::string{ocsp_profile_prefix} + ca, ca, key_type, x509::oid::kp_ocsp_signing, ocsp_signer_validity);
    profile.ocsp_no_check = true;
    return profile;
}

OwnCertificate ocsp_signer(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                           const std::string& key_type) {
    return service_certificate(directory / paths::ocsp, base, std::string{ocsp_profile_prefix} + ca, ca, key_type,
                               first_common_name({base + " OCSP", "OCSP"}));
}

}  // namespace estuary::daemon
