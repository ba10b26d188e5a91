#pragma once
// Counters for Prometheus, as text.
#include <functional>

#include "apps/estuaryd/handler.h"
#include "apps/estuaryd/status_handler.h"
#include "estuary/authority/key_pool.h"

namespace estuary::daemon {

struct Figures {
    const Counters& counters;
    net::ServerCounters server;
    const Generation& generation;
    const StatusDesk& desk;
    store::Store& store;
    const PeerChecks& peer_checks;
    const authority::KeyPool& keys;
    Time now{};
};
/// The exposition text of what is known now.
std::string metrics_text(const Figures& figures);

/// GET /metrics on a plain listener of its own.
class MetricsHandler final : public net::Handler {
public:
    explicit MetricsHandler(std::function<std::string()> text) : text_{std::move(text)} {}
    bool is_quick(const http::Request&) const override { return true; }
    void serve(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) override;

private:
    std::function<std::string()> text_;
};

}  // namespace estuary::daemon
