#pragma once
// Nonces of HTTP Digest (RFC 7616 3.3): stateless to hand out, counted once they are used, in bounded memory.
#include <map>
#include <mutex>
#include <optional>

#include "estuary/base/clock.h"
#include "estuary/crypto/digest.h"
#include "estuary/crypto/secret.h"

namespace estuary::est {

/// A nonce is time, sequence number and a MAC over both; who asks for a challenge costs no memory. The count `nc` of a nonce
/// that authenticated somebody is kept, so that nothing is accepted twice. Thread-safe.
class DigestNonces {
public:
    static constexpr std::size_t counted_max = 16'384;   ///< nonces in use; about 1 MB. Past it the oldest become stale

    /// `lifetime` in seconds; the MAC's key lives as long as this object.
    DigestNonces(Seconds lifetime, const Clock& clock, crypto::Entropy& entropy, std::size_t counted = counted_max);

    std::string make();
    /// Ours, and neither too old nor forgotten.
    bool is_fresh(std::string_view nonce) const;
    /// Once a response was verified: false if this or a later count was seen with this nonce, or it went stale meanwhile.
    bool use(std::string_view nonce, std::uint32_t count);

private:
    struct Parts {
        std::int64_t time = 0;
        std::uint64_t sequence = 0;
    };
    std::optional<Parts> open(std::string_view nonce) const;

    Seconds lifetime_;
    const Clock& clock_;
    std::size_t counted_max_;
    crypto::Secret key_;
    mutable std::mutex mutex_;
    std::uint64_t next_ = 1;
    std::uint64_t forgotten_up_to_ = 0;              // sequence numbers; their counts are not known any more
    std::map<std::uint64_t, std::uint32_t> counts_;  // sequence number, last count seen
};

}  // namespace estuary::est
