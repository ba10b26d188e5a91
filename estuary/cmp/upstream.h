#pragma once
// A CA above that speaks CMP (RFC 9483 5.3): the authority's requests go out as p10cr and cr, its revocations as rr, signed by this
// registration authority (id-kp-cmcRA). What is under way is in the store, so that it is gone on with after a restart.
#include <atomic>

#include "estuary/authority/upstream.h"
#include "estuary/cmp/channel.h"
#include "estuary/cmp/client.h"

namespace estuary::cmp {

struct UpstreamConfig {
    std::string ca;                        ///< its name here
    x509::Certificate issuer;              ///< who issues there: for rr
    ClientConfig client;                   ///< the registration authority's own credentials, and whose answers are believed
    std::string profile{};                 ///< certProfile of every request; empty: absent
    unsigned concurrent_max = 4;           ///< requests at a time; more: too_busy
    Seconds keep{30 * 86400};              ///< how long a request that waits can be asked for again
};

class UpstreamCa final : public authority::Upstream {
public:
    /// policy: credentials that do not fit together. `store`, `clock` and `entropy` outlive it.
    static Result<std::unique_ptr<UpstreamCa>> create(UpstreamConfig config, Channel channel, store::Store& store, const Clock& clock,
                                                      crypto::Entropy& entropy);

    Result<bool> is_open(const store::RequestKey& key) override;
    Result<authority::UpstreamOutcome> enroll(const authority::UpstreamRequest& request, store::UnitOfWork opening,
                                              const std::function<Result<void>(const x509::Certificate&)>& record) override;
    Result<void> revoke(Bytes serial_number, store::RevocationReason reason) override;

private:
    UpstreamCa(UpstreamConfig config, Client client, Channel channel, store::Store& store, const Clock& clock)
        : config_{std::move(config)}, client_{std::move(client)}, channel_{std::move(channel)}, store_{store}, clock_{clock} {}

    Result<Wish> wish_for(const x509::CertificationRequest& request, std::function<Result<void>(const Enrolled&)> accept) const;
    Result<std::shared_ptr<void>> permit();
    store::RequestKey record_key(const store::RequestKey& key) const;
    Result<void> keep(const store::RequestKey& key, const ClientTransaction& transaction, std::int64_t& revision, store::UnitOfWork work);
    Result<void> forget(const store::RequestKey& key);
    Result<void> send_revocation(Bytes serial_number, store::RevocationReason reason);

    UpstreamConfig config_;
    Client client_;
    Channel channel_;
    store::Store& store_;
    const Clock& clock_;
    std::atomic<unsigned> running_{0};
};

}  // namespace estuary::cmp
