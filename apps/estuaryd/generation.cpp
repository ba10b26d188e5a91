#include "apps/estuaryd/generation.h"

#include <algorithm>
#include <map>

#include "apps/estuaryd/cmc_service.h"
#include "apps/estuaryd/crl_files.h"
#include "apps/estuaryd/former_generations.h"
#include "apps/estuaryd/key_generators.h"
#include "apps/estuaryd/load.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/server_certificate.h"
#include "apps/estuaryd/status_config.h"
#include "apps/estuaryd/upstream_cas.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

/// The parts of the authority's configuration that TLS needs, too: who issues to clients.
struct Issuers {
    std::vector<authority::CaConfig> cas;
    std::vector<authority::ManufacturerAnchors> manufacturers;
};

/// A certificate of ours is made where it is missing or due; where that fails, a certificate that still works goes on.
Result<bool> renew(const TlsSection& tls, authority::Authority& authority, store::Store& store, const crypto::Secret* secret,
                   Time now) {
    if (tls.ca.empty()) return false;
    ESTUARY_TRY(const auto why, why_renew(tls, authority, secret, now));
    if (!why) return false;
    auto issued = issue_server_certificate(tls, authority, store, secret);
    if (issued) {
        log::info("server certificate issued", {{"why", *why}});
        return true;
    }
    const auto present = load_server_certificate(tls, secret);
    if (!present || now > present->chain.front().not_after()) return fail(std::move(issued).error());
    log::error("server certificate not renewed", {{"why", *why},
                                                  {"detail", issued.error().detail},
                                                  {"cause", issued.error().cause},
                                                  {"expires", to_iso8601(present->chain.front().not_after())}});
    return false;
}

Issuers issuers_of(const Generation& generation) {
    Issuers issuers;
    for (const auto& section : generation.configuration.cas)
        if (const auto* ca = generation.authority->ca(section.name)) issuers.cas.push_back(*ca);
    for (const auto& section : generation.configuration.manufacturers) {
        const auto content = file::read(section.anchors.path);
        auto anchors = content ? x509::parse_certificates(*content) : Result<std::vector<x509::Certificate>>{};
        if (anchors) issuers.manufacturers.push_back({section.name, std::move(*anchors)});
    }
    return issuers;
}

/// Certificates of manufacturers count only as far as their own CAs do not say that they are revoked.
void check_peers(const Configuration& configuration, PeerChecks& checks, authority::Config& config) {
    for (const auto& section : configuration.manufacturers) {
        const auto manufacturer = std::ranges::find(config.manufacturers, section.name, &authority::ManufacturerAnchors::name);
        if (manufacturer == config.manufacturers.end() || section.check_status == ocsp::PeerCheck::off) continue;
        manufacturer->check_status = [&checks, policy = PeerPolicy{section.name, section.check_status, section.public_addresses_only}](
                                         const std::vector<ByteVec>& verified_chain) { return checks.judge(policy, verified_chain); };
    }
}

}  // namespace

Result<std::shared_ptr<const Generation>> answering_generation(Session& session, const crypto::Secret* passphrase, const Program& program) {
    const auto& configuration = session.configuration;
    Faults faults{configuration.file.string()};
    auto config = load_authority(configuration, passphrase, program.clock.now(), faults);
    auto generation = std::make_shared<Generation>();
    if (config) generation->above = wire_upstream_cas(configuration, passphrase, *session.store, program, *config, faults);
    if (!config || faults.count() != 0) return fail(Code::policy, "the configuration cannot be used: `estuaryd check` says why");
    ESTUARY_TRY(generation->authority, authority::Authority::create(std::move(*config), *session.store, program.clock, program.entropy));
    generation->configuration = configuration;
    return std::shared_ptr<const Generation>{std::move(generation)};
}

est::CrlSource crl_source(const Configuration& configuration, authority::Authority& authority) {
    std::map<std::string, std::string, std::less<>> bases;
    for (const auto& ca : configuration.cas) bases.emplace(ca.name, status_base(ca));
    const auto files = std::make_shared<CrlFiles>(configuration.status.directory.path);
    return [files, bases, &authority](std::string_view ca) -> Result<std::vector<ByteVec>> {
        ESTUARY_TRY(const auto shards, authority.crl_shards(ca));
        std::vector<std::string> names;
        if (const auto& above = authority.ca(ca)->chain; !above.empty()) names.push_back(crl_file_name(root_base(above.back()), 0, false));
        for (unsigned shard = 0; shard < shards; ++shard) names.push_back(crl_file_name(bases.find(ca)->second, shard, false));
        std::vector<ByteVec> lists;
        for (const auto& name : names) {
            const auto found = files->find(name);
            if (found) lists.push_back(to_vec((*found)->list.der()));
            else if (found.error().code != Code::not_found) return fail(found.error());
        }
        return lists;
    };
}

