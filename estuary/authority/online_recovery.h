#pragma once
// The online recovery agent: archived private keys for those whose they are, opened by this server itself. Operators approve each
// recovery as they do any other (key_recovery.h); only what has all its approvals is ever decrypted, and only in here.
#include <functional>

#include "estuary/authority/authority.h"
#include "estuary/authority/key_recovery.h"

namespace estuary::authority {

struct OnlineRecovery {
    x509::Certificate certificate;   ///< one of Config::recovery_agents
    crypto::PrivateKey key;
    RecoveryRules rules;
};

/// Archived keys of one requester's. Whose they are: certificates of the CA and label that this very requester has asked for, or that
/// have the very subject of its own certificate of the same CA and label.
struct KeysWanted {
    std::string ca, label;
    Principal principal;                      ///< no registration authority's, no manufacturer's
    std::optional<ByteVec> serial_number{};   ///< only of this certificate
    std::optional<x509::Name> subject{};      ///< only of certificates with this subject
    /// What tells this request from every other of the same requester's, and tells the operators to whom the keys will go.
    std::string reason;
    bool spend = true;                        ///< one use of a limited credential, by recover_keys()
    /// Called with each key before anything is recorded; its error ends the recovery.
    std::function<Result<void>(const x509::Certificate&, const crypto::PrivateKey&)> deliver{};
};

inline constexpr std::size_t recovered_keys_max = 32;   ///< by one request

}  // namespace estuary::authority
