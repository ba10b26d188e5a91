#include "apps/estuaryd/cmc_service.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "apps/estuaryd/paths.h"
#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {
namespace {

bool is_rsa(std::string_view key_type) { return key_type.starts_with("rsa"); }
bool is_curve(std::string_view key_type) {
    return key_type.starts_with("p256") || key_type.starts_with("p384") || key_type.starts_with("p521");
}

OwnCertificate responder_files(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                               const std::string& key_type) {
    return service_certificate(directory / paths::cmc, base, std::string{cmc_profile_prefix} + ca, ca, key_type,
                               first_common_name({base + " CMC", "CMC"}));
}

/// The CAs whose certificates are asked for by CMC.
std::set<std::string> answering_cas(const Configuration& configuration) {
    std::set<std::string> cas;
    for (const auto& endpoint : configuration.cmc.server.endpoints) {
        const auto profile = std::ranges::find(configuration.profiles, endpoint.profile, &authority::Profile::name);
        if (endpoint.enabled && profile != configuration.profiles.end()) cas.insert(profile->ca);
    }
    return cas;
}

}  // namespace

authority::Profile cmc_profile(const std::string& ca, const std::string& key_type) {
    auto profile = service_profile(std::string{cmc_profile_prefix} + ca, ca, key_type, x509::oid::kp_cmc_ca);
    if (is_rsa(key_type)) profile.key_usage |= x509::key_encipherment;
    if (is_curve(key_type)) profile.key_usage |= x509::key_agreement;
    return profile;
}

void CmcResponders::renew(const Configuration& configuration, authority::Authority& authority, store::Store& store,
                          const crypto::Secret* passphrase, Time now, const Tell& tell) {
    decltype(by_ca_) made;
    bool missing = false;
    for (const auto& name : answering_cas(configuration)) {
        const auto section = std::ranges::find(configuration.cas, name, &CaSection::name);
        if (section == configuration.cas.end()) continue;
        const auto wanted = responder_files(configuration.directory, name, status_base(*section), configuration.cmc.key_type);
        auto current = current_own_certificate(wanted, authority, store, passphrase, now);
        if (!current) {
            missing = true;
            tell({configuration.cmc.place, fmt::format("no CMC responder for CA {}: {}", name, current.error().detail), false});
            continue;
        }
        if (current->renewed) log::info("CMC responder's certificate issued", {{"ca", name}, {"why", *current->renewed}});
        if (current->trouble)
            tell({configuration.cmc.place, fmt::format("CMC responder of CA {} not renewed: {}", name, current->trouble->detail),
                  true});
        made.emplace(
            name, std::make_shared<cmc::Responder>(cmc::Responder{current->certificate.key, current->certificate.chain.front()}));
    }
    const std::lock_guard guard{mutex_};
    by_ca_ = std::move(made);
    some_are_missing_ = missing;
}

std::shared_ptr<const cmc::Responder> CmcResponders::find(std::string_view ca) const {
    const std::lock_guard guard{mutex_};
    const auto found = by_ca_.find(ca);
    return found == by_ca_.end() ? nullptr : found->second;
}

bool CmcResponders::are_due(Time now) const {
    const std::lock_guard guard{mutex_};
    return some_are_missing_ ||
           std::ranges::any_of(by_ca_, [&](const auto& one) { return now >= renewal_time(one.second->certificate); });
}

Result<std::shared_ptr<CmcService>> CmcService::make(const Configuration& configuration, authority::Authority& authority,
                                                     store::Store& store, const crypto::Secret* passphrase, cmc::CrlSource crls,
                                                     const Program& program, const CmcResponders::Tell& tell) {
    auto service = std::make_shared<CmcService>();
    service->responders.renew(configuration, authority, store, passphrase, program.clock.now(), tell);
    auto config = configuration.cmc.server;
    // Only as long as the service itself: it owns the server that asks.
    config.responder = [responders = &service->responders](std::string_view ca) { return responders->find(ca); };
    config.crls = std::move(crls);
    ESTUARY_TRY(service->server, cmc::Server::create(std::move(config), authority, store, program.clock, program.entropy));
    ESTUARY_TRY(service->http, cmc::HttpServer::create(configuration.cmc.paths, *service->server));
    return service;
}

}  // namespace estuary::daemon
