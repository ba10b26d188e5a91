#include "apps/estuaryd/config_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/config_ca_profile.h"
#include "apps/estuaryd/config_cmc.h"
#include "apps/estuaryd/config_cmp.h"
#include "apps/estuaryd/config_keys.h"
#include "apps/estuaryd/config_status.h"
#include "apps/estuaryd/config_upstream.h"
#include "apps/estuaryd/ocsp_signer.h"
#include "apps/estuaryd/server_certificate.h"

namespace estuary::daemon {
namespace {

bool has_ca(const Configuration& configuration, std::string_view name) {
    return std::ranges::any_of(configuration.cas, [&](const CaSection& ca) { return ca.name == name; });
}

void check_profile_references(const Configuration& configuration, Faults& faults) {
    for (const auto& profile : configuration.profiles) {
        auto place = configuration.profile_places.at(profile.name);
        if (profile.name == own_profile_name || profile.name.starts_with(ocsp_profile_prefix)) faults.add(place, "is the name of estuaryd's own profile; choose another");
        place.key += ".ca";
        if (!profile.ca.empty() && !has_ca(configuration, profile.ca))
            faults.add(place, fmt::format("there is no [ca.{}]", profile.ca));
    }
}

void check_tls(const Configuration& configuration, Faults& faults) {
    const auto& tls = configuration.tls;
    auto place = tls.place;
    place.key += ".ca";
    if (tls.ca.empty()) return;  // the certificate is somebody else's work
    if (!has_ca(configuration, tls.ca)) faults.add(place, fmt::format("there is no [ca.{}]", tls.ca));
    if (tls.hosts.empty())
        faults.add(tls.hosts_place, "is missing: list the names and addresses that clients reach this server by");
}

}  // namespace

void check_references(Configuration& configuration, Faults& faults) {
    check_profile_references(configuration, faults);
    check_tls(configuration, faults);
    check_status_references(configuration, faults);
    join_keys(configuration, faults);
    check_cmp_references(configuration, faults);
    join_cmc(configuration, faults);
    check_upstream_references(configuration, faults);
    check_ca_profiles(configuration, faults);
}

Result<x509::GeneralName> host_name(std::string_view text) {
    auto name = x509::GeneralName::from_text(text);
    if (!name) return fail(std::move(name).error());
    using Kind = x509::GeneralName::Kind;
    if (name->kind != Kind::dns && name->kind != Kind::ip)
        return fail(Code::malformed, fmt::format("'{}' is neither a host name nor an address", text));
    ESTUARY_CHECK(name->check());
    return name;
}

}  // namespace estuary::daemon
