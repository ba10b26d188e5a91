#include "apps/estuaryd/config_ca_profile.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "estuary/x509/name_constraints.h"

namespace estuary::daemon {
namespace {

constexpr std::int64_t path_length_limit = 16;

void read_name_constraints(Table table, authority::CaRules& rules) {
    if (!table.present()) return;
    auto& constraints = rules.name_constraints.emplace();
    table.parsed_list<x509::GeneralName>("permitted", constraints.permitted, x509::name_subtree_from_text);
    table.parsed_list<x509::GeneralName>("excluded", constraints.excluded, x509::name_subtree_from_text);
    table.finish();
    if (constraints.permitted.empty() && constraints.excluded.empty())
        table.faults().add(table.place(), "constrains nothing: say what is permitted or excluded, as permitted = [\"dns:example.com\"]");
}

/// A person would believe that these say something.
void check_pointless(const Table& table) {
    constexpr std::array end_entities_only{"key_usage",        "ext_key_usage",       "pass_extensions",     "server_key_types",
                                           "archive_keys",     "may_change_names",    "renew_after_expiry",  "renew_before_expiry"};
    for (const auto* key : end_entities_only)
        if (table.has(key)) table.fault(key, "is for end entities; a CA's certificate has keyCertSign and cRLSign, and is not renewed by itself");
}

const authority::Profile* find_profile(const Configuration& configuration, std::string_view name) {
    const auto found = std::ranges::find(configuration.profiles, name, &authority::Profile::name);
    return found == configuration.profiles.end() ? nullptr : &*found;
}

Place below(Place place, std::string_view key) {
    place.key += fmt::format(".{}", key);
    return place;
}

void check_cmp_label(const cmp::Label& label, const Configuration& configuration, Faults& faults) {
    const auto found = configuration.cmp.label_places.find(label.name);
    const auto place = found == configuration.cmp.label_places.end() ? configuration.cmp.place : found->second;
    const auto check = [&](std::string_view key, const std::string& name) {
        const auto* profile = find_profile(configuration, name);
        if (profile != nullptr && profile->ca_certificate) faults.add(below(place, key), for_cas_only(name));
    };
    check("profile", label.profile);
    for (const auto& name : label.more_profiles) check("more_profiles", name);
    if (label.cross_certification.empty()) return;
    const auto* cross = find_profile(configuration, label.cross_certification);
    if (cross != nullptr && !cross->ca_certificate)
        faults.add(below(place, "cross_certification"), fmt::format("[profile.{}] is for end entities: it lacks ca_certificate = true", cross->name));
}

}  // namespace

std::string for_cas_only(std::string_view profile) {
    return fmt::format("[profile.{}] is for CAs (ca_certificate): only cross_certification of a [cmp.label.NAME] names it", profile);
}

void read_ca_certificate(Table& table, authority::Profile& profile) {
    bool for_ca = false;
    table.boolean("ca_certificate", for_ca);
    authority::CaRules rules;
    table.number("path_length", rules.path_length, 0, path_length_limit);
    read_name_constraints(table.table("name_constraints"), rules);
    if (!for_ca) {
        for (const auto* key : {"path_length", "name_constraints"})
            if (table.has(key)) table.fault(key, "is for CAs: it goes with ca_certificate = true");
        return;
    }
    profile.ca_certificate = std::move(rules);
    check_pointless(table);
    if (!profile.manual_approval) table.fault("manual_approval", "must be true: a CA is certified by a person's decision only");
    if (profile.subject.may_be_empty) table.fault("subject.may_be_empty", "is true, but a CA has a name");
    if (!profile.subject.fixed.empty()) table.fault("subject.fixed", "cannot be put into the name of a CA: it is certified as it is, or of no use");
}

void check_ca_profiles(const Configuration& configuration, Faults& faults) {
    for (const auto& label : configuration.cmp.server.labels) check_cmp_label(label, configuration, faults);
    for (const auto& endpoint : configuration.cmc.server.endpoints) {
        const auto* profile = find_profile(configuration, endpoint.profile);
        const auto found = configuration.cmc.label_places.find(endpoint.label);
        const auto place = found == configuration.cmc.label_places.end() ? configuration.cmc.place : found->second;
        if (profile != nullptr && profile->ca_certificate) faults.add(below(place, "profile"), for_cas_only(profile->name));
    }
}

}  // namespace estuary::daemon
