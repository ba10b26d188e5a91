#include "apps/estuaryd/ocsp_signer.h"

#include "apps/estuaryd/paths.h"

namespace estuary::daemon {
namespace {

constexpr Seconds signer_validity{30 * 86400LL};  // nobody can revoke it (id-pkix-ocsp-nocheck), so it must be short
constexpr std::size_t common_name_max = 64;       // RFC 5280 A.1, ub-common-name

x509::Name subject_of(const std::string& base) {
    for (const auto& text : {base + " OCSP", std::string{"OCSP"}}) {
        if (text.size() > common_name_max) continue;
        // Bases have URI characters only: nothing to escape.
        if (auto name = x509::Name::from_text("CN=" + text)) return *name;
    }
    return {};
}

}  // namespace

authority::Profile ocsp_profile(const std::string& ca, const std::string& key_type) {
    authority::Profile profile;
    profile.name = std::string{ocsp_profile_prefix} + ca;
    profile.ca = ca;
    profile.validity = signer_validity;
    profile.key_types = {key_type};
    profile.subject.allowed = {x509::oid::common_name};
    profile.key_usage = x509::digital_signature;
    profile.ext_key_usage = {x509::oid::kp_ocsp_signing};
    profile.ocsp_no_check = true;
    return profile;
}

OwnCertificate ocsp_signer(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                           const std::string& key_type) {
    OwnCertificate wanted;
    wanted.certificate = directory / paths::ocsp / (base + ".pem");
    wanted.key = directory / paths::ocsp / (base + ".key");
    wanted.profile = std::string{ocsp_profile_prefix} + ca;
    wanted.ca = ca;
    wanted.key_type = key_type;
    wanted.subject = subject_of(base);
    return wanted;
}

}  // namespace estuary::daemon
