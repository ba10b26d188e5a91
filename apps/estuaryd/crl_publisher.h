#pragma once
// CRLs made and released: on schedule, and at once for what was revoked. Nothing is released before the store has its number.
#include <chrono>
#include <map>
#include <stop_token>

#include "apps/estuaryd/crl_files.h"
#include "apps/estuaryd/status_service.h"

namespace estuary::daemon {

/// What was published at one go.
struct PublishedList {
    store::CrlRecord record;
    std::string file_name;
};

/// The next list of a shard in the issuer's name: number taken and committed, then released. conflict: somebody else was faster.
/// The order: made, staged, recorded, released, under the directory's lock; a fall in between leaves the former list, and a
/// number unused.
Result<PublishedList> publish_crl(const StatusIssuer& issuer, unsigned shard, authority::CrlKind kind, CrlFiles& files,
                                  store::Store& store);

/// Reads the revocation log as it grows, also by other processes' writing.
class RevocationWatch {
public:
    RevocationWatch(store::Store& store, std::int64_t position) : store_{store}, position_{position} {}
    /// Oldest first; none mostly, which costs one small read.
    Result<std::vector<store::RevocationChange>> news();

private:
    store::Store& store_;
    std::int64_t position_;
};

/// Decides what to publish when. Not thread-safe: one thread's own.
class CrlPublisher {
public:
    using Moment = std::chrono::steady_clock::time_point;

    CrlPublisher(store::Store& store, const Clock& clock) : store_{store}, clock_{clock} {}
    /// Looks, and publishes what is due, until `stop`. `now` only times pauses; schedules go by the clock.
    void step(const std::shared_ptr<StatusService>& service, CrlFiles& files, Moment now, const std::stop_token& stop = {});

private:
    struct Key {
        std::string base;  ///< StatusIssuer::base
        unsigned shard = 0;
        auto operator<=>(const Key&) const = default;
    };
    struct Shard {
        std::optional<store::CrlRecord> complete, delta;
        bool complete_missing = false, delta_missing = false;  ///< no file, an older one, or one of another key
        std::int64_t wanted = 0;                               ///< the newest change that a list has to tell
        Moment not_before{};                                   ///< a pause, after a failure or in a storm
        unsigned failures = 0;
        std::string trouble;                                   ///< what was logged last
    };

    Result<void> look_at_all(CrlFiles& files, Moment now);
    Result<void> look_at(const StatusIssuer& issuer, unsigned number, Shard& shard, CrlFiles& files);
    Result<void> take_news();
    void trouble(const Error& error);
    std::optional<authority::CrlKind> due(const StatusIssuer& issuer, const Shard& shard) const;
    void publish(const StatusIssuer& issuer, const Key& key, Shard& shard, authority::CrlKind kind, CrlFiles& files, Moment now);
    void failed(const Key& key, Shard& shard, const Error& error, Moment now);
    /// Null: gone with a reload, or with its end.
    const StatusIssuer* issuer_of(const Key& key) const;

    store::Store& store_;
    const Clock& clock_;
    std::shared_ptr<StatusService> service_;
    std::map<Key, Shard> shards_;
    std::optional<RevocationWatch> watch_;
    Moment next_look_{};
    std::string trouble_;  ///< what was logged last
};

}  // namespace estuary::daemon
