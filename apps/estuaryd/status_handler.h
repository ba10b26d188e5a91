#pragma once
// The plain HTTP listener of relying parties: /crl/FILE, /ca/FILE.cer, /ocsp. Everything here is signed by itself and public;
// nothing else is ever served on it.
#include <array>
#include <atomic>
#include <mutex>

#include "apps/estuaryd/crl_files.h"
#include "apps/estuaryd/status_service.h"

namespace estuary::daemon {

struct StatusCounters {
    std::array<std::atomic<std::uint64_t>, 7> ocsp_by_status{};  ///< OCSPResponseStatus; [4] (not used there): refused by HTTP
    std::atomic<std::uint64_t> ocsp_ready{0};                    ///< of them: answered without a signature
    std::atomic<std::uint64_t> crls{0}, crls_not_modified{0};
};

/// The service and the files that are in force.
class StatusDesk {
public:
    struct Current {
        std::shared_ptr<StatusService> service;
        std::shared_ptr<CrlFiles> files;
    };
    /// Files of the same directory stay, with what is known of them.
    void replace(std::shared_ptr<StatusService> service);
    Current current() const;

    StatusCounters counters;

private:
    mutable std::mutex mutex_;
    Current current_;
};

class StatusHandler final : public net::Handler {
public:
    StatusHandler(StatusDesk& desk, const Clock& clock) : desk_{desk}, clock_{clock} {}

    bool is_quick(const http::Request& request) const override;
    void serve(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) override;

    /// One request's answer, without the sockets.
    http::Response answer(const http::Request& request);

private:
    http::Response serve_crl(const StatusDesk::Current& current, std::string_view name, const http::Request& request);
    http::Response count_ocsp(http::Response response);

    StatusDesk& desk_;
    const Clock& clock_;
};

}  // namespace estuary::daemon
