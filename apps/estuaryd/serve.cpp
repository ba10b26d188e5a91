// estuaryd serve: one process, one data directory, until it is told to stop.
#include <future>
#include <ostream>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

#include <fmt/ostream.h>

#include "apps/estuaryd/cmp_service.h"
#include "apps/estuaryd/cmp_tcp.h"
#include "apps/estuaryd/commands.h"
#include "apps/estuaryd/expiry.h"
#include "apps/estuaryd/generation.h"
#include "apps/estuaryd/lifecycle.h"
#include "apps/estuaryd/metrics.h"
#include "apps/estuaryd/paths.h"
#include "apps/estuaryd/status_threads.h"
#include "estuary/base/text.h"

namespace estuary::daemon {
namespace {

using Clockwork = std::chrono::steady_clock;

constexpr std::chrono::hours renewal_interval{1};
constexpr std::chrono::hours tidy_interval{24};
constexpr std::chrono::seconds upkeep_interval{30};
/// Certificates in one unit of work.
constexpr std::size_t unconfirmed_max = 200;
/// How long a repeated request finds its former answer, and how long a spent credential can be looked at.
constexpr Seconds tidy_age{30 * 86400LL};

class Daemon {
public:
    Daemon(const ServeOptions& options, const Program& program) : options_{options}, program_{program} {}

    Exit run() {
        auto configuration = configured([this](const Fault& fault) { fmt::print(program_.err, "{}\n", to_string(fault)); });
        if (!configuration) return Exit::failed;
        log::set_level(configuration->log_level);
        const auto lock = DirectoryLock::take(configuration->directory / paths::lock);
        if (!lock) return report(program_, lock.error());
        if (auto opened = open(std::move(*configuration)); !opened) {
            // What the caller was told line by line has no detail left.
            return opened.error().detail.empty() ? Exit::failed : report(program_, opened.error());
        }
        loop();
        stop();
        return Exit::ok;
    }

private:
    using Tell = std::function<void(const Fault&)>;

    std::optional<Configuration> configured(const Tell& tell) {
        auto read = read_configuration(options_.directory);
        for (const auto& fault : read.faults) tell(fault);
        if (read.configuration && options_.listen) {
            // Checked by the command line.
            if (auto listen = parse_listen(*options_.listen)) read.configuration->listen = {*listen};
        }
        if (read.configuration && options_.cmp_listen && read.configuration->cmp.present) {
            if (auto listen = parse_listen(*options_.cmp_listen)) read.configuration->cmp.listen = {*listen};
        }
        if (read.configuration && options_.status_listen && read.configuration->status.present) {
            if (auto listen = parse_listen(*options_.status_listen)) read.configuration->status.listen = {*listen};
        }
        return std::move(read.configuration);
    }

    Result<void> open(Configuration configuration) {
        store::Options store_options;
        store_options.cache_bytes = configuration.cache_bytes;
        ESTUARY_TRY(store_, store::open_sqlite(configuration.database.path, store_options, false));
        peer_checks_.emplace(*store_, program_.clock);
        keys_->configure(configuration.keys.pool);
        auto made = make_generation(std::move(configuration), options_.passphrase_file, *store_, *peer_checks_, program_,
                                    [this](const Fault& fault) { fmt::print(program_.err, "{}\n", to_string(fault)); }, keys_);
        if (!made) return fail(Code::malformed, "");
        keys_->start();
        gateway_.emplace(*store_, counters_);
        gateway_->replace(made->generation);
        ESTUARY_CHECK(open_status(made->generation, [this](const Fault& fault) { fmt::print(program_.err, "{}\n", to_string(fault)); }));
        ESTUARY_CHECK(open_cmp(made->generation, [this](const Fault& fault) { fmt::print(program_.err, "{}\n", to_string(fault)); }));
        ESTUARY_CHECK(open_metrics(made->generation->configuration));
        ESTUARY_CHECK(open_server(made->generation->configuration, std::move(made->tls)));
        return {};
    }

