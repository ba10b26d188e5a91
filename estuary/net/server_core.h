#pragma once
// What the threads of one server share.
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "estuary/net/listener.h"
#include "estuary/net/server.h"
#include "estuary/net/server_tls.h"
#include "estuary/net/worker_pool.h"

namespace estuary::net {

class IoThread;

struct ServerCore {
    ServerCore(ServerOptions given, Handler& to, unsigned workers)
        : options{std::move(given)},
          handler{&to},
          wire_limits{options.limits.header_bytes_max, options.limits.body_bytes_max},
          connections_max{options.limits.connections_max},
          pool{workers, options.limits.queued_requests_max} {}

    /// The identity for new connections; null for plain HTTP.
    std::shared_ptr<const ServerTls> tls() const {
        const std::lock_guard lock{mutex_};
        return current_tls_;
    }
    void set_tls(std::shared_ptr<const ServerTls> next) {
        const std::lock_guard lock{mutex_};
        current_tls_.swap(next);
    }

    std::unique_ptr<Framing> new_framing(std::size_t listener) const {
        return options.framing ? options.framing(listener) : std::make_unique<HttpFraming>(wire_limits);
    }

    /// Counts a connection against its address; false where that is one too many.
    bool enter_address(const std::string& address) {
        const auto most = options.limits.connections_per_address_max;
        if (most == 0) return true;
        const std::lock_guard lock{mutex_};
        auto& count = addresses_[address];
        if (count >= most) return false;
        ++count;
        return true;
    }
    void leave_address(const std::string& address) {
        if (options.limits.connections_per_address_max == 0) return;
        const std::lock_guard lock{mutex_};
        if (const auto found = addresses_.find(address); found != addresses_.end() && --found->second == 0)
            addresses_.erase(found);
    }

    const ServerOptions options;
    Handler* const handler;
    const http::WireLimits wire_limits;
    std::size_t connections_max;  ///< the limit, or less where the system allows fewer descriptors
    std::atomic<std::size_t> connections{0};
    WorkerPool pool;
    std::vector<Listener> listeners;
    std::vector<IoThread*> io_threads;  ///< complete before any of them starts

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const ServerTls> current_tls_;
    std::map<std::string, std::size_t> addresses_;
};

}  // namespace estuary::net
