#include "apps/estuaryd/status_threads.h"

#include "apps/estuaryd/crl_publisher.h"

namespace estuary::daemon {
namespace {

using namespace std::chrono_literals;

/// How soon a revocation by another process is noticed.
constexpr auto poll_interval = 500ms;
/// Presigned answers renewed at one step: enough for 100,000 in ten minutes, and little beside the requests.
constexpr std::size_t refreshed_max = 100;

}  // namespace

void StatusThreads::start() {
    publisher_ = std::jthread{[this](const std::stop_token& stop) { publish(stop); }};
    keeper_ = std::jthread{[this](const std::stop_token& stop) { keep_answers(stop); }};
}

void StatusThreads::stop() {
    for (auto* thread : {&publisher_, &keeper_}) thread->request_stop();
    for (auto* thread : {&publisher_, &keeper_})
        if (thread->joinable()) thread->join();
}

bool StatusThreads::pause(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    ending_.wait_for(lock, stop, poll_interval, [] { return false; });
    return !stop.stop_requested();
}

template <class Step>
void StatusThreads::repeat(const std::stop_token& stop, const char* what, Step step) {
    std::string trouble;
    do {
        try {
            const auto current = desk_.current();
            if (!current.service->issuers().empty()) step(current);
            trouble.clear();
        } catch (const std::exception& error) {
            if (trouble != error.what()) log::error("fault", {{"while", what}, {"what", error.what()}});
            trouble = error.what();
        }
    } while (pause(stop));
}

void StatusThreads::publish(const std::stop_token& stop) {
    CrlPublisher publisher{store_, clock_};
    repeat(stop, "publishing CRLs", [&](const StatusDesk::Current& current) {
        publisher.step(current.service, *current.files, std::chrono::steady_clock::now(), stop);
    });
}

void StatusThreads::keep_answers(const std::stop_token& stop) {
    std::optional<RevocationWatch> watch;
    repeat(stop, "keeping OCSP answers", [&](const StatusDesk::Current& current) {
        if (!watch) {
            // Nothing is kept yet: what was revoked before needs no forgetting.
            const auto last = store_.last_revocation_change();
            if (!last) return;
            watch.emplace(store_, *last);
        }
        if (const auto news = watch->news())
            for (const auto& change : *news) current.service->forget(change.ca, change.serial_number);
        current.service->refresh(clock_.now(), refreshed_max);
    });
}

}  // namespace estuary::daemon
