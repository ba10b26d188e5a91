#include "apps/estuaryd/status_config.h"

#include <fmt/format.h>

#include "apps/estuaryd/ca_directory.h"

namespace estuary::daemon {

std::string status_base(const std::string& name, unsigned generation) {
    return generation <= 1 ? name : fmt::format("{}.{}", name, generation);
}

std::string status_base(const CaSection& section) {
    if (!section.directory.given()) return section.name;
    std::error_code error;
    const auto directory = std::filesystem::canonical(section.directory.path, error);
    return status_base(section.name, error ? 0 : generation_of(directory));
}

std::string root_base(const x509::Certificate& root) {
    // Only a key that cannot be read has no identifier, and such a root verifies nothing.
    return fmt::format("{}{}", root_base_prefix, authority::root_key_text(root).value_or("none"));
}

std::string crl_file_name(std::string_view base, unsigned shard, bool delta) {
    return fmt::format("{}-{}{}.crl", base, shard, delta ? "-delta" : "");
}

std::string crl_uri(const StatusSection& status, std::string_view file_name) {
    return status.url.empty() ? std::string{} : fmt::format("{}/crl/{}", status.url, file_name);
}

std::string ocsp_uri(const StatusSection& status) { return status.url.empty() ? std::string{} : status.url + "/ocsp"; }

void point_to_root(const std::string& url, authority::CaPlan& plan) {
    if (url.empty()) return;
    plan.root_crl_uris = {fmt::format("{}/crl/{}", url, crl_file_name(fmt::format("{}{{key}}", root_base_prefix), 0, false))};
    plan.root_certificate_uris = {fmt::format("{}/ca/{}{{key}}.cer", url, root_base_prefix)};
}

authority::StatusConfig status_config(const Configuration& configuration, const CaSection& section, std::string_view base) {
    authority::StatusConfig config;
    const auto& status = configuration.status;
    if (!status.present || section.upstream.present) return config;
    config.publisher = base;
    config.crl_shards = section.crl.shards;
    config.crl_validity = section.crl.validity;
    config.deltas = section.crl.deltas;
    config.delta_validity = section.crl.delta_validity;
    if (status.url.empty()) return config;
    config.crl_uris = {fmt::format("{}/crl/{}-{{shard}}.crl", status.url, base)};
    if (config.deltas) config.delta_uris = {fmt::format("{}/crl/{}-{{shard}}-delta.crl", status.url, base)};
    if (section.ocsp.enabled) config.ocsp_uris = {ocsp_uri(status)};
    config.ca_issuer_uris = {fmt::format("{}/ca/{}.cer", status.url, base)};
    return config;
}

bool answers_ocsp(const Configuration& configuration, const CaSection& section) {
    return configuration.status.present && section.ocsp.enabled && !section.upstream.present;
}

}  // namespace estuary::daemon
