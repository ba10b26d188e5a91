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

/// Whether this agent is one of those who can open it.
bool is_archived_for(const store::ArchivedKey& archived, const x509::Certificate& agent);
/// The key, opened with an agent's. internal: it cannot be opened, or is no key: told alike (bug class 17).
Result<crypto::PrivateKey> open_archived_key(const store::ArchivedKey& archived, const x509::Certificate& agent, const crypto::PrivateKey& key);

}  // namespace estuary::authority
