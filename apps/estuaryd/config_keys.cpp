#include "apps/estuaryd/config_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/crypto/algorithms.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t ready_usual = 4;
constexpr std::string_view operator_prefix = "operator:";

/// An account of this machine, as the audit trail names it.
Result<std::string> operator_of(std::string_view text) {
    if (text.empty() || text.find_first_of(": \t\\") != std::string_view::npos)
        return fail(Code::malformed, fmt::format("'{}' is not the name of an account", text));
    return std::string{operator_prefix} + std::string{text};
}

void read_online_agent(Table& table, KeysSection& keys, const std::filesystem::path& directory) {
    keys.online_agent.place = table.place("online_agent_certificate");
    keys.online_agent_key_place = table.place("online_agent_key");
    table.text_into("online_agent_key", keys.online_agent_key);
    if (!keys.online_agent_key.empty() && !keys.online_agent_key.starts_with("pkcs11:")) keys.online_agent_key = directory / keys.online_agent_key;
    if (const auto given = table.text("online_agent_certificate")) {
        if (given->value.empty()) table.fault("online_agent_certificate", "is empty");
        keys.online_agent.path = directory / given->value;
    }
    if (keys.online_agent.given() && keys.online_agent_key.empty()) table.fault("online_agent_key", "is missing: a file, or a pkcs11: URI");
    if (!keys.online_agent.given() && !keys.online_agent_key.empty())
        table.fault("online_agent_certificate", "is missing: a PEM file with the agent's certificate");
}

void read_recovery(Table table, KeysSection& keys, const std::filesystem::path& directory) {
    auto& rules = keys.recovery;
    keys.recovery_place = table.place();
    keys.recovery_agents.place = table.place("agents");
    if (const auto given = table.text("agents")) {
        if (given->value.empty()) table.fault("agents", "is empty");
        keys.recovery_agents.path = directory / given->value;
    }
    read_online_agent(table, keys, directory);
    table.number("approvals", rules.approvals, 1, 16);
    table.parsed_list<std::string>("operators", rules.operators, operator_of);
    std::ranges::sort(rules.operators);
    if (std::ranges::adjacent_find(rules.operators) != rules.operators.end()) table.fault("operators", "names somebody twice");
    table.duration("expires", rules.expires);
    if (table.present() && !keys.recovery_agents.given()) table.fault("agents", "is missing: a PEM file with the agents' certificates");
    if (table.present() && rules.operators.size() < rules.approvals)
        table.fault("operators", fmt::format("has {} names, and {} approvals are needed: nobody could recover a key", rules.operators.size(), rules.approvals));
    table.finish();
}

const authority::Profile* profile_of(const Configuration& configuration, const std::string& name) {
    const auto found = std::ranges::find(configuration.profiles, name, &authority::Profile::name);
    return found == configuration.profiles.end() ? nullptr : &*found;
}

const std::vector<std::string>& made_by(const authority::Profile& profile) {
    return profile.generated_key_types.empty() ? profile.key_types : profile.generated_key_types;
}

}  // namespace

KeysSection read_keys(Table table, const std::filesystem::path& directory) {
    KeysSection keys;
    keys.place = table.place();
    table.number("threads", keys.pool.threads, 0, 64);
    table.number("direct_max", keys.pool.direct_max, 0, 64);
    auto ready = table.table("ready");
    keys.ready_given = ready.present();
    for (const auto& type : crypto::key_types()) {
        if (!ready.has(type.name)) continue;
        std::size_t count = 0;
        ready.number(type.name, count, 0, 10'000);
        if (type.kind != crypto::KeyKind::rsa && type.kind != crypto::KeyKind::slh_dsa)
            ready.fault(type.name, "is made in no time when it is asked for: only RSA and SLH-DSA keys are kept ready");
        keys.pool.ready[type.name] = count;
    }
    ready.finish();
    read_recovery(table.table("recovery"), keys, directory);
    table.finish();
    return keys;
}

bool makes_keys(const Configuration& configuration, std::string_view ca) {
    return std::ranges::any_of(configuration.est.labels, [&](const est::Label& label) {
        const auto* profile = profile_of(configuration, label.profile);
        return label.enabled && label.serverkeygen.anything() && profile != nullptr && profile->ca == ca;
    });
}

void join_keys(Configuration& configuration, Faults& faults) {
    for (const auto& profile : configuration.profiles) {
        if (!profile.archive_keys || configuration.keys.recovery_agents.given()) continue;
        auto place = configuration.profile_places.at(profile.name);
        place.key += ".archive_keys";
        faults.add(place, "is true, but there is no [keys.recovery]: name the agents who can open what is archived");
    }
    for (const auto& label : configuration.est.labels) {
        const auto* profile = profile_of(configuration, label.profile);
        if (profile == nullptr || !label.serverkeygen.anything() || configuration.keys.ready_given) continue;
        for (const auto& type : made_by(*profile))
            if (type.starts_with("rsa") && crypto::key_type(type)) configuration.keys.pool.ready.emplace(type, ready_usual);
    }
}

}  // namespace estuary::daemon
