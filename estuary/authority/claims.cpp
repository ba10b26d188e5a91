#include "estuary/authority/claims.h"

namespace estuary::authority {
namespace {

/// Runs `release` when the last copy of the lease goes.
template <class Release>
Claims::Lease make_lease(Release release) {
    struct Holder {
        explicit Holder(Release r) : release_{std::move(r)} {}
        Holder(const Holder&) = delete;
        Holder& operator=(const Holder&) = delete;
        ~Holder() { release_(); }
        Release release_;
    };
    return std::make_shared<Holder>(std::move(release));
}

}  // namespace

Claims::Lease Claims::request(const store::RequestKey& key) {
    {
        const std::lock_guard lock{state_->mutex};
        if (!state_->requests.insert(key).second) return nullptr;
    }
    return make_lease([state = state_, key] {
        const std::lock_guard lock{state->mutex};
        state->requests.erase(key);
    });
}

Claims::Use Claims::credential(std::int64_t id) {
    Use use;
    {
        const std::lock_guard lock{state_->mutex};
        use.in_flight = ++state_->uses[id];
    }
    use.lease = make_lease([state = state_, id] {
        const std::lock_guard lock{state->mutex};
        const auto count = state->uses.find(id);
        if (count != state->uses.end() && --count->second == 0) state->uses.erase(count);
    });
    return use;
}

}  // namespace estuary::authority
