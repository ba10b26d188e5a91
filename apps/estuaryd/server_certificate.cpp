#include "apps/estuaryd/server_certificate.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/config_check.h"
#include "apps/estuaryd/own_certificate.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

Result<std::vector<x509::GeneralName>> host_names(const TlsSection& tls) {
    std::vector<x509::GeneralName> names;
    for (const auto& host : tls.hosts) {
        ESTUARY_TRY(auto name, host_name(host));
        if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    if (names.empty()) return fail(Code::policy, "tls.hosts is empty");
    return names;
}

/// The first DNS name as common name, for those who look there; clients go by the SAN.
x509::Name subject_of(const std::vector<x509::GeneralName>& names) {
    std::vector<std::string> hosts;
    for (const auto& name : names)
        if (name.kind == x509::GeneralName::Kind::dns) hosts.emplace_back(as_text(name.value));
    return first_common_name(hosts);
}

bool names_differ(const TlsSection& tls, const x509::Certificate& certificate) {
    auto wanted = host_names(tls);
    auto present = certificate.subject_alt_names();
    if (!wanted || !present) return true;
    std::ranges::sort(*wanted);
    std::ranges::sort(*present);
    return *wanted != *present;
}

/// A certificate that somebody else issued and an operator put here: not ours to replace.
bool is_foreign(const TlsSection& tls, const authority::CaConfig& ca) {
    const auto content = file::read(tls.certificate.path);
    const auto chain = content ? x509::parse_certificates(*content) : Result<std::vector<x509::Certificate>>{};
    if (!chain || chain->empty()) return false;
    const auto is_its = [&](const x509::Certificate& issuer) { return is_signed_by(chain->front(), issuer); };
    return !is_its(ca.certificate) && std::ranges::none_of(ca.rollover, is_its);
}

}  // namespace

authority::Profile own_profile(const TlsSection& tls) {
    auto profile = authority::tls_server_profile(tls.ca);
    profile.name = own_profile_name;
    profile.san.count_max = std::max<std::size_t>(profile.san.count_max, tls.hosts.size());
    // Whatever type of key the operator chose for this server.
    if (std::ranges::find(profile.key_types, tls.key_type) == profile.key_types.end()) profile.key_types.push_back(tls.key_type);
    return profile;
}

Result<std::optional<std::string>> why_renew(const TlsSection& tls, const authority::Authority& authority,
                                             const crypto::Secret* passphrase, Time now) {
    using Why = std::optional<std::string>;
    const auto* ca = authority.ca(tls.ca);
    if (ca == nullptr) return fail(Code::internal, "the CA of the server's certificate is not configured");
    if (is_foreign(tls, *ca))
        return fail(Code::policy, fmt::format("{} was not issued by [ca.{}]; to use it, set ca = \"\"; to have one issued, move it away",
                                              tls.certificate.path.string(), tls.ca));
    const auto present = load_server_certificate(tls, passphrase);
    if (auto why = why_renew(present, *ca, now)) return why;
    if (names_differ(tls, present->chain.front())) return Why{"tls.hosts has changed"};
    return Why{};
}

Result<void> issue_server_certificate(const TlsSection& tls, authority::Authority& authority, store::Store& store,
                                      const crypto::Secret* passphrase) {
    OwnCertificate wanted;
    wanted.certificate = tls.certificate.path;
    wanted.key = tls.key.path;
    wanted.profile = own_profile_name;
    wanted.ca = tls.ca;
    wanted.key_type = tls.key_type;
    ESTUARY_TRY(wanted.names, host_names(tls));
    wanted.subject = subject_of(wanted.names);
    return issue_own_certificate(wanted, authority, store, passphrase);
}

}  // namespace estuary::daemon
