#pragma once
// A CA that is somebody else's: this server is a registration authority in front of it. A river's client implements the interface
// and the app wires it in; the authority asks it for whatever came in by any protocol.
#include "estuary/authority/authority.h"

namespace estuary::authority {

/// What goes to the CA above. Nothing is in it that policy has not agreed to.
struct UpstreamRequest {
    store::RequestKey key{};              ///< names the request, also after a restart
    /// With possession `signature` it goes on as it came (der()); otherwise its parts do, and this registration authority vouches for
    /// the possession.
    x509::CertificationRequest request;
};

/// The CA above has not decided yet.
struct UpstreamWaiting {
    Seconds retry_after{};
};
using UpstreamOutcome = std::variant<x509::Certificate, UpstreamWaiting>;

/// Synchronous and thread-safe; takes as long as the network does. Errors are for whoever asked here: too_busy, unavailable: the CA
/// above cannot be asked now, ask again with the same key; policy, not_authorised, …: it refuses.
class Upstream {
public:
    virtual ~Upstream() = default;
    /// Whether this request was begun and has not ended: an answer to it is still to come, or to be confirmed.
    virtual Result<bool> is_open(const store::RequestKey& key) = 0;
    /// Begins a request or goes on with it. `opening` becomes durable together with what is sent, before that is sent. `record` gets
    /// the certificate before it is confirmed to the CA above and makes it durable; its error rejects the certificate there. It may
    /// be called again with the same certificate after a failure.
    virtual Result<UpstreamOutcome> enroll(const UpstreamRequest& request, store::UnitOfWork opening,
                                           const std::function<Result<void>(const x509::Certificate&)>& record) = 0;
    /// Has the CA above revoke, or lift a hold. What is revoked there already is no error.
    virtual Result<void> revoke(Bytes serial_number, store::RevocationReason reason) = 0;
};

}  // namespace estuary::authority
