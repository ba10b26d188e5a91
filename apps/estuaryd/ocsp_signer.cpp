#include "apps/estuaryd/ocsp_signer.h"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>

#include <fmt/format.h>

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

Result<void> make_directory(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(Code::unavailable, fmt::format("cannot make {}: {}", path.string(), std::strerror(errno)));
    return {};
}

std::optional<std::string> why_new(const Result<CertificateAndKey>& present, const OwnCertificate& wanted,
                                   const authority::CaConfig& ca, Time now) {
    if (auto why = why_renew(present, ca, now)) return why;
    if (present->key.public_key().type_name() != wanted.key_type) return fmt::format("ocsp.key_type is {} now", wanted.key_type);
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

Result<OcspSigner> current_ocsp_signer(const OwnCertificate& wanted, authority::Authority& authority, store::Store& store,
                                       const crypto::Secret* passphrase, Time now) {
    const auto* ca = authority.ca(wanted.ca);
    if (ca == nullptr) return fail(Code::internal, "the CA of an OCSP signer is not configured");
    const auto load = [&] { return load_certificate_and_key(wanted.certificate, wanted.key, passphrase); };
    auto present = load();
    auto why = why_new(present, wanted, *ca, now);
    if (!why) return OcspSigner{std::move(*present), {}, {}};
    ESTUARY_CHECK(make_directory(wanted.key.parent_path()));
    auto issued = issue_own_certificate(wanted, authority, store, passphrase);
    if (issued) {
        ESTUARY_TRY(auto renewed, load());
        return OcspSigner{std::move(renewed), std::move(why), {}};
    }
    const bool usable = present && now <= present->chain.front().not_after() && is_signed_by(present->chain.front(), ca->certificate);
    if (!usable) return fail(std::move(issued).error());
    return OcspSigner{std::move(*present), {}, std::move(issued).error()};
}

}  // namespace estuary::daemon
