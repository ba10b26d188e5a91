#pragma once
// Claims in memory on what only one request at a time may do; held as leases until the outcome of the commit is known.
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

#include "estuary/store/records.h"

namespace estuary::authority {

/// Claims live as long as their leases, also longer than this object (a unit of work may outlive a reload). Thread-safe.
class Claims {
public:
    Claims() : state_{std::make_shared<State>()} {}

    using Lease = std::shared_ptr<void>;
    /// Nothing if an identical request is under way.
    Lease request(const store::RequestKey& key);

    struct Use {
        Lease lease;
        std::int64_t in_flight = 0;   ///< uses of this credential under way, this one included
    };
    Use credential(std::int64_t id);

private:
    struct State {
        std::mutex mutex;
        std::set<store::RequestKey> requests;
        std::unordered_map<std::int64_t, std::int64_t> uses;
    };
    std::shared_ptr<State> state_;
};

}  // namespace estuary::authority
