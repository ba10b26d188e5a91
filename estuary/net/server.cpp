#include "estuary/net/server.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "estuary/base/log.h"
#include "estuary/net/io_thread.h"
#include "estuary/net/server_core.h"

namespace estuary::net {
namespace {

constexpr std::size_t descriptors_reserved = 64;  // database, logs, listeners, epolls

unsigned or_one_a_core(unsigned threads) { return threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency()); }

/// Raises the soft limit of open files as far as needed and allowed; returns how many connections it leaves room for.
std::size_t make_descriptors_available(std::size_t connections) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections;
    const rlim_t wanted = connections + descriptors_reserved;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = std::min(wanted, limit.rlim_max);
        ::setrlimit(RLIMIT_NOFILE, &limit);
        ::getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted) return connections;
    const auto left = limit.rlim_cur > 2 * descriptors_reserved ? limit.rlim_cur - descriptors_reserved : limit.rlim_cur / 2;
    log::warning("the limit of open files allows fewer connections than configured",
                 {{"configured", connections}, {"possible", left}});
    return left;
}

class EpollServer final : public Server {
public:
    EpollServer(ServerOptions options, Handler& handler, std::vector<Listener> listeners)
        : io_count_{or_one_a_core(options.io_threads)},
          workers_{or_one_a_core(options.worker_threads)},
          core_{std::move(options), handler, workers_} {
        core_.listeners = std::move(listeners);
        core_.connections_max = make_descriptors_available(core_.connections_max);
        for (unsigned i = 0; i < io_count_; ++i) {
            io_threads_.push_back(std::make_unique<IoThread>(core_));
            core_.io_threads.push_back(io_threads_.back().get());
        }
    }
    EpollServer(const EpollServer&) = delete;
    EpollServer& operator=(const EpollServer&) = delete;
    ~EpollServer() override { drain(Milliseconds{0}); }

    void set_tls(std::shared_ptr<const ServerTls> tls) { core_.set_tls(std::move(tls)); }

    void start() override {
        if (std::exchange(started_, true)) return;
        core_.pool.start();
        for (const auto& thread : io_threads_) thread->start();
    }

    void drain(std::chrono::milliseconds patience) override {
        for (const auto& listener : core_.listeners) ::shutdown(listener.fd.get(), SHUT_RDWR);  // new ones are refused
        for (const auto& thread : io_threads_) thread->drain(patience);
        for (const auto& thread : io_threads_) thread->join();
        core_.pool.stop();
        for (auto& listener : core_.listeners) listener.fd.reset();
    }

    Result<void> replace_tls(TlsIdentity identity) override {
        if (!core_.options.tls) return fail(Code::unsupported, "this server speaks plain HTTP");
        ESTUARY_TRY(auto tls, ServerTls::create(identity));
        core_.set_tls(std::move(tls));
        return {};
    }

    std::uint16_t port(std::size_t listener) const override {
        return listener < core_.listeners.size() ? core_.listeners[listener].port : std::uint16_t{0};
    }

    ServerCounters counters() const override {
        ServerCounters out;
        for (const auto& thread : io_threads_) thread->add_to(out);
        return out;
    }

private:
    unsigned io_count_, workers_;
    ServerCore core_;
    std::vector<std::unique_ptr<IoThread>> io_threads_;
    bool started_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::create(ServerOptions options, Handler& handler) {
    std::shared_ptr<const ServerTls> tls;
    if (options.tls) {
        ESTUARY_TRY(tls, ServerTls::create(*options.tls));
    }
    std::vector<Listener> listeners;
    for (const auto& where : options.listen) {
        ESTUARY_TRY(auto listener, open_listener(where));
        listeners.push_back(std::move(listener));
    }
    if (listeners.empty()) return fail(Code::malformed, "there is no address to listen on");
    auto server = std::make_unique<EpollServer>(std::move(options), handler, std::move(listeners));
    server->set_tls(std::move(tls));
    return std::unique_ptr<Server>{std::move(server)};
}

}  // namespace estuary::net
