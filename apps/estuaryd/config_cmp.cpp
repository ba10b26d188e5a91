#include "apps/estuaryd/config_cmp.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/cmp_signer.h"
#include "apps/estuaryd/requests.h"

namespace estuary::daemon {
namespace {

constexpr std::uint64_t mac_iterations_limit = 10'000'000;
constexpr std::size_t cert_req_messages_limit = 64;
constexpr unsigned costly_macs_limit = 256;
constexpr std::int64_t batch_limit = cmp::Limits{}.messages_max;
constexpr std::int64_t batch_linger_limit = 1000;

/// enroll = ["secret", "certificate", "registration authority", "manufacturer:NAME"]
void read_enroll(Table& table, cmp::Label& label) {
    for (const auto& given : table.texts("enroll")) {
        if (given.value == "secret") {
            label.shared_secret = true;
        } else if (given.value == "certificate") {
            label.certificate_of_ours = true;
        } else if (given.value == "registration authority") {
            label.registration_authority = true;
        } else if (given.value.starts_with(manufacturer_prefix)) {
            label.manufacturers.push_back(given.value.substr(manufacturer_prefix.size()));
        } else {
            table.faults().add(given.place, fmt::format("'{}' is not one of: secret, certificate, registration authority, "
                                                        "manufacturer:NAME", given.value));
        }
    }
}

void check_profile(const Table& table, std::string_view key, const std::string& name, const std::map<std::string, Place>& profiles) {
    if (!profiles.contains(name)) table.fault(key, fmt::format("there is no [profile.{}]", name));
}

void read_batches(Table& table, cmp::Label& label) {
    table.number("batch_max", label.batch_max, 1, batch_limit);
    std::int64_t linger = label.batch_linger.count();
    table.number("batch_linger_ms", linger, 0, batch_linger_limit);
    label.batch_linger = std::chrono::milliseconds{linger};
    table.number("batch_bytes_max", label.batch_bytes_max, 16 << 10, 1 << 20);
    if (label.batch_max > 1 && label.forward == cmp::Forwarding::none) table.fault("batch_max", "is for a label with forward");
}

cmp::Label read_label(const std::string& name, Table& table, const std::map<std::string, Place>& profiles) {
    cmp::Label label;
    label.name = name == "default" ? "" : name;
    table.text_into("path", label.name);
    if (label.name.find_first_not_of(unreserved) != std::string::npos || label.name == "." || label.name == "..")
        table.fault("path", fmt::format("'{}' is not one segment of letters, digits and - . _ ~", label.name));
    table.boolean("enabled", label.enabled);
    table.text_into("profile", label.profile);
    if (!table.has("profile")) table.fault("profile", "is missing: say which profile this label enrolls by");
    else check_profile(table, "profile", label.profile, profiles);
    table.texts_into("more_profiles", label.more_profiles);
    for (const auto& more : label.more_profiles) check_profile(table, "more_profiles", more, profiles);
    read_enroll(table, label);
    table.text_into("cross_certification", label.cross_certification);
    if (!label.cross_certification.empty()) check_profile(table, "cross_certification", label.cross_certification, profiles);
    table.boolean("update", label.update);
    table.boolean("revoke", label.revoke);
    table.boolean("implicit_confirm", label.implicit_confirm);
    table.duration("confirm_wait", label.confirm_wait);
    table.boolean("ca_pubs", label.ca_pubs);
    table.boolean("generate_keys", label.generate_keys);
    table.boolean("recover_keys", label.recover_keys);
    table.boolean("unprotected_information", label.unprotected_information);
    table.boolean("kem_protection", label.kem_protection);
    table.boolean("diffie_hellman", label.diffie_hellman);
    table.boolean("agreement_proof", label.agreement_proof);
    table.boolean("revocation_passphrases", label.revocation_passphrases);
    table.duration("passphrase_lifetime", label.passphrase_lifetime);
    if (label.revocation_passphrases && !label.revoke) table.fault("revocation_passphrases", "is for a label with revoke");
    table.boolean("manual_approval_of_revocation", label.approve_revocations);
    table.number("requests_max", label.requests_max, 1, cert_req_messages_limit);
    using cmp::Forwarding;
    table.choice<Forwarding>("forward", label.forward, {{"no", Forwarding::none}, {"unchanged", Forwarding::unchanged},
                                                        {"nested", Forwarding::nested}, {"replaced", Forwarding::replaced}});
    table.boolean("original", label.original);
    if (table.has("original") && label.forward != Forwarding::replaced) table.fault("original", "goes with forward = \"replaced\"");
    read_batches(table, label);
    table.finish();
    return label;
}

Result<std::string> agreement_key_type(std::string_view text) {
    ESTUARY_TRY(const auto* type, crypto::key_type(text));
    if (type->kind != crypto::KeyKind::ec && type->name != "x25519" && type->name != "x448")
        return fail(Code::malformed, fmt::format("'{}' is not one of: p256, p384, p521, x25519, x448", text));
    return type->name;
}

bool is_served(const std::vector<cmp::Label>& labels, std::string_view name) {
    return std::ranges::any_of(labels, [&](const cmp::Label& label) { return label.name == name && label.enabled; });
}

Result<CmpTcpListen> tcp_listen(std::string_view text) {
    const auto equals = text.find('=');
    ESTUARY_TRY(auto listen, parse_listen(text.substr(0, equals)));
    return CmpTcpListen{std::move(listen), equals == std::string_view::npos ? std::string{} : std::string{text.substr(equals + 1)}};
}

/// "/pkix/" for the default label, "/cmp=devices" for another.
void check_legacy_path(const Table& table, const std::string& text, const std::vector<cmp::Label>& labels) {
    const auto equals = text.find('=');
    const auto path = text.substr(0, equals);
    if (!path.starts_with('/') || path.size() < 2 || path.starts_with("/.well-known/"))
        table.fault("legacy_paths", fmt::format("'{}' does not begin with a path of your own, as /pkix/", text));
    const auto name = equals == std::string::npos ? std::string{} : text.substr(equals + 1);
    if (!is_served(labels, name)) table.fault("legacy_paths", fmt::format("'{}': there is no enabled label with the path '{}'", text, name));
}

}  // namespace

CmpSection read_cmp(Table table, const std::map<std::string, Place>& profiles) {
    CmpSection cmp;
    cmp.present = table.present();
    cmp.place = table.place();
    table.parsed_list<net::Listen>("listen", cmp.listen, parse_listen);
    table.boolean("https", cmp.https);
    table.parsed_list<CmpTcpListen>("tcp_listen", cmp.tcp_listen, tcp_listen);
    table.texts_into("legacy_paths", cmp.http.legacy_paths);
    table.choice("signer", cmp.signs_with_ca_key, {{"own", false}, {"ca", true}});
    table.parsed<std::string>("key_type", cmp.key_type, signing_key_type);
    table.parsed<std::string>("agreement_key_type", cmp.agreement_key_type, agreement_key_type);
    table.duration("message_time_window", cmp.server.message_time_window, true);
    table.boolean("strict_names", cmp.server.strict_names);
    table.number("mac_iterations_max", cmp.server.mac_iterations_max, 100, mac_iterations_limit);
    table.number("costly_macs_max", cmp.server.costly_macs_max, 1, costly_macs_limit);
    table.duration("transaction_lifetime", cmp.server.transaction_lifetime);
    for (auto& [name, label] : table.tables("label")) {
        cmp.label_places[name == "default" ? "" : name] = label.place();
        cmp.server.labels.push_back(read_label(name, label, profiles));
        const auto& made = cmp.server.labels.back();
        const auto same = std::ranges::count(cmp.server.labels, made.name, &cmp::Label::name);
        if (same > 1) label.fault("path", fmt::format("'{}' is another label's path too", made.name));
    }
    table.finish();
    for (const auto& path : cmp.http.legacy_paths) check_legacy_path(table, path, cmp.server.labels);
    for (const auto& each : cmp.tcp_listen)
        if (!is_served(cmp.server.labels, each.label))
            table.fault("tcp_listen", fmt::format("'{}': there is no enabled label with the path '{}'; put =PATH behind the port", to_string(each.listen), each.label));
    if (cmp.present && cmp.listen.empty() && !cmp.https && cmp.tcp_listen.empty())
        table.fault("listen", "is missing: say where CMP is spoken over plain HTTP, or https = true for the main listener");
    if (cmp.present && cmp.server.labels.empty())
        table.fault("label", "is missing: CMP needs a label, as [cmp.label.default] with a profile");
    return cmp;
}

void check_cmp_references(const Configuration& configuration, Faults& faults) {
    for (const auto& label : configuration.cmp.server.labels) {
        for (const auto& name : label.manufacturers) {
            const auto known = std::ranges::any_of(configuration.manufacturers, [&](const auto& one) { return one.name == name; });
            if (!known) faults.add(configuration.cmp.place, fmt::format("enroll of label '{}': there is no [manufacturer.{}]", label.name, name));
        }
    }
    for (const auto& profile : configuration.profiles)
        if (profile.name.starts_with(cmp_profile_prefix) || profile.name.starts_with(key_generator_profile_prefix) ||
            profile.name.starts_with(agreement_profile_prefix))
            faults.add(configuration.profile_places.at(profile.name), "is the name of estuaryd's own profile; choose another");
}

}  // namespace estuary::daemon
