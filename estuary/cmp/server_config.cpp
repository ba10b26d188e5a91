// What a configuration must fulfil, and the names of operations.
#include <array>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/cmp/batch.h"
#include "estuary/cmp/server_impl.h"

namespace estuary::cmp {
namespace {

struct Named {
    std::string_view name;
    Operation operation;
};
constexpr std::array operations{
    Named{"initialization", Operation::initialization}, Named{"certification", Operation::certification},
    Named{"keyupdate", Operation::keyupdate},           Named{"pkcs10", Operation::pkcs10},
    Named{"revocation", Operation::revocation},         Named{"getcacerts", Operation::getcacerts},
    Named{"getrootupdate", Operation::getrootupdate},   Named{"getcertreqtemplate", Operation::getcertreqtemplate},
    Named{"getcrls", Operation::getcrls},               Named{"nested", Operation::nested},
};

constexpr std::size_t label_octets_max = 255;

Result<void> check_name(std::string_view name) {
    const bool plain = name.size() <= label_octets_max && name != "." && name != ".." && text::is_plain_utf8(name) &&
                       name.find_first_of("/?#% \\") == std::string_view::npos;
    if (!plain) return fail(Code::policy, fmt::format("label '{}': must be one plain path segment", text::printable(name)));
    return {};
}

Result<void> check_credentials(std::string_view what, std::string_view ca, const Credentials& credentials) {
    if (credentials.chain.empty() || !same(credentials.chain.front().spki(), credentials.key.public_key().spki()))
        return fail(Code::policy, fmt::format("{} of CA {}: the key is not that of the certificate", what, ca));
    return {};
}

std::string_view who_agrees(const Label& label) {
    if (label.diffie_hellman) return "diffie_hellman";
    return label.agreement_proof ? "agreement_proof" : "revocation_passphrases";
}

/// Certificates of CAs are given to who asks for them by ccr, and others to who does not (bug class 1).
Result<void> check_kinds(const Label& label, const authority::Profile& usual, const authority::Authority& authority) {
    std::vector<std::string> names{label.profile};
    names.insert(names.end(), label.more_profiles.begin(), label.more_profiles.end());
    for (const auto& name : names)
        if (const auto* profile = authority.profile(name); profile != nullptr && profile->ca_certificate)
            return fail(Code::policy, fmt::format("label '{}': profile '{}' is for CAs: name it as cross_certification", label.name, name));
    if (label.cross_certification.empty()) return {};
    const auto* cross = authority.profile(label.cross_certification);
    if (cross == nullptr || !cross->ca_certificate)
        return fail(Code::policy, fmt::format("label '{}': cross_certification: there is no profile '{}' for CAs", label.name, label.cross_certification));
    if (cross->ca != usual.ca)
        return fail(Code::policy, fmt::format("label '{}': profile '{}' is of another CA than '{}'", label.name, label.cross_certification, label.profile));
    if (label.forward != Forwarding::none)
        return fail(Code::policy, fmt::format("label '{}': cross_certification is for a CA that is here, not for one that messages are forwarded to", label.name));
    return {};
}

/// Whether clients with keys that do not sign can be answered.
Result<void> check_key_based(const LabelState& label) {
    const auto& config = label.config;
    if (config.forward != Forwarding::none) return {};   // the CA above answers
    if ((config.kem_protection || config.diffie_hellman) && label.signer == nullptr)
        return fail(Code::policy, fmt::format("label '{}': kem_protection and diffie_hellman need a signer for CA {}", config.name, label.ca));
    if (needs_agreement_key(config) && label.agreement == nullptr)
        return fail(Code::policy, fmt::format("label '{}': {} needs an agreement key for CA {}", config.name, who_agrees(config), label.ca));
    return {};
}

}  // namespace

bool needs_agreement_key(const Label& label) noexcept {
    return label.diffie_hellman || label.agreement_proof || label.revocation_passphrases;
}

std::string_view to_string(Operation operation) noexcept {
    for (const auto& named : operations)
        if (named.operation == operation) return named.name;
    return "unknown";
}

std::optional<Operation> operation_named(std::string_view name) noexcept {
    for (const auto& named : operations)
        if (named.name == name) return named.operation;
    return std::nullopt;
}

Result<void> Server::Impl::prepare() {
    if (config_.message_time_window < Seconds{0}) return fail(Code::policy, "message_time_window: must not be negative");
    for (const auto& [ca, signer] : config_.signers) ESTUARY_CHECK(check_credentials("signer", ca, signer));
    for (const auto& [ca, generator] : config_.key_generators) ESTUARY_CHECK(check_credentials("key generator", ca, generator));
    for (const auto& [ca, own] : config_.agreement_keys) ESTUARY_CHECK(check_credentials("agreement key", ca, own));
    for (const auto& label : config_.labels)
        if (label.enabled) ESTUARY_CHECK(prepare_label(label));
    return {};
}

Result<void> Server::Impl::prepare_label(const Label& label) {
    ESTUARY_CHECK(check_name(label.name));
    const auto* profile = authority_.profile(label.profile);
    if (profile == nullptr) return fail(Code::policy, fmt::format("label '{}': there is no profile '{}'", label.name, label.profile));
    for (const auto& name : label.more_profiles) {
        const auto* other = authority_.profile(name);
        if (other == nullptr) return fail(Code::policy, fmt::format("label '{}': there is no profile '{}'", label.name, name));
        if (other->ca != profile->ca)
            return fail(Code::policy, fmt::format("label '{}': profile '{}' is of another CA than '{}'", label.name, name, label.profile));
    }
    ESTUARY_CHECK(check_kinds(label, *profile, authority_));
    if (label.requests_max < 1) return fail(Code::policy, fmt::format("label '{}': requests_max must be 1 or more", label.name));
    if (label.confirm_wait < Seconds{1}) return fail(Code::policy, fmt::format("label '{}': confirm_wait must be a second or more", label.name));
    LabelState state{label, profile->ca, recorded_label(label.name)};
    if (const auto found = config_.signers.find(profile->ca); found != config_.signers.end()) state.signer = &found->second;
    if (const auto found = config_.key_generators.find(profile->ca); found != config_.key_generators.end()) state.key_generator = &found->second;
    if (label.generate_keys && state.key_generator == nullptr)
        return fail(Code::policy, fmt::format("label '{}': generate_keys needs a key generator for CA {}", label.name, profile->ca));
    if (label.recover_keys && state.key_generator == nullptr && label.forward == Forwarding::none)
        return fail(Code::policy, fmt::format("label '{}': recover_keys needs a key generator for CA {}", label.name, profile->ca));
    if (const auto found = config_.agreement_keys.find(profile->ca); found != config_.agreement_keys.end()) state.agreement = &found->second;
    ESTUARY_CHECK(check_key_based(state));
    ESTUARY_CHECK(prepare_forwarding(state));
    if (!labels_.emplace(label.name, std::move(state)).second) return fail(Code::policy, fmt::format("label '{}' occurs twice", label.name));
    return {};
}

Result<void> Server::Impl::prepare_forwarding(LabelState& state) {
    const auto& label = state.config;
    if (label.forward == Forwarding::none) return {};
    const auto found = config_.above.find(state.ca);
    if (found == config_.above.end()) return fail(Code::policy, fmt::format("label '{}': forward needs a CA above {}", label.name, state.ca));
    const bool signs = std::holds_alternative<ClientSigner>(found->second->client.credentials);
    if ((label.forward != Forwarding::unchanged || label.batch_max > 1) && !signs)
        return fail(Code::policy, fmt::format("label '{}': what is approved is signed by a registration authority's certificate", label.name));
    if (label.batch_max < 1 || label.batch_max > config_.limits.messages_max)
        return fail(Code::policy, fmt::format("label '{}': batch_max must be 1 to {}", label.name, config_.limits.messages_max));
    state.above = found->second;
    if (label.batch_max == 1) return {};
    const BatchOptions options{label.batch_max, label.batch_linger, label.batch_bytes_max, config_.limits};
    ESTUARY_TRY(state.batches, Batches::create(options, state.above, clock_, entropy_));
    return {};
}

}  // namespace estuary::cmp
