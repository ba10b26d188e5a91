#pragma once
// Between net and est: each request goes to the river, and its answer leaves when the store has it.
#include <array>
#include <atomic>
#include <mutex>

#include "apps/estuaryd/config.h"
#include "apps/estuaryd/peer_checks.h"
#include "estuary/authority/authority.h"

namespace estuary::daemon {

/// A former generation of a CA whose certificates have not all expired: it signs nothing but their status.
struct FormerGeneration {
    std::string ca, base;  ///< its name in the store, and in files and URIs
    std::unique_ptr<authority::Authority> authority;
};

struct CmcService;

/// Everything that one configuration made; a reload replaces it whole, requests under way keep theirs.
struct Generation {
    Configuration configuration;
    std::unique_ptr<authority::Authority> authority;
    std::unique_ptr<authority::Packages> packages;  ///< null: the store keeps none
    std::shared_ptr<CmcService> cmc;                ///< null: there is no [cmc]
    std::unique_ptr<est::Server> est;               ///< asks it for /fullcmc
    std::vector<FormerGeneration> former;
    std::map<std::string, std::shared_ptr<const cmp::Above>, std::less<>> above;  ///< CAs that are another's
    std::optional<Time> key_generators_due;         ///< when who signs for keys that are made here has to be renewed
};

class CmpService;

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
    /// Null: CMP is not spoken.
    void replace_cmp(std::shared_ptr<CmpService> service);
    std::shared_ptr<CmpService> current_cmp() const;

    bool is_quick(const http::Request& request) const override;
    void serve(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) override;
    /// For the listener of CMP: nothing else is there.
    void serve_cmp_only(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder);

private:
    struct Exchange;
    enum class Where : std::uint8_t { main, cmp };
    using PeerPtr = std::shared_ptr<const http::Peer>;
    /// `watch` is null for a request that has waited already.
    void serve_now(http::Request& request, const PeerPtr& peer, const net::ResponderPtr& responder, const PeerChecks::Watch* watch,
                   Where where);
    void serve_est(std::shared_ptr<const Generation> generation, http::Request& request, const PeerPtr& peer,
                   const net::ResponderPtr& responder, const PeerChecks::Watch* watch);
    void serve_cmp(std::shared_ptr<CmpService> service, http::Request& request, const PeerPtr& peer, const net::ResponderPtr& responder,
                   const PeerChecks::Watch* watch, Where where);
    /// The response leaves when the work is durable.
    void submit(std::shared_ptr<Exchange> exchange, store::UnitOfWork work);
    /// A request that came before the status of its client's certificate was known goes on when that is there, without a thread
    /// that waits. What came of it so far is worth nothing then. False: it does not wait.
    bool waits(const PeerChecks::Watch* watch, http::Request& request, const PeerPtr& peer, const net::ResponderPtr& responder, Where where);
    void committed(const Exchange& exchange, const Result<void>& stored) noexcept;
    void answer(const net::ResponderPtr& responder, http::Response response);
    http::Response serve_other(const http::Request& request);
    http::Response fault(const std::exception& error);

    store::Store& store_;
    Counters& counters_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Generation> generation_;
    std::shared_ptr<CmpService> cmp_;
};

}  // namespace estuary::daemon
