#include "estuary/authority/authority.h"

#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/key_archive.h"

namespace estuary::authority {
namespace {

/// A shorter key would make generated passwords as weak as itself; an empty one would accept everybody's (bug class 9).
constexpr std::size_t password_key_octets_min = 16;

/// Agents whose certificates cannot receive would be found out with the first key.
Result<void> check_archival(const Config& config) {
    const auto archives = std::ranges::find_if(config.profiles, &Profile::archive_keys);
    if (archives == config.profiles.end()) return {};
    if (config.recovery_agents.empty())
        return fail(Code::policy, fmt::format("profile {}: keys are to be archived, but there is no recovery agent", archives->name));
    ESTUARY_TRY(const auto key, crypto::PrivateKey::generate("p256"));
    if (const auto tried = archive_key(key, config.recovery_agents, {}); !tried)
        return fail(in_context("recovery agents", tried.error()));
    return {};
}

}  // namespace

std::string names_text(const std::vector<x509::GeneralName>& names) {
    std::string text;
    for (const auto& name : names) {
        if (!text.empty()) text += ' ';
        text += name.to_text();
    }
    return text;
}

Authority::Impl::Impl(Config configuration, store::Store& where, const Clock& time, crypto::Entropy& random)
    : config{std::move(configuration)}, store{where}, clock{time}, entropy{random}, policy{config.blocked_keys, entropy} {}

Result<void> Authority::Impl::prepare_anchors() {
    for (const auto& ca : config.cas) {
        anchors.emplace_back(ca.certificate, Anchor{true, {}});
        for (const auto& certificate : ca.chain) anchors.emplace_back(certificate, Anchor{true, {}});
        for (const auto& certificate : ca.rollover) anchors.emplace_back(certificate, Anchor{true, {}});
    }
    for (const auto& manufacturer : config.manufacturers) {
        if (manufacturer.name.empty()) return fail(Code::policy, "manufacturer anchors without a name");
        for (const auto& anchor : manufacturer.anchors) anchors.emplace_back(anchor, Anchor{false, manufacturer.name});
    }
    std::vector<x509::Certificate> certificates;
    for (const auto& [anchor, meaning] : anchors) certificates.push_back(anchor);
    ESTUARY_TRY(trust, x509::TrustAnchors::create(certificates));
    return {};
}

Result<void> Authority::Impl::prepare() {
    if (config.password_key.reveal().size() < password_key_octets_min)
        return fail(Code::policy, fmt::format("password_key needs {} octets or more", password_key_octets_min));
    if (config.slow_hashes_max == 0) return fail(Code::policy, "slow_hashes_max must be 1 or more");
    for (const auto& ca : config.cas) {
        ESTUARY_TRY(auto issuer, prepare_issuer(ca));
        if (!issuers.emplace(ca.name, std::move(issuer)).second) return fail(Code::policy, "two CAs named " + ca.name);
    }
    ESTUARY_CHECK(prepare_anchors());
    for (const auto& profile : config.profiles) {
        const auto issuer = issuers.find(profile.ca);
        if (issuer == issuers.end())
            return fail(Code::policy, fmt::format("profile {}: there is no CA '{}'", profile.name, profile.ca));
        ESTUARY_TRY(auto rules, prepare_rules(profile, issuer->second, config.cas));
        if (!profiles.emplace(profile.name, std::move(rules)).second)
            return fail(Code::policy, "two profiles named " + profile.name);
    }
    keys = config.key_pool ? config.key_pool : std::make_shared<KeyPool>();
    ESTUARY_CHECK(check_archival(config));
    ESTUARY_CHECK(check_online_recovery());
    passwords.emplace(config.password_key, config.slow_hashes_max, entropy);
    return {};
}

Result<const Rules*> Authority::Impl::rules(std::string_view name) const {
    const auto found = profiles.find(name);
    if (found == profiles.end()) return fail(Code::not_authorised, "nothing is issued here", fmt::format("no profile '{}'", name));
    return found->second.get();
}

void Authority::Impl::audit(store::UnitOfWork& work, std::string event, std::string actor, std::string object,
                            std::string outcome, std::string detail) const {
    store::AuditEvent line;
    line.at = clock.now();
    line.event = std::move(event);
    line.actor = std::move(actor);
    line.object = std::move(object);
    line.outcome = std::move(outcome);
    line.detail = std::move(detail);
    work.writes.emplace_back(store::AppendAudit{std::move(line)});
}

// -- Authority -------------------------------------------------------------------------------------------------------

Authority::Authority(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Authority::~Authority() = default;

Result<std::unique_ptr<Authority>> Authority::create(Config config, store::Store& store, const Clock& clock,
                                                     crypto::Entropy& entropy) {
    auto impl = std::make_unique<Impl>(std::move(config), store, clock, entropy);
    ESTUARY_CHECK(impl->prepare());
    return std::unique_ptr<Authority>{new Authority{std::move(impl)}};
}

Result<Outcome> Authority::enroll(const EnrollRequest& request, store::UnitOfWork& work) { return impl_->enroll(request, work); }

Result<std::vector<x509::Certificate>> Authority::ca_certificates(std::string_view name) const {
    const auto* config = ca(name);
    if (config == nullptr) return fail(Code::not_found, "there is no such CA");
    std::vector<x509::Certificate> certificates{config->certificate};
    const auto add = [&](const x509::Certificate& certificate) {
        if (std::ranges::find(certificates, certificate) == certificates.end()) certificates.push_back(certificate);
    };
    for (const auto& certificate : config->chain) add(certificate);
    for (const auto& certificate : config->rollover) add(certificate);
    return certificates;
}

const Profile* Authority::profile(std::string_view name) const {
    const auto found = impl_->profiles.find(name);
    return found == impl_->profiles.end() ? nullptr : &found->second->profile;
}

const CaConfig* Authority::ca(std::string_view name) const {
    const auto found = impl_->issuers.find(name);
    return found == impl_->issuers.end() ? nullptr : found->second.config;
}

}  // namespace estuary::authority
