#include "apps/estuaryd/cmp_signer.h"

#include "apps/estuaryd/paths.h"
#include "estuary/authority/key_generation.h"

namespace estuary::daemon {
namespace {

constexpr Seconds signer_validity{365 * 86400LL};
constexpr std::size_t common_name_max = 64;  // RFC 5280 A.1, ub-common-name

authority::Profile profile_of(std::string name, const std::string& ca, const std::string& key_type, const der::Oid& purpose) {
    authority::Profile profile;
    profile.name = std::move(name);
    profile.ca = ca;
    profile.validity = signer_validity;
    profile.key_types = {key_type};
    profile.subject.allowed = {x509::oid::common_name};
    profile.key_usage = x509::digital_signature;
    profile.ext_key_usage = {purpose};
    return profile;
}

OwnCertificate own(const std::filesystem::path& directory, const std::string& file, std::string profile, const std::string& ca,
                   const std::string& key_type, const std::string& common_name) {
    OwnCertificate wanted;
    wanted.certificate = directory / paths::cmp / (file + ".pem");
    wanted.key = directory / paths::cmp / (file + ".key");
    wanted.profile = std::move(profile);
    wanted.ca = ca;
    wanted.key_type = key_type;
    // Bases have URI characters only: nothing to escape.
    if (common_name.size() <= common_name_max)
        if (auto name = x509::Name::from_text("CN=" + common_name)) wanted.subject = *name;
    if (wanted.subject.empty())
        if (auto name = x509::Name::from_text("CN=CMP")) wanted.subject = *name;
    return wanted;
}

}  // namespace

authority::Profile cmp_profile(const std::string& ca, const std::string& key_type) {
    return profile_of(std::string{cmp_profile_prefix} + ca, ca, key_type, x509::oid::kp_cmc_ca);
}

authority::Profile key_generator_profile(const std::string& ca, const std::string& key_type) {
    return profile_of(std::string{key_generator_profile_prefix} + ca, ca, key_type, authority::kp_cm_kga);
}

OwnCertificate cmp_signer(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                          const std::string& key_type) {
    return own(directory, base, std::string{cmp_profile_prefix} + ca, ca, key_type, base + " CMP");
}

OwnCertificate key_generator(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                             const std::string& key_type) {
    return own(directory, base + "-kga", std::string{key_generator_profile_prefix} + ca, ca, key_type, base + " key generation");
}

}  // namespace estuary::daemon
