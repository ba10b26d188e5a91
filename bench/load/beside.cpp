#include "beside.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "estuary/ocsp/verify.h"

namespace estuary::load {
namespace {

using Steady = std::chrono::steady_clock;

constexpr unsigned clients = 4;
constexpr std::chrono::milliseconds pace{4};  // of each client

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error{result.error().detail + " " + result.error().cause};
    return std::move(*result);
}

}  // namespace

class Beside::Source final : public ocsp::StatusSource {
public:
    explicit Source(authority::Authority& authority) : authority_{authority} {}
    Result<std::optional<ocsp::CertificateState>> status(std::string_view issuer, Bytes serial_number) override {
        ESTUARY_TRY(auto status, authority_.status(issuer, serial_number));
        if (!status) return std::optional<ocsp::CertificateState>{};
        return std::optional{ocsp::CertificateState{std::move(status->revocation)}};
    }

private:
    authority::Authority& authority_;
};

class Beside::Handler final : public net::Handler {
public:
    explicit Handler(ocsp::Server& ocsp) : ocsp_{ocsp} {}
    bool is_quick(const http::Request&) const override { return true; }
    void serve(http::Request request, std::shared_ptr<const http::Peer>, net::ResponderPtr responder) override {
        responder->respond(ocsp_.serve(request));
    }

private:
    ocsp::Server& ocsp_;
};

Beside::Beside(authority::Authority& authority, const x509::Certificate& issuer, const crypto::PrivateKey& key, const Clock& clock,
               const std::vector<ByteVec>& serial_numbers)
    : source_{std::make_unique<Source>(authority)} {
    ocsp::ResponderConfig config;
    config.issuers.push_back({"issuing", issuer, {{issuer, key}}});
    config.presigned.count_max = 0;
    responder_ = must(ocsp::Responder::create(std::move(config), *source_, clock));
    ocsp_ = std::make_unique<ocsp::Server>(ocsp::ServerConfig{}, *responder_, clock);
    handler_ = std::make_unique<Handler>(*ocsp_);
    net::ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    server_ = must(net::Server::create(std::move(options), *handler_));
    server_->start();
    const auto hashes = must(ocsp::issuer_hashes(issuer.subject(), issuer.spki(), ocsp::Hash::sha1));
    for (const auto& serial_number : serial_numbers) {
        ocsp::Request request;
        request.certificates.push_back(ocsp::CertId::make(ocsp::Hash::sha1, hashes, serial_number));
        const auto body = ocsp::encode_request(request);
        requests_.push_back(fmt::format("POST /ocsp HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
                                        ocsp::media_request, body.size(), as_text(body)));
    }
    clients_.resize(clients);
    for (unsigned i = 0; i < clients; ++i) clients_[i].thread = std::thread{[this, i] { ask(clients_[i], i); }};
}

Beside::~Beside() {
    ending_ = true;
    for (auto& client : clients_) client.thread.join();
    server_->drain(std::chrono::seconds{1});
}

void Beside::ask(Client& client, unsigned number) {
    Connection connection{{"127.0.0.1", server_->port()}};
    auto next = Steady::now() + pace * number / clients;
    for (std::size_t i = number; !ending_; i += clients) {
        std::this_thread::sleep_until(next);
        const auto round = round_.load();
        // From when it was due: who is late because the machine was busy is not to be counted as quick.
        const auto reply = connection.exchange(requests_[i % requests_.size()]);
        const auto took = std::chrono::duration<double, std::milli>(Steady::now() - next).count();
        next += pace;
        if (reply.status != 200) throw std::runtime_error{fmt::format("OCSP answered {}", reply.status)};
        const std::lock_guard lock{mutex_};
        if (round == round_) client.times_ms.push_back(took);
    }
}

void Beside::begin() {
    const std::lock_guard lock{mutex_};
    ++round_;
    for (auto& client : clients_) client.times_ms.clear();
}

Latency Beside::end() {
    std::vector<double> all;
    {
        const std::lock_guard lock{mutex_};
        ++round_;
        for (const auto& client : clients_) all.insert(all.end(), client.times_ms.begin(), client.times_ms.end());
    }
    if (all.empty()) return {};
    std::ranges::sort(all);
    return {all.size(), all[all.size() / 2], all[all.size() * 99 / 100], all.back()};
}

}  // namespace estuary::load
