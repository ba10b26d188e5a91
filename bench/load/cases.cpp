#include "cases.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/cms/certs_only.h"
#include "estuary/x509/request.h"
#include "process.h"

namespace estuary::load {
namespace {

using Steady = std::chrono::steady_clock;

/// Certification requests, ready as HTTP requests: each is used once, for a repeated one would be answered from the store.
class Requests {
public:
    /// `subject`: of all of them (a client certificate enrolls its own name only); empty: a new one for each.
    Requests(const Target& target, unsigned count, std::string_view operation, bool with_password, std::string_view subject = {}) {
        static std::atomic<unsigned> series{0};
        const auto key = crypto::PrivateKey::generate("p256");
        if (!key) throw std::runtime_error{key.error().detail};
        const auto run = std::chrono::system_clock::now().time_since_epoch().count();
        const unsigned mine = series++;
        const auto authorization =
            with_password ? fmt::format("Authorization: Basic {}\r\n", to_base64(as_bytes(target.user + ":" + target.password))) : "";
        for (unsigned i = 0; i < count; ++i) {
            x509::RequestTemplate wanted;
            const auto name = subject.empty() ? fmt::format("CN=load-{}-{}-{}", run, mine, i) : std::string{subject};
            wanted.subject = x509::Name::from_text(name).value();
            const auto der = x509::make_request(wanted, *key);
            if (!der) throw std::runtime_error{der.error().detail};
            const auto body = to_base64_lines(*der);
            requests_.push_back(fmt::format("POST /.well-known/est/{} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: estuary-load\r\n{}"
                                            "Content-Type: application/pkcs10\r\nContent-Length: {}\r\n\r\n{}",
                                            operation, authorization, body.size(), body));
        }
    }
    const std::string& operator[](std::size_t i) const { return requests_[i]; }
    std::vector<std::string> take() && { return std::move(requests_); }

private:
    std::vector<std::string> requests_;
};

double percentile(const std::vector<double>& sorted, double part) {
    if (sorted.empty()) return 0;
    return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace

const std::string cacerts_request = "GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\nUser-Agent: estuary-load\r\n\r\n";

std::vector<std::string> enroll_requests(const Target& target, unsigned count) {
    return Requests{target, count, "simpleenroll", true}.take();
}

Measured run(const Target& target, std::string name, unsigned count,
             const std::function<std::function<void(unsigned)>()>& per_thread) {
    std::vector<double> all;
    std::mutex mutex;
    std::atomic<unsigned> next{0}, ready{0};
    std::atomic<bool> go{false};
    std::string failure;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < target.threads; ++t)
        threads.emplace_back([&] {
            std::vector<double> mine;
            try {
                const auto work = per_thread();
                ++ready;
                while (!go) std::this_thread::yield();
                for (unsigned i = next++; i < count; i = next++) {
                    const auto start = Steady::now();
                    work(i);
                    mine.push_back(std::chrono::duration<double, std::milli>(Steady::now() - start).count());
                }
            } catch (const std::exception& error) {
                ++ready;
                const std::lock_guard lock{mutex};
                failure = error.what();
            }
            const std::lock_guard lock{mutex};
            all.insert(all.end(), mine.begin(), mine.end());
        });
    while (ready < target.threads) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    const double cpu_before = cpu_us(target.server_process);
    const auto start = Steady::now();
    go = true;
    for (auto& thread : threads) thread.join();
    const double seconds = std::chrono::duration<double>(Steady::now() - start).count();
    const double cpu = cpu_us(target.server_process) - cpu_before;
    if (!failure.empty()) throw std::runtime_error{name + ": " + failure};
    std::ranges::sort(all);
    return {std::move(name), count / seconds, percentile(all, 0.5), percentile(all, 0.99), cpu / count, 0};
}

void expect_200(const Reply& reply) {
    if (reply.status != 200) throw std::runtime_error{fmt::format("answered {}: {}", reply.status, reply.body)};
}

std::string header_line() {
    return fmt::format("{:<28} {:>11} {:>9} {:>9} {:>9} {:>9} {:>6}", "case", "requests/s", "p50_ms", "p99_ms", "cpu_us", "floor_us", "ratio");
}

std::string to_line(const Measured& m) {
    return fmt::format("{:<28} {:>11.0f} {:>9.2f} {:>9.2f} {:>9.1f} {:>9.1f} {:>6.2f}", m.name, m.per_second, m.p50_ms, m.p99_ms, m.cpu_us,
                       m.floor_us, m.ratio());
}

static Measured keep_alive(const Target& target, const Floor& floor, unsigned requests, const std::string& name, std::string_view operation) {
    const Requests prepared{target, requests, operation, true};
    const auto context = client_context(target.ca_pem);
    auto measured = run(target, name, requests, [&] {
        auto connection = std::make_shared<Connection>(*context, target.address);
        return [&prepared, connection](unsigned i) { expect_200(connection->exchange(prepared[i])); };
    });
    measured.floor_us = floor.verify_sign_us;
    return measured;
}

Measured enroll_keep_alive(const Target& target, const Floor& floor, unsigned requests, const std::string& name) {
    return keep_alive(target, floor, requests, name, "simpleenroll");
}

/// The floor is that of an enrollment: making a P-256 key costs less than verifying the signature that does not count here.
Measured serverkeygen_keep_alive(const Target& target, const Floor& floor, unsigned requests) {
    return keep_alive(target, floor, requests, "serverkeygen keep-alive", "serverkeygen");
}

Measured enroll_handshake_each(const Target& target, const Floor& floor, unsigned requests) {
    const Requests prepared{target, requests, "simpleenroll", true};
    const auto context = client_context(target.ca_pem);
    auto measured = run(target, "enroll handshake each", requests, [&] {
        return [&](unsigned i) {
            Connection connection{*context, target.address};
            expect_200(connection.exchange(prepared[i]));
        };
    });
    measured.floor_us = floor.handshake_us + floor.verify_sign_us;
    return measured;
}

static std::string enrolled(const Target& target, const std::string& subject, const crypto::PrivateKey& key) {
    x509::RequestTemplate wanted;
    wanted.subject = x509::Name::from_text(subject).value();
    const auto body = to_base64_lines(x509::make_request(wanted, key).value());
    const auto plain = client_context(target.ca_pem);
    const auto reply = Connection{*plain, target.address}.exchange(
        fmt::format("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nUser-Agent: estuary-load\r\nAuthorization: Basic {}\r\n"
                    "Content-Type: application/pkcs10\r\nContent-Length: {}\r\n\r\n{}",
                    to_base64(as_bytes(target.user + ":" + target.password)), body.size(), body));
    expect_200(reply);
    return cms::parse_certs_only(from_base64(reply.body).value()).value().front().to_pem();
}

std::string enrolled(const Target& target, const std::string& subject) {
    return enrolled(target, subject, crypto::PrivateKey::generate("p256").value());
}

Measured enroll_mtls_handshake_each(const Target& target, const Floor& floor, unsigned requests) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto certificate = enrolled(target, "CN=load-client", key);
    const auto context = client_context(target.ca_pem, certificate, std::string{key.to_pem().value().reveal_text()});

