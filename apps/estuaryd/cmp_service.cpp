#include "apps/estuaryd/cmp_service.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "apps/estuaryd/cmp_signer.h"
#include "apps/estuaryd/crl_files.h"
#include "apps/estuaryd/generation.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {

/// The certificates of its own, one after the other.
struct CmpService::Maker {
    CmpService& service;
    store::Store& store;
    const crypto::Secret* passphrase;
    Time now;
    const std::function<void(const Fault&)>& tell;

    std::optional<cmp::Credentials> current(const OwnCertificate& wanted, std::string_view what) {
        const auto& place = service.generation_->configuration.cmp.place;
        auto& authority = *service.generation_->authority;
        auto made = current_own_certificate(wanted, authority, store, passphrase, now);
        if (!made) {
            service.lacks_signers_ = true;
            tell({place, fmt::format("no {} for CA {}: {}", what, wanted.ca, made.error().detail), false});
            return {};
        }
        if (made->renewed) log::info("CMP certificate issued", {{"ca", wanted.ca}, {"for", what}, {"why", *made->renewed}});
        if (made->trouble) tell({place, fmt::format("{} of CA {} not renewed: {}", what, wanted.ca, made->trouble->detail), true});
        auto& chain = made->certificate.chain;
        service.own_.emplace_back(chain.front().not_before(), chain.front().not_after());
        return cmp::Credentials{std::move(chain), std::move(made->certificate.key)};
    }
};

std::shared_ptr<CmpService> CmpService::make(std::shared_ptr<const Generation> generation, const std::string& passphrase_file,
                                             store::Store& store, const Program& program,
                                             const std::function<void(const Fault&)>& tell) {
    const auto& configuration = generation->configuration;
    const auto& section = configuration.cmp;
    if (!section.present) return nullptr;
    const auto wrong = [&](const std::string& detail) {
        tell({section.place, detail, false});
        return nullptr;
    };
    const auto secret = passphrase(passphrase_file, configuration.security.passphrase_file);
    if (!secret) return wrong(secret.error().detail);
    auto service = std::make_shared<CmpService>();
    service->generation_ = generation;
    auto& authority = *generation->authority;
    auto config = section.server;
    Maker maker{*service, store, pointer(*secret), program.clock.now(), tell};
    std::set<std::string> cas, generating, agreeing;
    for (const auto& label : config.labels) {
        const auto* profile = authority.profile(label.profile);
        if (!label.enabled || profile == nullptr) continue;
        cas.insert(profile->ca);
        if (label.generate_keys || label.recover_keys) generating.insert(profile->ca);
        if (cmp::needs_agreement_key(label)) agreeing.insert(profile->ca);
    }
    for (const auto& ca : configuration.cas) {
        const auto base = status_base(ca);
        const auto* issuing = authority.ca(ca.name);
        if (const auto above = generation->above.find(ca.name); above != generation->above.end()) {
            // A registration authority answers by its own certificate (RFC 9810 4.5: id-kp-cmcRA).
            const auto& own = std::get<cmp::ClientSigner>(above->second->client.credentials);
            if (cas.contains(ca.name)) config.signers.emplace(ca.name, cmp::Credentials{own.chain, own.key});
            config.above.emplace(ca.name, above->second);
            continue;
        }
        if (cas.contains(ca.name) && section.signs_with_ca_key) {
            config.signers.emplace(ca.name, cmp::Credentials{{issuing->certificate}, *issuing->key});
        } else if (cas.contains(ca.name)) {
            if (auto signer = maker.current(cmp_signer(configuration.directory, ca.name, base, section.key_type), "CMP signer"))
                config.signers.emplace(ca.name, std::move(*signer));
        }
        if (generating.contains(ca.name))
            if (auto generator = maker.current(key_generator(configuration.directory, ca.name, base, section.key_type), "key generator"))
                config.key_generators.emplace(ca.name, std::move(*generator));
        if (agreeing.contains(ca.name))
            if (auto own = maker.current(agreement_key(configuration.directory, ca.name, base, section.agreement_key_type), "agreement key"))
                config.agreement_keys.emplace(ca.name, std::move(*own));
    }
    if (configuration.status.present) config.crls = crl_source(configuration, authority);
    auto server = cmp::Server::create(std::move(config), authority, store, program.clock, program.entropy);
    if (!server) return wrong(server.error().detail);
    service->server_ = std::move(*server);
    auto http = cmp::HttpServer::create(section.http, *service->server_);
    if (!http) return wrong(http.error().detail);
    service->http_ = std::move(*http);
    return service;
}

bool CmpService::signers_are_due(Time now) const {
    const auto is_due = [&](const auto& validity) { return now >= validity.second - (validity.second - validity.first) / 3; };
    return lacks_signers_ || std::ranges::any_of(own_, is_due);
}

void CmpHandler::serve(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) {
    gateway_.serve_cmp_only(std::move(request), std::move(peer), std::move(responder));
}

}  // namespace estuary::daemon
