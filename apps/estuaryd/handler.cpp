#include "apps/estuaryd/handler.h"

#include <fmt/format.h>

#include "apps/estuaryd/cmc_service.h"
#include "apps/estuaryd/cmp_service.h"
#include "apps/estuaryd/requests.h"

namespace estuary::daemon {
namespace {

bool is_cmc(const Generation& generation, std::string_view target) { return generation.cmc && generation.cmc->http->owns(target); }

}  // namespace

/// What is kept of a request until its unit of work is durable.
struct Gateway::Exchange {
    std::shared_ptr<const Generation> generation;  // leases point into its authority
    std::shared_ptr<CmpService> cmp{};             // null: est
    net::ResponderPtr responder;
    http::Response response;
    std::vector<store::AuditEvent> events;
};

void Gateway::replace(std::shared_ptr<const Generation> generation) {
    const std::lock_guard guard{mutex_};
    generation_.swap(generation);
}

std::shared_ptr<const Generation> Gateway::current() const {
    const std::lock_guard guard{mutex_};
    return generation_;
}

void Gateway::replace_cmp(std::shared_ptr<CmpService> service) {
    const std::lock_guard guard{mutex_};
    cmp_.swap(service);
}

std::shared_ptr<CmpService> Gateway::current_cmp() const {
    const std::lock_guard guard{mutex_};
    return cmp_;
}

bool Gateway::is_quick(const http::Request& request) const {
    if (!est::Server::owns(request.target)) {
        const auto cmp = current_cmp();
        const auto generation = current();
        if (generation && is_cmc(*generation, request.target)) return false;
        return path_of(request.target) != "/healthz" && !(cmp && cmp->http().owns(request.target));
    }
    const auto generation = current();
    return generation && generation->est->is_quick(request);
}

void Gateway::serve(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) {
    const PeerChecks::Watch watch;
    serve_now(request, peer, responder, &watch, Where::main);
}

void Gateway::serve_cmp_only(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) {
    const PeerChecks::Watch watch;
    serve_now(request, peer, responder, &watch, Where::cmp);
}

bool Gateway::waits(const PeerChecks::Watch* watch, http::Request& request, const PeerPtr& peer, const net::ResponderPtr& responder,
                    Where where) {
    if (watch == nullptr || !watch->missed()) return false;
    const auto held = std::make_shared<http::Request>(std::move(request));
    return watch->wait([this, held, peer, responder, where] { serve_now(*held, peer, responder, nullptr, where); });
}

void Gateway::serve_now(http::Request& request, const PeerPtr& peer, const net::ResponderPtr& responder, const PeerChecks::Watch* watch,
                        Where where) {
    try {
        auto cmp = current_cmp();
        const bool offered = where == Where::cmp || (cmp && cmp->generation()->configuration.cmp.https);
        if (cmp && offered && cmp->http().owns(request.target)) {
            serve_cmp(std::move(cmp), request, peer, responder, watch, where);
        } else if (where == Where::cmp) {
            answer(responder, http::text_response(404, "There is nothing here."));
        } else if (auto generation = current(); est::Server::owns(request.target) || is_cmc(*generation, request.target)) {
            serve_est(std::move(generation), request, peer, responder, watch);
        } else {
            answer(responder, serve_other(request));
        }
    } catch (const std::exception& error) {
        // Nothing was sent yet: whatever throws does so before the response is handed over.
        responder->respond(fault(error));
    }
}

void Gateway::serve_est(std::shared_ptr<const Generation> generation, http::Request& request, const PeerPtr& peer,
                        const net::ResponderPtr& responder, const PeerChecks::Watch* watch) {
    store::UnitOfWork work;
    auto response = is_cmc(*generation, request.target) ? generation->cmc->http->serve(request, *peer, work)
                                                        : generation->est->serve(request, *peer, work);
    if (waits(watch, request, peer, responder, Where::main)) return;
    if (work.empty()) {
        if (response.status >= 400) ++counters_.refused;
        return answer(responder, std::move(response));
    }
    auto exchange = std::make_shared<Exchange>();
    exchange->generation = std::move(generation);
    exchange->responder = responder;
    exchange->response = std::move(response);
    submit(std::move(exchange), std::move(work));
}

void Gateway::serve_cmp(std::shared_ptr<CmpService> service, http::Request& request, const PeerPtr& peer, const net::ResponderPtr& responder,
                        const PeerChecks::Watch* watch, Where where) {
    store::UnitOfWork work;
    auto response = service->http().serve(request, *peer, work);
    if (waits(watch, request, peer, responder, where)) return;
    if (work.empty()) {
        if (response.status >= 400) ++counters_.refused;
        return answer(responder, std::move(response));
    }
    auto exchange = std::make_shared<Exchange>();
    exchange->generation = service->generation();
    exchange->cmp = std::move(service);
    exchange->responder = responder;
    exchange->response = std::move(response);
    submit(std::move(exchange), std::move(work));
}

void Gateway::submit(std::shared_ptr<Exchange> exchange, store::UnitOfWork work) {
    for (const auto& write : work.writes)
        if (const auto* line = std::get_if<store::AppendAudit>(&write)) exchange->events.push_back(line->event);
    store_.submit(std::move(work), [this, exchange](Result<void> stored) { committed(*exchange, stored); });
}

/// On a thread of the store's. Only now may the peer, and the log, be told.
void Gateway::committed(const Exchange& exchange, const Result<void>& stored) noexcept {
    try {
        if (!stored) {
            ++counters_.not_stored;
            const auto& error = stored.error();
            if (exchange.cmp) return answer(exchange.responder, cmp::not_stored(error));
            // A guard failed: somebody else was first, with the same request or the same credential. Asked again, the
            // authority finds what was recorded.
            if (error.code == Code::conflict)
                return answer(exchange.responder, est::to_response({Code::too_busy, "the same was asked twice at once; ask again", {}, 1}));
            return answer(exchange.responder, est::to_response(error));
        }
        for (const auto& event : exchange.events) {
            if (event.event == "certificate.issued") ++counters_.issued;
            if (event.event == "request.pending") ++counters_.pending;
            if (event.outcome != "ok") {
                ++counters_.refused;  // est has logged it, with its cause
            } else {
                log::info(event.event, {{"who", event.actor}, {"object", event.object}, {"detail", event.detail}});
            }
        }
        answer(exchange.responder, exchange.response);
    } catch (const std::exception& error) {
        exchange.responder->respond(fault(error));
    }
}

void Gateway::answer(const net::ResponderPtr& responder, http::Response response) {
    ++counters_.by_status_class[std::min<unsigned>(response.status / 100, 5)];
    responder->respond(std::move(response));
}

http::Response Gateway::serve_other(const http::Request& request) {
    if (path_of(request.target) != "/healthz") return http::text_response(404, "There is nothing here.");
    if (!is_read(request)) {
        auto response = http::text_response(405, "Use GET.");
        response.headers.add("Allow", "GET, HEAD");
        return response;
    }
    if (store_.setting("healthz")) return http::text_response(200, "ok");
    auto response = http::text_response(503, "The database does not answer.");
    response.headers.add("Retry-After", "5");
    return response;
}

/// A fault of our own: the peer gets a number by which the log can be searched, and nothing else.
http::Response Gateway::fault(const std::exception& error) {
    static const auto started = std::chrono::system_clock::now().time_since_epoch().count() / 1'000'000;
    const auto id = fmt::format("{:x}-{}", started & 0xFFFFFF, ++counters_.faults);
    log::error("fault", {{"id", id}, {"what", error.what()}});
    ++counters_.by_status_class[5];
    return http::text_response(500, fmt::format("A fault of the server; its log has the details under {}.", id));
}

}  // namespace estuary::daemon
