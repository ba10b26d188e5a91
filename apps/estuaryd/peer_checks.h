#pragma once
// Whether client certificates that are not ours are revoked (bug class 6): asked of their own CAs' OCSP and CRLs, on threads of
// its own. Who serves a request is never kept waiting; the request is, and goes on when the answer is there.
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "estuary/net/worker_pool.h"
#include "estuary/ocsp/status_memory.h"
#include "estuary/store/store.h"

namespace estuary::daemon {

/// Of one manufacturer's certificates.
struct PeerPolicy {
    std::string manufacturer;
    ocsp::PeerCheck check = ocsp::PeerCheck::soft;
    bool public_addresses_only = true;  ///< responders and CRLs at other addresses are not asked
};

struct PeerCounters {
    std::atomic<std::uint64_t> good{0}, revoked{0}, unknown{0};  ///< what checks came to
    std::atomic<std::uint64_t> turned_away{0};                   ///< no room for another check
};

/// Brings an answer under a policy within the deadline: the network in the program.
using PeerFetch = std::function<Result<http::Response>(const http::Url& url, const http::Request& request, std::size_t body_bytes_max,
                                                       bool public_addresses_only, std::chrono::steady_clock::time_point deadline)>;
PeerFetch network_peer_fetch();

class PeerChecks {
public:
    struct Limits {
        unsigned threads = 4;
        std::size_t checks_max = 512;             ///< waiting for a thread; past it clients are told to come back
        std::size_t waiting_max = 1'024;          ///< requests that wait for a check
        std::chrono::seconds check_timeout{20};   ///< of a whole path
        std::size_t crl_bytes_max = 64u << 20;    ///< a million entries are 53 MB
        ocsp::StatusMemory::Limits memory;
    };
    PeerChecks(store::Store& store, const Clock& clock, PeerFetch fetch, const Limits& limits);
    PeerChecks(store::Store& store, const Clock& clock) : PeerChecks{store, clock, network_peer_fetch(), Limits{}} {}
    ~PeerChecks() { stop(); }
    PeerChecks(const PeerChecks&) = delete;
    PeerChecks& operator=(const PeerChecks&) = delete;

    /// For authority::ManufacturerAnchors: answers at once, from what is known. not_authorised, unavailable as ocsp::objection() has
    /// them; too_busy: not known yet. A check has been begun then, unless there is no room.
    Result<void> judge(const PeerPolicy& policy, const std::vector<ByteVec>& verified_chain);

    /// Sees what judge() found not to be known yet on this thread, while it lives.
    class Watch {
    public:
        Watch();
        ~Watch();
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;
        bool missed() const noexcept { return checks_ != nullptr; }
        /// Calls `resume` once, on a thread of the check's, when the check is done. False, and `resume` is dropped: nothing was
        /// missing, or there is no room to wait.
        bool wait(std::function<void()> resume) const;

    private:
        friend class PeerChecks;
        PeerChecks* checks_ = nullptr;
        crypto::Sha256 path_{};
    };

    /// From now on no new checks, and whoever waits goes on at once.
    void begin_stop();
    /// The same, and waits for those under way.
    void stop();

    const PeerCounters& counters() const noexcept { return counters_; }
    std::size_t waiting() const;

private:
    struct Path {
        std::vector<x509::Certificate> certificates;
        crypto::Sha256 key{};
    };
    class CheckJob;

    static Result<Path> read(const std::vector<ByteVec>& verified_chain);
    std::optional<ocsp::PathReport> known(const Path& path);
    bool begin(const PeerPolicy& policy, const Path& path);
    void run(const PeerPolicy& policy, const Path& path);
    ocsp::PathReport ask(const PeerPolicy& policy, const Path& path);
    void tell(const PeerPolicy& policy, const Path& path, const ocsp::PathReport& report);
    void audit(const PeerPolicy& policy, const Path& path, const Error& why);
    void finished(const crypto::Sha256& path) noexcept;
    bool wait(const crypto::Sha256& path, std::function<void()>& resume);

    store::Store& store_;
    const Clock& clock_;
    const PeerFetch fetch_;
    const Limits limits_;
    ocsp::StatusMemory memory_;
    PeerCounters counters_;
    mutable std::mutex mutex_;
    std::map<crypto::Sha256, std::vector<std::function<void()>>> under_way_;  // by path: who waits
    std::size_t waiting_ = 0;
    bool started_ = false, stopping_ = false;
    net::WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace estuary::daemon
