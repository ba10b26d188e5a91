#include "apps/estuaryd/metrics.h"

#include <algorithm>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "apps/estuaryd/status_config.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
public:
    void counter(std::string name, std::string help, std::uint64_t value) {
        counters(std::move(name), std::move(help), "", {{"", value}});
    }
    void counters(std::string name, std::string help, const std::string& label,
                  const std::vector<std::pair<std::string, std::uint64_t>>& values) {
        auto& family = add(std::move(name), std::move(help), MetricType::Counter);
        for (const auto& [name_of_value, value] : values) {
            ClientMetric metric;
            if (!label.empty()) metric.label.push_back({label, name_of_value});
            metric.counter.value = static_cast<double>(value);
            family.metric.push_back(std::move(metric));
        }
    }
    void gauge(std::string name, std::string help, const std::string& label,
               const std::vector<std::pair<std::string, double>>& values) {
        auto& family = add(std::move(name), std::move(help), MetricType::Gauge);
        for (const auto& [name_of_value, value] : values) {
            ClientMetric metric;
            if (!label.empty()) metric.label.push_back({label, name_of_value});
            metric.gauge.value = value;
            family.metric.push_back(std::move(metric));
        }
    }
    std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

private:
    MetricFamily& add(std::string name, std::string help, MetricType type) {
        families_.push_back({std::move(name), std::move(help), type, {}});
        return families_.back();
    }
    std::vector<MetricFamily> families_;
};

using Gauges = std::vector<std::pair<std::string, double>>;

double seconds_of(Time time) { return static_cast<double>(time.time_since_epoch().count()); }

void add_expiries(Families& families, const Figures& figures) {
    const auto& generation = figures.generation;
    Gauges cas, tls;
    for (const auto& ca : generation.configuration.cas)
        if (const auto* config = generation.authority->ca(ca.name)) cas.emplace_back(ca.name, seconds_of(config->certificate.not_after()));
    families.gauge("estuary_ca_not_after_seconds", "When the certificate of a CA expires, in seconds since 1970.", "ca", cas);
    const auto content = file::read(generation.configuration.tls.certificate.path);
    const auto chain = content ? x509::parse_certificates(*content) : Result<std::vector<x509::Certificate>>{};
    if (chain && !chain->empty()) tls.emplace_back("", seconds_of(chain->front().not_after()));
    families.gauge("estuary_tls_not_after_seconds", "When the server's TLS certificate expires, in seconds since 1970.", "", tls);
}

void add_ocsp(Families& families, const StatusCounters& counters, StatusService& service) {
    constexpr std::array names{"successful", "malformedRequest", "internalError", "tryLater", "refused by HTTP", "sigRequired", "unauthorized"};
    std::vector<std::pair<std::string, std::uint64_t>> answers;
    for (std::size_t i = 0; i < names.size(); ++i) answers.emplace_back(names[i], counters.ocsp_by_status[i]);
    families.counters("estuary_ocsp_responses_total", "OCSP responses by status.", "status", answers);
    families.counter("estuary_ocsp_ready_total", "OCSP responses that needed no signature.", counters.ocsp_ready);
    families.gauge("estuary_ocsp_presigned", "OCSP answers kept in memory.", "", {{"", static_cast<double>(service.presigned_count())}});
    Gauges signers;
    for (const auto& signer : service.signers()) signers.emplace_back(signer.base, seconds_of(signer.not_after));
    families.gauge("estuary_ocsp_signer_not_after_seconds", "When the certificate of an OCSP signer expires, in seconds since 1970.", "ca", signers);
}

/// Whether lists under that name are still made: those of a CA that has ended stay on record.
bool publishes(const StatusService& service, std::string_view base) {
    return base.starts_with(root_base_prefix) || std::ranges::count(service.issuers(), base, &StatusIssuer::base) != 0;
}

