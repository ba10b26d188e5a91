#pragma once
// What will end, and how soon somebody must do something about it.
#include "apps/estuaryd/config_table.h"
#include "apps/estuaryd/crl_files.h"
#include "estuary/authority/authority.h"

namespace estuary::daemon {

struct Expiry {
    std::string what, name;   ///< "CA certificate", "CN=…"
    Time at{};
    Seconds notice{}, urgent{};  ///< before `at`
    std::string advice;
    Place place;

    enum class Urgency : std::uint8_t { none, notice, urgent, past };
    Urgency urgency(Time now) const noexcept;
};

/// CA certificates and what stands above them, the TLS certificate.
std::vector<Expiry> certificate_expiries(const Configuration& configuration, const authority::Authority& authority);
/// OCSP signers and CRLs.
std::vector<Expiry> status_expiries(const Configuration& configuration, CrlFiles& files, store::Store& store, Time now);

/// All of it, louder the nearer the end: info, warning, error.
void log_expiries(const std::vector<Expiry>& list, Time now);
/// What is near or past. Warnings: to serve, or to do what the advice says, mends it.
void tell_expiries(const std::vector<Expiry>& list, Time now, Faults& faults);

}  // namespace estuary::daemon