    /// Before the main listener: what it issues points here.
    Result<void> open_status(const std::shared_ptr<const Generation>& generation, const Tell& tell) {
        const auto& configuration = generation->configuration;
        desk_.replace(StatusService::make(generation, options_.passphrase_file, *store_, program_, tell));
        status_threads_.emplace(*store_, program_.clock, desk_);
        if (configuration.status.listen.empty()) return {};
        net::ServerOptions options;
        options.listen = configuration.status.listen;
        options.limits = configuration.limits;
        options.io_threads = configuration.io_threads;
        options.worker_threads = configuration.worker_threads;
        options.server_name = "status";
        status_handler_.emplace(desk_, program_.clock);
        auto server = net::Server::create(std::move(options), *status_handler_);
        if (!server) return fail(in_context("[status] listen", server.error()));
        status_ = std::move(*server);
        return {};
    }

    void start_status(const Configuration& configuration) {
        status_threads_->start();
        if (!status_) return;
        status_->start();
        for (std::size_t i = 0; i < configuration.status.listen.size(); ++i)
            log::info("serving status", {{"address", to_string(net::Listen{configuration.status.listen[i].address, status_->port(i)})},
                                         {"url", configuration.status.url}});
    }

    Result<void> open_cmp(const std::shared_ptr<const Generation>& generation, const Tell& tell) {
        const auto& configuration = generation->configuration;
        gateway_->replace_cmp(CmpService::make(generation, options_.passphrase_file, *store_, program_, tell));
        if (!configuration.cmp.present) return {};
        if (!gateway_->current_cmp()) return fail(Code::malformed, "");
        cmp_handler_.emplace(*gateway_);
        if (!configuration.cmp.tcp_listen.empty()) {
            auto server = net::Server::create(cmp_tcp_options(configuration), *cmp_handler_);
            if (!server) return fail(in_context("[cmp] tcp_listen", server.error()));
            cmp_tcp_ = std::move(*server);
        }
        if (configuration.cmp.listen.empty()) return {};
        net::ServerOptions options;
        options.listen = configuration.cmp.listen;
        options.limits = configuration.limits;
        options.io_threads = configuration.io_threads;
        options.worker_threads = configuration.worker_threads;
        options.server_name = "cmp";
        auto server = net::Server::create(std::move(options), *cmp_handler_);
        if (!server) return fail(in_context("[cmp] listen", server.error()));
        cmp_ = std::move(*server);
        return {};
    }

    void start_cmp(const Configuration& configuration) {
        if (cmp_tcp_) {
            cmp_tcp_->start();
            for (std::size_t i = 0; const auto& each : configuration.cmp.tcp_listen)
                log::info("serving CMP over TCP", {{"address", to_string(net::Listen{each.listen.address, cmp_tcp_->port(i++)})}, {"label", each.label}});
        }
        if (!cmp_) return;
        cmp_->start();
        for (std::size_t i = 0; i < configuration.cmp.listen.size(); ++i)
            log::info("serving CMP", {{"address", to_string(net::Listen{configuration.cmp.listen[i].address, cmp_->port(i)})}});
    }

    void watch_expiry() {
        try {
            const auto generation = gateway_->current();
            const auto now = program_.clock.now();
            log_expiries(certificate_expiries(generation->configuration, *generation->authority), now);
            log_expiries(status_expiries(generation->configuration, *desk_.current().files, *store_, now), now);
        } catch (const std::exception& error) {
            log::error("fault", {{"while", "looking at expiries"}, {"what", error.what()}});
        }
    }

