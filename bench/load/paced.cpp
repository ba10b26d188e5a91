#include "paced.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace estuary::load {
namespace {

using Steady = std::chrono::steady_clock;

constexpr unsigned connections_each = 2;

/// One connection's share of the requests: every `connections_each`th.
std::vector<double> send(const Kind& kind, unsigned share, Steady::time_point start, std::size_t count) {
    std::vector<double> times;
    const auto connection = kind.connect();
    for (std::size_t i = share; i < count; i += connections_each) {
        const auto due = start + std::chrono::nanoseconds{std::nano::den} * i / kind.per_second;
        std::this_thread::sleep_until(due);
        const auto reply = connection->exchange(kind.request(i));
        times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - due).count());
        kind.take(i, reply);
    }
    return times;
}

Paced summary(const std::string& name, std::vector<double> times) {
    if (times.empty()) return {name};
    std::ranges::sort(times);
    return {name, times.size(), times[times.size() / 2], times[times.size() * 99 / 100], times.back()};
}

}  // namespace

std::vector<Paced> pace(const std::vector<Kind>& kinds, std::chrono::seconds duration) {
    const auto seconds = static_cast<std::size_t>(duration.count());
    std::vector<std::vector<double>> times_ms(kinds.size());
    std::mutex mutex;
    std::string failure;
    std::vector<std::thread> threads;
    const auto start = Steady::now() + std::chrono::milliseconds{100};  // connected by then
    for (std::size_t number = 0; number < kinds.size(); ++number)
        for (unsigned share = 0; share < connections_each; ++share)
            threads.emplace_back([&, number, share] {
                const auto& kind = kinds[number];
                try {
                    const auto times = send(kind, share, start, kind.per_second * seconds);
                    const std::lock_guard lock{mutex};
                    times_ms[number].insert(times_ms[number].end(), times.begin(), times.end());
                } catch (const std::exception& error) {
                    const std::lock_guard lock{mutex};
                    failure = kind.name + ": " + error.what();
                }
            });
    for (auto& thread : threads) thread.join();
    if (!failure.empty()) throw std::runtime_error{failure};
    std::vector<Paced> all;
    for (std::size_t number = 0; number < kinds.size(); ++number) all.push_back(summary(kinds[number].name, std::move(times_ms[number])));
    return all;
}

std::vector<Paced> paced(const Target& target, const Address& status, const std::string& issuer_pem, std::chrono::seconds duration) {
    const auto context = client_context(target.ca_pem);
    const auto over_tls = [&] { return std::make_unique<Connection>(*context, target.address); };
    const auto over_http = [&] { return std::make_unique<Connection>(status); };
    const auto seconds = static_cast<unsigned>(duration.count());
    std::vector<Kind> kinds{{"/cacerts", 200, over_tls, {}}, {"simpleenroll", 60, over_tls, {}}, {"OCSP, signed", 400, over_http, {}}};
    const auto enrollments = enroll_requests(target, kinds[1].per_second * seconds);
    const auto questions = ocsp_requests(target, issuer_pem, kinds[2].per_second * seconds);
    kinds[0].request = [](std::size_t) -> const std::string& { return cacerts_request; };
    kinds[1].request = [&](std::size_t i) -> const std::string& { return enrollments[i]; };
    kinds[2].request = [&](std::size_t i) -> const std::string& { return questions[i]; };
    return pace(kinds, duration);
}

}  // namespace estuary::load
