#include "apps/estuaryd/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

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

}  // namespace

std::string metrics_text(const Counters& counters, const net::ServerCounters& server, const Generation& generation) {
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
    std::vector<std::pair<std::string, double>> expiries;
    for (const auto& ca : generation.configuration.cas)
        if (const auto* config = generation.authority->ca(ca.name))
            expiries.emplace_back(ca.name, static_cast<double>(config->certificate.not_after().time_since_epoch().count()));
    families.gauge("estuary_ca_not_after_seconds", "When the certificate of a CA expires, in seconds since 1970.", "ca", expiries);
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