    Result<void> open_server(const Configuration& configuration, net::TlsIdentity tls) {
        net::ServerOptions options;
        options.listen = configuration.listen;
        options.limits = configuration.limits;
        options.io_threads = configuration.io_threads;
        options.worker_threads = configuration.worker_threads;
        options.tls = std::move(tls);
        ESTUARY_TRY(server_, net::Server::create(std::move(options), *gateway_));
        server_->start();
        for (std::size_t i = 0; i < configuration.listen.size(); ++i)
            log::info("serving", {{"address", to_string(net::Listen{configuration.listen[i].address, server_->port(i)})},
                                  {"directory", configuration.directory.string()},
                                  {"pid", ::getpid()}});
        service_manager_.ready();
        return {};
    }

    Result<void> open_metrics(const Configuration& configuration) {
        if (!configuration.metrics) return {};
        metrics_handler_.emplace([this] {
            return metrics_text({counters_, server_ ? server_->counters() : net::ServerCounters{}, *gateway_->current(), desk_, *store_,
                                 *peer_checks_, *keys_, program_.clock.now()});
        });
        net::ServerOptions options;
        options.listen = {*configuration.metrics};
        options.io_threads = 1;
        options.worker_threads = 1;
        options.limits.connections_max = 64;
        options.server_name = "metrics";
        ESTUARY_TRY(metrics_, net::Server::create(std::move(options), *metrics_handler_));
        return {};
    }

    void loop() {
        if (metrics_) metrics_->start();
        start_status(gateway_->current()->configuration);
        start_cmp(gateway_->current()->configuration);
        watch_expiry();
        auto next_renewal = Clockwork::now() + renewal_interval;
        auto next_tidy = Clockwork::now() + renewal_interval;
        auto next_upkeep = Clockwork::now();
        const auto watchdog = service_manager_.watchdog_interval();
        for (;;) {
            auto deadline = std::min({next_renewal, next_tidy, next_upkeep});
            if (watchdog) deadline = std::min(deadline, Clockwork::now() + *watchdog);
            const auto event = signals_.wait_until(deadline);
            if (event == Signals::Event::stop) return;
            if (event == Signals::Event::reload) reload();
            service_manager_.alive();
            if (Clockwork::now() >= next_renewal) {
                renew();
                next_renewal = Clockwork::now() + renewal_interval;
            }
            if (Clockwork::now() >= next_upkeep) {
                keep_up();
                next_upkeep = Clockwork::now() + upkeep_interval;
            }
            if (Clockwork::now() >= next_tidy) {
                watch_expiry();
                tidy();
                next_tidy = Clockwork::now() + tidy_interval;
            }
        }
    }

    void reload() {
        service_manager_.reloading();
        log::info("reloading");
        const auto tell = [](const Fault& fault) {
            log::write(fault.warning ? log::Level::warning : log::Level::error, "configuration",
                       {{"file", fault.place.file}, {"line", fault.place.line}, {"key", fault.place.key}, {"message", fault.message}});
        };
        bool replaced = false;
        try {
            replaced = replace(tell);
        } catch (const std::exception& error) {
            log::error("fault", {{"while", "reloading"}, {"what", error.what()}});
        }
        if (!replaced) log::error("not reloaded; the former configuration goes on");
        service_manager_.ready();
    }

    bool replace(const Tell& tell) {
        auto configuration = configured(tell);
        if (!configuration) return false;
        auto made = make_generation(std::move(*configuration), options_.passphrase_file, *store_, *peer_checks_, program_, tell, keys_);
        if (!made) return false;
        auto cmp = CmpService::make(made->generation, options_.passphrase_file, *store_, program_, tell);
        if (made->generation->configuration.cmp.present && !cmp) return false;
        if (auto replaced = server_->replace_tls(std::move(made->tls)); !replaced) {
            tell({made->generation->configuration.tls.place, replaced.error().detail + " " + replaced.error().cause, false});
            return false;
        }
        const auto former = gateway_->current();
        tell_what_needs_a_restart(former->configuration, made->generation->configuration);
        keys_->configure(made->generation->configuration.keys.pool);
        log::set_level(made->generation->configuration.log_level);
        desk_.replace(StatusService::make(made->generation, options_.passphrase_file, *store_, program_, tell));
        gateway_->replace(std::move(made->generation));
        gateway_->replace_cmp(std::move(cmp));
        log::info("reloaded");
        return true;
    }

