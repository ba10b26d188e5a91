#pragma once
// An OCSP responder over HTTP in this process, and clients that ask it steadily while something else goes on.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "connection.h"
#include "estuary/authority/authority.h"
#include "estuary/net/server.h"
#include "estuary/ocsp/server.h"

namespace estuary::load {

struct Latency {
    std::size_t requests = 0;
    double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

/// Every answer is read from the database and signed on demand (P-256), on the I/O thread as estuaryd does it.
class Beside {
public:
    /// A thousand requests a second by four connections, about these certificates.
    Beside(authority::Authority& authority, const x509::Certificate& issuer, const crypto::PrivateKey& key, const Clock& clock,
           const std::vector<ByteVec>& serial_numbers);
    Beside(const Beside&) = delete;
    Beside& operator=(const Beside&) = delete;
    ~Beside();

    /// From here on latencies count for something new.
    void begin();
    /// What they were since then; requests that had begun before do not count.
    Latency end();

private:
    class Source;
    class Handler;
    struct Client {
        std::vector<double> times_ms;
        std::thread thread;
    };
    void ask(Client& client, unsigned number);

    std::unique_ptr<Source> source_;
    std::unique_ptr<ocsp::Responder> responder_;
    std::unique_ptr<ocsp::Server> ocsp_;
    std::unique_ptr<Handler> handler_;
    std::unique_ptr<net::Server> server_;
    std::vector<std::string> requests_;
    std::mutex mutex_;
    std::atomic<unsigned> round_{0};
    std::atomic<bool> ending_{false};
    std::vector<Client> clients_;
};

}  // namespace estuary::load
