#include "apps/estuaryd/config_cmc.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/cmc_service.h"
#include "apps/estuaryd/requests.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t message_bytes_limit = 64u << 20, controlled_requests_limit = 65'536;

/// accept = ["certificate", "registration authority", "secret", "transport", "manufacturer:NAME"]
void read_accept(Table& table, cmc::Endpoint& endpoint) {
    for (const auto& given : table.texts("accept")) {
        if (given.value == "certificate") {
            endpoint.certificate = true;
        } else if (given.value == "registration authority") {
            endpoint.registration_authority = true;
        } else if (given.value == "secret") {
            endpoint.shared_secret = true;
        } else if (given.value == "transport") {
            endpoint.transport = true;
        } else if (given.value.starts_with(manufacturer_prefix)) {
            endpoint.manufacturers.push_back(given.value.substr(manufacturer_prefix.size()));
        } else {
            table.faults().add(given.place,
                               fmt::format("'{}' is not one of: certificate, registration authority, secret, transport, "
                                           "manufacturer:NAME",
                                           given.value));
        }
    }
}

/// The path under which RFC 5273 is spoken; none: only EST's /fullcmc.
void read_path(Table& table, const std::string& label, CmcSection& cmc) {
    std::string path;
    table.text_into("path", path);
    if (path.empty()) return;
    const auto allowed = std::string{unreserved} + "/";
    if (!path.starts_with('/') || path.size() < 2 || path.ends_with('/') || path.starts_with("/.well-known/") ||
        path == "/healthz" || path.find_first_not_of(allowed) != std::string::npos)
        return table.fault("path", fmt::format("'{}' is not a path of your own, as /cmc", path));
    if (std::ranges::any_of(cmc.paths, [&](const cmc::HttpPath& other) { return other.path == path; }))
        return table.fault("path", fmt::format("'{}' is another label's path too", path));
    cmc.paths.push_back({path, label});
}

/// Present means that it counts: "10m".
void read_optional(Table& table, std::string_view key, std::optional<Seconds>& into) {
    if (!table.has(key)) return;
    Seconds value{};
    table.duration(key, value);
    into = value;
}

cmc::Endpoint read_label(const std::string& name, Table& table, const std::map<std::string, Place>& profiles, CmcSection& cmc) {
    cmc::Endpoint endpoint;
    endpoint.label = name == "default" ? "" : name;
    if (endpoint.label.find_first_not_of(unreserved) != std::string::npos)
        table.fault("", "the label's name is not one segment of letters, digits and - . _ ~");
    table.text_into("profile", endpoint.profile);
    if (!table.has("profile")) {
        table.fault("profile", "is missing: say which profile this label enrolls by");
    } else if (!profiles.contains(endpoint.profile)) {
        table.fault("profile", fmt::format("there is no [profile.{}]", endpoint.profile));
    }
    table.boolean("enabled", endpoint.enabled);
    read_accept(table, endpoint);
    for (const auto& label : table.texts("ra_labels")) endpoint.ra_labels.push_back(label.value == "default" ? "" : label.value);
    read_path(table, endpoint.label, cmc);
    bool fullcmc = false;
    table.boolean("fullcmc", fullcmc);
    if (fullcmc) cmc.fullcmc.emplace(endpoint.label, table.place("fullcmc"));
    table.boolean("pop_link_required", endpoint.pop_link_required);
    table.boolean("ra_may_prove_possession", endpoint.ra_may_prove_possession);
    table.boolean("challenge_possession", endpoint.challenge_possession);
    table.boolean("revocation_by_secret", endpoint.revocation_by_secret);
    table.boolean("key_reuse", endpoint.key_reuse);
    table.boolean("publish_trust_anchors", endpoint.publish_trust_anchors);
    table.boolean("sha1_witnesses", endpoint.witnesses.sha1);
    read_optional(table, "confirm_within", endpoint.confirm_within);
    read_optional(table, "signing_time_tolerance", endpoint.signing_time_tolerance);
    table.finish();
    return endpoint;
}

}  // namespace

CmcSection read_cmc(Table table, const std::map<std::string, Place>& profiles) {
    CmcSection cmc;
    cmc.present = table.present();
    cmc.place = table.place();
    table.parsed<std::string>("key_type", cmc.key_type, signing_key_type);
    table.duration("transaction_lifetime", cmc.server.transaction_lifetime);
    table.duration("challenge_lifetime", cmc.server.challenge_lifetime);
    table.number("message_bytes_max", cmc.server.limits.bytes_max, 4096, static_cast<std::int64_t>(message_bytes_limit));
    table.number("requests_max", cmc.server.limits.requests_max, 1, static_cast<std::int64_t>(controlled_requests_limit));
    cmc.server.limits.contents_max = cmc.server.limits.requests_max;
    table.number("nesting_max", cmc.server.limits.nesting_max, 1, 8);
    for (auto& [name, label] : table.tables("label")) {
        cmc.label_places[name == "default" ? "" : name] = label.place();
        cmc.server.endpoints.push_back(read_label(name, label, profiles, cmc));
    }
    table.finish();
    if (cmc.present && cmc.server.endpoints.empty())
        table.fault("label", "is missing: CMC needs a label, as [cmc.label.default] with a profile");
    return cmc;
}

void join_cmc(Configuration& configuration, Faults& faults) {
    for (const auto& endpoint : configuration.cmc.server.endpoints) {
        const auto& place = configuration.cmc.label_places.at(endpoint.label);
        for (const auto& name : endpoint.manufacturers)
            if (std::ranges::none_of(configuration.manufacturers, [&](const auto& one) { return one.name == name; }))
                faults.add(place, fmt::format("accept: there is no [manufacturer.{}]", name));
    }
    for (const auto& path : configuration.cmc.paths) {
        const auto endpoint = std::ranges::find(configuration.cmc.server.endpoints, path.label, &cmc::Endpoint::label);
        if (endpoint != configuration.cmc.server.endpoints.end() && !endpoint->enabled)
            faults.add(configuration.cmc.label_places.at(path.label), "has a path, but is not enabled");
    }
    for (const auto& [label, place] : configuration.cmc.fullcmc) {
        const auto found = std::ranges::find(configuration.est.labels, label, &est::Label::name);
        if (found == configuration.est.labels.end()) {
            faults.add(place, fmt::format("there is no label of EST with the path '{}' to offer it under", label));
        } else {
            found->fullcmc = true;
        }
    }
    for (const auto& profile : configuration.profiles)
        if (profile.name.starts_with(cmc_profile_prefix))
            faults.add(configuration.profile_places.at(profile.name), "is the name of estuaryd's own profile; choose another");
}

}  // namespace estuary::daemon
