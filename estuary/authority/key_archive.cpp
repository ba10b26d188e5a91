#include "estuary/authority/key_archive.h"

#include "estuary/cms/key_package.h"

namespace estuary::authority {

Result<store::ArchivedKey> archive_key(const crypto::PrivateKey& key, const std::vector<x509::Certificate>& agents, Time now) {
    ESTUARY_TRY(const auto package, cms::encode_key_package(key));
    cms::EnvelopedDataBuilder message{cms::oid::asymmetric_key_package, package.reveal()};
    message.cipher("AES-256-CBC");
    store::ArchivedKey record;
    for (const auto& agent : agents) {
        message.recipient(agent, cms::RsaPadding::oaep);
        record.agents += (record.agents.empty() ? "" : " | ") + agent.subject().to_text();
    }
    ESTUARY_TRY(record.envelope, message.build());
    record.archived_at = now;
    return record;
}

}  // namespace estuary::authority
