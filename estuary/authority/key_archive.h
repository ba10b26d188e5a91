#pragma once
// Archived private keys: encrypted for recovery agents before they are kept (RFC 7030 4.4, RFC 5958 4). Who has the store has
// nothing; who has an agent's private key needs the store, and the approvals of key_recovery.h.
#include "estuary/crypto/key.h"
#include "estuary/store/keys.h"
#include "estuary/x509/certificate.h"

namespace estuary::authority {

/// An EnvelopedData with an AsymmetricKeyPackage of one key inside, that each of the agents can open by itself. bad_key: a
/// certificate of theirs that cannot receive; malformed: no agent.
Result<store::ArchivedKey> archive_key(const crypto::PrivateKey& key, const std::vector<x509::Certificate>& agents, Time now);

}  // namespace estuary::authority
