#pragma once
// Checks passwords such that neither a flood of guesses nor the price of a memory-hard hash can stop honest clients.
#include <atomic>
#include <map>
#include <mutex>

#include "estuary/authority/failures.h"
#include "estuary/authority/principal.h"
#include "estuary/crypto/password.h"

namespace estuary::authority {

/// Thread-safe. Generated passwords are 128 random bits: they are checked by one MAC, always, and nothing slows a right one.
/// Chosen ones cost a scrypt the first time; verified ones are remembered for a while under a key of this process.
class PasswordChecker {
public:
    PasswordChecker(const crypto::Secret& password_key, unsigned slow_hashes_max, crypto::Entropy& entropy);

    /// `record`: what the store has under `name`; nothing: unknown. The error for an unknown name, a wrong password and an
    /// expired credential is the same not_authenticated; too_busy with a time to wait if guesses are slowed or hashes capped.
    Result<void> check(const std::optional<store::CredentialRecord>& record, std::string_view name,
                       const crypto::Secret& password, std::string_view address, Time now);

    /// For Digest, where the proof is checked elsewhere.
    Result<void> may_try(std::string_view name, std::string_view address, Time now);
    void failed(std::string_view name, std::string_view address, Time now);

    static tl::unexpected<Error> refused();

private:
    Result<void> check_fast(const store::CredentialRecord* record, const crypto::Secret& password, std::string_view name,
                            std::string_view address, Time now);
    Result<void> check_slow(const store::CredentialRecord& record, const crypto::Secret& password, std::string_view name,
                            std::string_view address, Time now);
    Result<void> hash_slowly(const store::CredentialRecord& record, const crypto::Secret& password, std::string_view name,
                             std::string_view address, Time now);
    tl::unexpected<Error> failure(std::string_view name, std::string_view address, Time now);
    crypto::Sha256 memory_key(const store::CredentialRecord& record, const crypto::Secret& password) const;
    bool remembers(const crypto::Sha256& key, Time now);
    void remember(const crypto::Sha256& key, Time now);

    const crypto::Secret& password_key_;
    const unsigned slow_hashes_max_;
    std::atomic<unsigned> slow_hashes_{0};
    Failures failures_;
    crypto::Sha256 process_key_{};
    std::string unknown_hash_;   ///< what an unknown name is checked against
    std::mutex mutex_;
    std::map<crypto::Sha256, Time> remembered_;   // until when
};

}  // namespace estuary::authority
