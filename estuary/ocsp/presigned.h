#pragma once
// Signed answers kept in memory. Inside this room only.
#include <list>
#include <mutex>
#include <unordered_map>

#include "estuary/ocsp/responder.h"

namespace estuary::ocsp {

/// Whom an answer is about, and in which form: the same certificate has up to eight CertIDs here (SHA-1 or SHA-256, parameters
/// NULL or absent, …) for each signer.
struct PresignedKey {
    std::size_t issuer = 0, signer = 0;  ///< places in the responder's tables
    CertId id;
};

/// Bounded by count and octets: what was not asked for longest goes first. Safe to use from several threads.
class Presigned {
public:
    explicit Presigned(const PresignedLimits& limits);

    /// Whether answers of this form are kept at all.
    bool takes(const CertId& id) const noexcept;

    struct Hit {
        AnswerPtr answer;
        CertificateState state;  ///< what it says
    };
    /// Nothing if there is none that is fresh at `now`.
    std::optional<Hit> find(const PresignedKey& key, Time now);

    /// Taken before the state of a certificate is asked for: an answer made from that state is only kept if nothing was
    /// forgotten in between.
    struct Ticket {
        std::uint64_t forgotten = 0;
    };
    Ticket begin(std::size_t issuer, Bytes serial_number);
    void keep(const PresignedKey& key, Hit made, Ticket ticket);

    /// Drops all answers about a certificate. `signers`: how many the issuer has.
    void forget(std::size_t issuer, Bytes serial_number, std::size_t signers);
    void drop(const PresignedKey& key);

    struct Due {
        PresignedKey key;
        bool asked_for = false;  ///< since it was signed
        Time next_update{};
    };
    /// What has lived half of its life, of one of `parts()` parts.
    std::vector<Due> due(std::size_t part, Time now);
    std::size_t parts() const noexcept { return shards_.size(); }

    std::size_t count() const;

private:
    struct Entry {
        std::string name;  ///< what it is found by
        PresignedKey key;
        Hit hit;
        bool asked_for = false;
        std::size_t octets() const;
    };
    using Entries = std::list<Entry>;  // asked for last comes first
    struct Shard {
        mutable std::mutex mutex;
        Entries entries;
        std::unordered_map<std::string_view, Entries::iterator> by_name;  // into Entry::name
        std::size_t octets = 0;
        std::uint64_t forgotten = 0;  // how often forget() came by

        void erase(Entries::iterator entry);
    };

    Shard& shard_of(std::size_t issuer, Bytes serial_number);

    std::size_t count_max_, octets_max_;  // of one shard
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace estuary::ocsp
