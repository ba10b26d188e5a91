#include "apps/estuaryd/config_upstream.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "estuary/cmp/http_client.h"
#include "estuary/cmp/tcp_client.h"

namespace estuary::daemon {
namespace {

constexpr unsigned concurrent_limit = 256;
/// One waits for the CA above, and two gather.
constexpr unsigned threads_of_a_batch = 3;

FileName file_name(Table& table, std::string_view key, const std::filesystem::path& directory) {
    FileName name{{}, table.place(key)};
    const auto given = table.text(key);
    if (!given) return name;
    if (given->value.empty()) table.fault(key, "is empty");
    name.path = directory / given->value;
    return name;
}

/// Every message of a batch has a thread that waits for its answer, and while they wait others come.
void give_batches_threads(Configuration& configuration, Faults& faults) {
    std::size_t largest = 1;
    for (const auto& label : configuration.cmp.server.labels) largest = std::max(largest, label.enabled ? label.batch_max : 1);
    if (largest == 1) return;
    auto& threads = configuration.worker_threads;
    if (threads == 0) threads = std::max(std::thread::hardware_concurrency(), static_cast<unsigned>(largest) + 1);
    if (threads < threads_of_a_batch)
        faults.add(configuration.cmp.place, fmt::format("batch_max: with {} of server.worker_threads nothing is ever gathered; {} or more, or leave it out",
                                                        threads, threads_of_a_batch));
}

}  // namespace

UpstreamSection read_upstream(Table table, const std::filesystem::path& directory) {
    UpstreamSection upstream;
    upstream.present = table.present();
    upstream.place = table.place();
    table.text_into("name", upstream.name);
    table.parsed<http::Url>("url", upstream.url, [&](std::string_view text) -> Result<http::Url> {
        if (cmp::is_tcp_url(text)) {
            if (!upstream.name.empty()) return fail(Code::policy, "name: directly over TCP a server has no names; give the port of the one you mean");
            return cmp::tcp_url(text);
        }
        ESTUARY_TRY(auto url, http::Url::parse(text));
        ESTUARY_CHECK(cmp::http_target(url, upstream.name));
        return url;
    });
    upstream.certificate = file_name(table, "certificate", directory);
    upstream.key = file_name(table, "key", directory);
    upstream.trust = file_name(table, "trust", directory);
    table.text_into("profile", upstream.profile);
    table.milliseconds("timeout", upstream.timeout);
    table.number("concurrent_max", upstream.concurrent_max, 1, concurrent_limit);
    table.finish();
    if (!upstream.present) return upstream;
    if (!table.has("url")) table.fault("url", "is missing: where the CA above speaks CMP, as http://ca.example/.well-known/cmp");
    if (!upstream.certificate.given()) table.fault("certificate", "is missing: this server's own, with id-kp-cmcRA");
    if (!upstream.key.given()) table.fault("key", "is missing: that of the certificate");
    return upstream;
}

void check_upstream_references(Configuration& configuration, Faults& faults) {
    give_batches_threads(configuration, faults);
    const auto find = [&](const std::string& profile) -> const CaSection* {
        const auto one = std::ranges::find(configuration.profiles, profile, &authority::Profile::name);
        if (one == configuration.profiles.end()) return nullptr;
        const auto ca = std::ranges::find(configuration.cas, one->ca, &CaSection::name);
        return ca != configuration.cas.end() && ca->upstream.present ? &*ca : nullptr;
    };
    for (const auto& ca : configuration.cas) {
        if (!ca.upstream.present) continue;
        if (ca.crl.present) faults.add(ca.crl.place, "the CA above makes its CRLs itself");
        if (ca.ocsp.present) faults.add(ca.ocsp.place, "the CA above answers for its certificates itself");
        if (configuration.tls.ca == ca.name)
            faults.add(configuration.tls.place, fmt::format("CA {} is above this server and issues no TLS certificate for it: set ca = \"\", and "
                                                            "certificate and key", ca.name));
    }
    for (const auto& label : configuration.cmp.server.labels) {
        const auto* above = find(label.profile);
        const auto named = fmt::format("label '{}': ", label.name);
        const auto& place = configuration.cmp.place;
        if (label.forward != cmp::Forwarding::none && above == nullptr)
            faults.add(place, named + "forward is for a profile whose CA has an [upstream] section");
        if (label.recover_keys && above != nullptr) faults.add(place, named + "recover_keys: nothing of this server vouches for keys of a CA above");
        if (label.generate_keys && above != nullptr) faults.add(place, named + "generate_keys: nothing of this server vouches for keys of a CA above");
        if (cmp::needs_agreement_key(label) && above != nullptr)
            faults.add(place, named + "diffie_hellman, agreement_proof and revocation_passphrases: the CA above issues no agreement key for this server");
    }
    for (const auto& endpoint : configuration.cmc.server.endpoints)
        if (find(endpoint.profile) != nullptr)
            faults.add(configuration.cmc.place, fmt::format("label '{}': answers of CMC are signed by the CA's own, and that CA is above this server",
                                                            endpoint.label));
}

}  // namespace estuary::daemon
