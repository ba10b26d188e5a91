#include "apps/estuaryd/key_generators.h"

#include <algorithm>

#include "apps/estuaryd/cmp_signer.h"
#include "apps/estuaryd/config_keys.h"
#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {
namespace {

constexpr Seconds again_after_trouble{3600};

}  // namespace

KeyGenerators key_generators(const Configuration& configuration, authority::Authority& authority, store::Store& store,
                             const crypto::Secret* passphrase, Time now, const std::function<void(const Fault&)>& tell) {
    KeyGenerators out;
    const auto due_by = [&](Time at) { out.due = out.due ? std::min(*out.due, at) : at; };
    for (const auto& ca : configuration.cas) {
        if (ca.upstream.present || !makes_keys(configuration, ca.name)) continue;
        const auto wanted = key_generator(configuration.directory, ca.name, status_base(ca), configuration.cmp.key_type);
        auto current = current_own_certificate(wanted, authority, store, passphrase, now);
        const auto* trouble = !current ? &current.error() : current->trouble ? &*current->trouble : nullptr;
        if (trouble != nullptr)
            tell({configuration.keys.place, "the certificate of the key generator of CA " + ca.name + " cannot be made: " + trouble->detail +
                                                (trouble->cause.empty() ? "" : " (" + trouble->cause + ")"), true});
        if (!current) {
            due_by(now + again_after_trouble);
            continue;
        }
        auto& certificate = current->certificate;
        due_by(trouble != nullptr ? now + again_after_trouble : renewal_time(certificate.chain.front()));
        out.by_ca.emplace(ca.name, est::KeyGenerator{std::move(certificate.chain), std::move(certificate.key)});
    }
    return out;
}

}  // namespace estuary::daemon