    static void tell_what_needs_a_restart(const Configuration& former, const Configuration& next) {
        const auto addresses = [](const Configuration& configuration) {
            std::string text;
            for (const auto& listen : configuration.listen) text += to_string(listen) + " ";
            for (const auto& listen : configuration.status.listen) text += "status " + to_string(listen) + " ";
            for (const auto& listen : configuration.cmp.listen) text += "cmp " + to_string(listen) + " ";
            for (const auto& each : configuration.cmp.tcp_listen) text += "cmp over tcp " + to_string(each.listen) + "=" + each.label + " ";
            return text + (configuration.metrics ? to_string(*configuration.metrics) : "");
        };
        const auto tell = [](std::string_view what) { log::warning("takes effect at the next start", {{"section", what}}); };
        if (addresses(former) != addresses(next)) tell("listen");
        if (former.database.path != next.database.path || former.cache_bytes != next.cache_bytes) tell("database");
        if (former.io_threads != next.io_threads || former.worker_threads != next.worker_threads) tell("server");
        const auto& a = former.limits;
        const auto& b = next.limits;
        const bool same_limits = a.header_bytes_max == b.header_bytes_max && a.body_bytes_max == b.body_bytes_max &&
                                 a.handshake_timeout == b.handshake_timeout && a.request_timeout == b.request_timeout &&
                                 a.idle_timeout == b.idle_timeout && a.write_timeout == b.write_timeout &&
                                 a.connections_max == b.connections_max &&
                                 a.connections_per_address_max == b.connections_per_address_max &&
                                 a.requests_per_connection_max == b.requests_per_connection_max &&
                                 a.queued_requests_max == b.queued_requests_max;
        if (!same_limits) tell("server.limits");
        if (former.keys.pool.threads != next.keys.pool.threads) tell("keys");
    }

    /// Trouble here is never the end of serving; the next hour tries again (bug class 37).
    void renew() {
        try {
            const auto generation = gateway_->current();
            if (auto tls = renew_if_due(*generation, options_.passphrase_file, *store_, program_)) {
                if (auto replaced = server_->replace_tls(std::move(*tls)); !replaced)
                    log::error("server certificate not taken into use", {{"detail", replaced.error().detail}});
            }
            renew_signers(generation);
            renew_cmp(generation);
            renew_cmc(*generation, options_.passphrase_file, *store_, program_);
            if (generation->key_generators_due && program_.clock.now() >= *generation->key_generators_due) reload();
        } catch (const std::exception& error) {
            log::error("fault", {{"while", "renewing the server's certificates"}, {"what", error.what()}});
        }
    }

    void renew_cmp(const std::shared_ptr<const Generation>& generation) {
        const auto current = gateway_->current_cmp();
        if (!current || !current->signers_are_due(program_.clock.now())) return;
        auto next = CmpService::make(generation, options_.passphrase_file, *store_, program_, [](const Fault& fault) {
            log::error("CMP signer", {{"key", fault.place.key}, {"message", fault.message}});
        });
        if (next) gateway_->replace_cmp(std::move(next));
    }

    void renew_signers(const std::shared_ptr<const Generation>& generation) {
        if (!desk_.current().service->signers_are_due(program_.clock.now())) return;
        desk_.replace(StatusService::make(generation, options_.passphrase_file, *store_, program_, [](const Fault& fault) {
            log::error("OCSP signer", {{"key", fault.place.key}, {"message", fault.message}});
        }));
    }