    const Requests prepared{target, requests, "simpleenroll", false, "CN=load-client"};
    auto measured = run(target, "enroll mTLS handshake each", requests, [&] {
        return [&](unsigned i) {
            Connection connection{*context, target.address};
            expect_200(connection.exchange(prepared[i]));
        };
    });
    measured.floor_us = floor.mtls_handshake_us + floor.verify_sign_us;
    return measured;
}

Measured cacerts_keep_alive(const Target& target, unsigned requests) {
    const auto context = client_context(target.ca_pem);
    return run(target, "cacerts keep-alive", requests, [&] {
        auto connection = std::make_shared<Connection>(*context, target.address);
        return [connection](unsigned) { expect_200(connection->exchange(cacerts_request)); };
    });
}

Idle idle_connections(const Target& target, unsigned count) {
    const auto context = client_context(target.ca_pem);
    std::vector<std::unique_ptr<Connection>> idle;
    const double before = resident_kb(target.server_process);
    for (unsigned i = 0; i < count; ++i) idle.push_back(std::make_unique<Connection>(*context, target.address));
    Connection busy{*context, target.address};
    const auto start = Steady::now();
    expect_200(busy.exchange(cacerts_request));
    const double ms = std::chrono::duration<double, std::milli>(Steady::now() - start).count();
    return {(resident_kb(target.server_process) - before) / count, ms, static_cast<unsigned>(idle.size())};
}

}  // namespace estuary::load
