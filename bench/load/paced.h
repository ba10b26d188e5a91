#pragma once
// How long requests take that come steadily while something else goes on.
#include <chrono>
#include <memory>

#include "cases.h"

namespace estuary::load {

struct Paced {
    std::string name;
    std::size_t requests = 0;
    double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

/// Requests of one kind, so many a second, on two connections.
struct Kind {
    std::string name;
    unsigned per_second = 0;
    std::function<std::unique_ptr<Connection>()> connect;
    std::function<const std::string&(std::size_t)> request;
    std::function<void(std::size_t, const Reply&)> take = [](std::size_t, const Reply& reply) { expect_200(reply); };
};

/// All kinds at the same time for so long. A time counts from when the request was due: who is late because the one before was slow is
/// slow, too.
std::vector<Paced> pace(const std::vector<Kind>& kinds, std::chrono::seconds duration);

/// A second's 200 of /cacerts, 60 enrollments and 400 OCSP requests that are signed each.
std::vector<Paced> paced(const Target& target, const Address& status, const std::string& issuer_pem, std::chrono::seconds duration);

}  // namespace estuary::load