    /// May take long on a large table, and must not keep signals waiting.
    void tidy() {
        if (tidying_.valid() && tidying_.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return;
        tidying_ = std::async(std::launch::async, [this] {
            try {
                const auto gone = store_->tidy(program_.clock.now() - tidy_age);
                if (!gone) return log::error("tidy failed", {{"detail", gone.error().detail}, {"cause", gone.error().cause}});
                log::info("tidied", {{"rows", *gone}});
            } catch (const std::exception& error) {
                log::error("fault", {{"while", "tidying"}, {"what", error.what()}});
            }
        });
    }

    /// What ends by the clock: certificates that nobody confirmed (bug class 27), and transactions that nobody goes on with.
    void keep_up() {
        if (upkeep_.valid() && upkeep_.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return;
        upkeep_ = std::async(std::launch::async, [this] {
            try {
                if (auto done = revoke_unconfirmed(); !done)
                    log::error("certificates that were not confirmed are not revoked yet", {{"detail", done.error().detail}, {"cause", done.error().cause}});
                if (auto ended = store_->end_transactions(program_.clock.now()); !ended)
                    log::error("transactions not ended", {{"detail", ended.error().detail}, {"cause", ended.error().cause}});
            } catch (const std::exception& error) {
                log::error("fault", {{"while", "looking at what has ended"}, {"what", error.what()}});
            }
        });
    }

    Result<void> revoke_unconfirmed() {
        const auto generation = gateway_->current();
        for (;;) {
            store::UnitOfWork work;
            ESTUARY_TRY(const auto count, generation->authority->revoke_unconfirmed(unconfirmed_max, work));
            if (count == 0) return {};
            ESTUARY_CHECK(store_->commit(std::move(work)));
            log::info("certificates revoked that were not confirmed in time", {{"count", count}});
        }
    }

    /// First no more requests, then everything that was promised is made durable, then the rest goes.
    void stop() {
        service_manager_.stopping();
        log::info("stopping");
        const auto patience = gateway_->current()->configuration.drain_timeout;
        peer_checks_->begin_stop();
        server_->drain(patience);
        if (status_) status_->drain(patience);
        if (cmp_) cmp_->drain(patience);
        if (cmp_tcp_) cmp_tcp_->drain(patience);
        keys_->stop();
        if (status_threads_) status_threads_->stop();
        peer_checks_->stop();
        if (metrics_) metrics_->drain(std::chrono::seconds{1});
        if (tidying_.valid()) tidying_.wait();
        if (upkeep_.valid()) upkeep_.wait();
        store_.reset();
        log::info("stopped");
    }

    const ServeOptions& options_;
    const Program& program_;
    Signals signals_;  // before every thread
    ServiceManager service_manager_;
    Counters counters_;
    std::optional<Gateway> gateway_;
    std::optional<MetricsHandler> metrics_handler_;
    std::shared_ptr<authority::KeyPool> keys_ = std::make_shared<authority::KeyPool>();
    StatusDesk desk_;
    std::optional<StatusHandler> status_handler_;
    std::optional<CmpHandler> cmp_handler_;
    std::unique_ptr<net::Server> server_, metrics_, status_, cmp_, cmp_tcp_;
    std::unique_ptr<store::Store> store_;
    std::optional<PeerChecks> peer_checks_;
    std::optional<StatusThreads> status_threads_;
    std::future<void> tidying_, upkeep_;
};

}  // namespace

Exit serve(const ServeOptions& options, const Program& program) {
#ifdef __GLIBC__
    // An arena a thread is 64 MiB of address space and keeps what is freed in it: a few are as fast here.
    ::mallopt(M_ARENA_MAX, 2);
#endif
    for (const auto& [name, given] : {std::pair{"--listen", &options.listen}, std::pair{"--status-listen", &options.status_listen},
                                      std::pair{"--cmp-listen", &options.cmp_listen}}) {
        if (!*given) continue;
        if (const auto listen = parse_listen(**given); !listen) {
            report(program, in_context(name, listen.error()));
            return Exit::usage;
        }
    }
    Daemon daemon{options, program};
    return daemon.run();
}

}  // namespace estuary::daemon
