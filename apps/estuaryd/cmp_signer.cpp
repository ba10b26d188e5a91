#include "apps/estuaryd/cmp_signer.h"

#include "apps/estuaryd/paths.h"
#include "estuary/authority/key_generation.h"

namespace estuary::daemon {

authority::Profile cmp_profile(const std::string& ca, const std::string& key_type) {
    return service_profile(std::string{cmp_profile_prefix} + ca, ca, key_type, x509::oid::kp_cmc_ca);
}

authority::Profile key_generator_profile(const std::string& ca, const std::string& key_type) {
    return service_profile(std::string{key_generator_profile_prefix} + ca, ca, key_type, authority::kp_cm_kga);
}

authority::Profile agreement_profile(const std::string& ca, const std::string& key_type) {
    auto profile = service_profile(std::string{agreement_profile_prefix} + ca, ca, key_type, x509::oid::kp_cmc_ca);
    profile.key_usage = x509::key_agreement;
    return profile;
}

OwnCertificate cmp_signer(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                          const std::string& key_type) {
    return service_certificate(directory / paths::cmp, base, std::string{cmp_profile_prefix} + ca, ca, key_type,
                               first_common_name({base + " CMP", "CMP"}));
}

OwnCertificate key_generator(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                             const std::string& key_type) {
    return service_certificate(directory / paths::cmp, base + "-kga", std::string{key_generator_profile_prefix} + ca, ca, key_type,
                               first_common_name({base + " key generation", "CMP"}));
}

OwnCertificate agreement_key(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                             const std::string& key_type) {
    return service_certificate(directory / paths::cmp, base + "-dh", std::string{agreement_profile_prefix} + ca, ca, key_type,
                               first_common_name({base + " key agreement", "CMP"}));
}

}  // namespace estuary::daemon
