#pragma once
// Between net and est: each request goes to the river, and its answer leaves when the store has it.
#include <array>
#include <atomic>
#include <mutex>

#include "apps/estuaryd/config.h"
#include "estuary/authority/authority.h"

namespace estuary::daemon {

/// A former generation of a CA whose certificates have not all expired: it signs nothing but their status.
struct FormerGeneration {
    std::string ca, base;  ///< its name in the store, and in files and URIs
    std::unique_ptr<authority::Authority> authority;
};

/// Everything that one configuration made; a reload replaces it whole, requests under way keep theirs.
struct Generation {
    Configuration configuration;
    std::unique_ptr<authority::Authority> authority;
    std::unique_ptr<est::Server> est;
    std::vector<FormerGeneration> former;
};

/// What was done since the start.
struct Counters {
    std::atomic<std::uint64_t> issued{0}, pending{0}, refused{0}, not_stored{0}, faults{0};
    std::array<std::atomic<std::uint64_t>, 6> by_status_class{};  ///< [2]: 2xx …
};

class Gateway final : public net::Handler {
public:
    Gateway(store::Store& store, Counters& counters) : store_{store}, counters_{counters} {}

    void replace(std::shared_ptr<const Generation> generation);
    std::shared_ptr<const Generation> current() const;

    bool is_quick(const http::Request& request) const override;
    void serve(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) override;

private:
    struct Exchange;
    void serve_est(std::shared_ptr<const Generation> generation, const http::Request& request, const http::Peer& peer,
                   const net::ResponderPtr& responder);
    void committed(const Exchange& exchange, const Result<void>& stored) noexcept;
    void answer(const net::ResponderPtr& responder, http::Response response);
    http::Response serve_other(const http::Request& request);
    http::Response fault(const std::exception& error);

    store::Store& store_;
    Counters& counters_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Generation> generation_;
};

}  // namespace estuary::daemon