std::optional<MadeGeneration> make_generation(Configuration configuration, const std::string& passphrase_file,
                                              store::Store& store, PeerChecks& checks, const Program& program,
                                              const std::function<void(const Fault&)>& tell,
                                              std::shared_ptr<authority::KeyPool> keys) {
    const Place whole{configuration.file.string(), 0, ""};
    const auto wrong = [&](const Place& place, const Error& error) {
        tell({place, error.cause.empty() ? error.detail : error.detail + " (" + error.cause + ")", false});
        return std::nullopt;
    };
    const auto secret = passphrase(passphrase_file, configuration.security.passphrase_file);
    if (!secret) return wrong(configuration.security.passphrase_file.place, secret.error());
    const auto now = program.clock.now();

    Faults faults{configuration.file.string()};
    auto config = load_authority(configuration, pointer(*secret), now, faults);
    AboveCas above;
    const auto before = faults.count();
    if (config) above = wire_upstream_cas(configuration, pointer(*secret), store, program, *config, faults);
    for (const auto& fault : faults.sorted()) tell(fault);
    if (!config || faults.count() != before) return {};
    const Issuers issuers{config->cas, config->manufacturers};
    check_peers(configuration, checks, *config);
    config->key_pool = std::move(keys);

    auto generation = std::make_shared<Generation>();
    generation->above = std::move(above);
    auto authority = authority::Authority::create(std::move(*config), store, program.clock, program.entropy);
    if (!authority) return wrong(whole, authority.error());
    generation->authority = std::move(*authority);
    auto est_config = configuration.est;
    if (auto* reads = store.package_reads()) {
        generation->packages = std::make_unique<authority::Packages>(*reads, program.clock);
        est_config.packages = generation->packages.get();
    }
    if (configuration.status.present) est_config.crls = crl_source(configuration, *generation->authority);
    if (configuration.cmc.present) {
        auto cmc = CmcService::make(configuration, *generation->authority, store, pointer(*secret), est_config.crls, program, tell);
        if (!cmc) return wrong(configuration.cmc.place, cmc.error());
        generation->cmc = std::move(*cmc);
        est_config.cmc = generation->cmc->server.get();
    }
    auto generators = key_generators(configuration, *generation->authority, store, pointer(*secret), now, tell);
    est_config.key_generators = std::move(generators.by_ca);
    generation->key_generators_due = generators.due;
    auto est = est::Server::create(std::move(est_config), *generation->authority, program.clock, program.entropy);
    if (!est) return wrong(whole, est.error());
    generation->est = std::move(*est);
    generation->former = load_former_generations(configuration, pointer(*secret), store, program, tell);

    if (const auto renewed = renew(configuration.tls, *generation->authority, store, pointer(*secret), now); !renewed)
        return wrong(configuration.tls.place, renewed.error());
    const auto certificate = load_server_certificate(configuration.tls, pointer(*secret));
    if (!certificate) return wrong(configuration.tls.certificate.place, certificate.error());
    auto tls = tls_identity(configuration.tls, issuers.cas, issuers.manufacturers, *certificate);
    generation->configuration = std::move(configuration);
    return MadeGeneration{std::move(generation), std::move(tls)};
}

std::optional<net::TlsIdentity> renew_if_due(const Generation& generation, const std::string& passphrase_file,
                                             store::Store& store, const Program& program) {
    const auto& configuration = generation.configuration;
    const auto attempt = [&]() -> Result<std::optional<net::TlsIdentity>> {
        ESTUARY_TRY(const auto secret, passphrase(passphrase_file, configuration.security.passphrase_file));
        ESTUARY_TRY(const bool renewed, renew(configuration.tls, *generation.authority, store, pointer(secret), program.clock.now()));
        if (!renewed) return std::optional<net::TlsIdentity>{};
        ESTUARY_TRY(const auto certificate, load_server_certificate(configuration.tls, pointer(secret)));
        const auto issuers = issuers_of(generation);
        return std::optional{tls_identity(configuration.tls, issuers.cas, issuers.manufacturers, certificate)};
    }();
    if (attempt) return *attempt;
    log::error("server certificate not renewed", {{"detail", attempt.error().detail}, {"cause", attempt.error().cause}});
    return {};
}

void renew_cmc(const Generation& generation, const std::string& passphrase_file, store::Store& store, const Program& program) {
    const auto now = program.clock.now();
    if (!generation.cmc || !generation.cmc->responders.are_due(now)) return;
    const auto secret = passphrase(passphrase_file, generation.configuration.security.passphrase_file);
    if (!secret) return log::error("CMC responders not renewed", {{"detail", secret.error().detail}});
    generation.cmc->responders.renew(generation.configuration, *generation.authority, store, pointer(*secret), now, [](const Fault& fault) {
        log::error("CMC responder", {{"key", fault.place.key}, {"message", fault.message}});
    });
}

}  // namespace estuary::daemon