/// Lists as "CA/SHARD" and "CA/SHARD delta".
void add_crls(Families& families, const StatusCounters& counters, const StatusService& service, store::Store& store, Time now) {
    families.counter("estuary_crl_responses_total", "CRLs sent.", counters.crls);
    families.counter("estuary_crl_not_modified_total", "Requests for CRLs that were not modified.", counters.crls_not_modified);
    const auto records = store.crls();
    if (!records) return;
    Gauges numbers, entries, left;
    for (const auto& record : *records) {
        if (!publishes(service, record.ca)) continue;
        const auto name = record.ca + "/" + std::to_string(record.shard) + (record.delta ? " delta" : "");
        numbers.emplace_back(name, static_cast<double>(record.number));
        entries.emplace_back(name, static_cast<double>(record.entries));
        left.emplace_back(name, static_cast<double>((record.next_update - now).count()));
    }
    families.gauge("estuary_crl_number", "Number of the newest CRL.", "crl", numbers);
    families.gauge("estuary_crl_entries", "Entries of the newest CRL.", "crl", entries);
    families.gauge("estuary_crl_seconds_to_next_update", "Time to the nextUpdate of the newest CRL; negative: it is void.", "crl", left);
}

void add_peer_checks(Families& families, const PeerChecks& checks) {
    const auto& counters = checks.counters();
    families.counters("estuary_peer_status_checks_total", "Checks of manufacturers' certificates by their own CAs' OCSP and CRLs.", "status",
                      {{"good", counters.good}, {"revoked", counters.revoked}, {"unknown", counters.unknown}, {"turned away", counters.turned_away}});
    families.gauge("estuary_peer_status_waiting", "Requests that wait for such a check.", "", {{"", static_cast<double>(checks.waiting())}});
}

void add_keys(Families& families, const authority::KeyPool& keys) {
    Gauges ready, wanted;
    for (const auto& level : keys.levels()) {
        ready.emplace_back(level.type, static_cast<double>(level.ready));
        wanted.emplace_back(level.type, static_cast<double>(level.wanted));
    }
    families.gauge("estuary_keys_ready", "Private keys for others that were made in advance.", "type", ready);
    families.gauge("estuary_keys_wanted", "So many of them are to be ready.", "type", wanted);
}

void add_status(Families& families, const Figures& figures) {
    const auto current = figures.desk.current();
    add_ocsp(families, figures.desk.counters, *current.service);
    add_crls(families, figures.desk.counters, *current.service, figures.store, figures.now);
}

}  // namespace

std::string metrics_text(const Figures& figures) {
    const auto& counters = figures.counters;
    const auto& server = figures.server;
    Families families;
    families.counter("estuary_certificates_issued_total", "Certificates issued and recorded.", counters.issued);
    families.counter("estuary_requests_pending_total", "Requests taken for approval by a person.", counters.pending);
    families.counter("estuary_requests_refused_total", "Requests refused.", counters.refused);
    families.counter("estuary_requests_not_stored_total", "Requests whose record could not be stored.", counters.not_stored);
    families.counter("estuary_faults_total", "Requests that ended in a fault of the server.", counters.faults);
    std::vector<std::pair<std::string, std::uint64_t>> classes;
    for (unsigned i = 2; i < counters.by_status_class.size(); ++i)
        classes.emplace_back(std::to_string(i) + "xx", counters.by_status_class[i]);
    families.counters("estuary_responses_total", "Responses by class of status.", "status", classes);
    families.counter("estuary_connections_accepted_total", "Connections accepted.", server.connections_accepted);
    families.gauge("estuary_connections_open", "Connections open now.", "", {{"", static_cast<double>(server.connections_open)}});
    families.counter("estuary_handshakes_failed_total", "TLS handshakes that failed.", server.handshakes_failed);
    families.counter("estuary_timeouts_total", "Connections cut off for being slow.", server.timeouts);
    families.counter("estuary_refused_busy_total", "Requests refused because queues were full.", server.refused_busy);
    add_expiries(families, figures);
    add_peer_checks(families, figures.peer_checks);
    add_keys(families, figures.keys);
    if (figures.generation.configuration.status.present) add_status(families, figures);
    return families.text();
}

void MetricsHandler::serve(http::Request request, std::shared_ptr<const http::Peer>, net::ResponderPtr responder) {
    if (request.target != "/metrics" && request.target != "/") return responder->respond(http::text_response(404, "Try /metrics."));
    http::Response response;
    response.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.body = text_();
    responder->respond(std::move(response));
}

}  // namespace estuary::daemon
