#include "estuary/authority/key_archive.h"

#include <algorithm>

#include "estuary/cms/key_package.h"
#include "estuary/cms/oids.h"

namespace estuary::authority {
namespace {

/// Null: it names no certificate.
const cms::Identifier* agent_of(const cms::Recipient& recipient) {
    if (const auto* transport = std::get_if<cms::KeyTransport>(&recipient)) return &transport->recipient;
    if (const auto* agreement = std::get_if<cms::KeyAgreement>(&recipient)) return &agreement->recipient;
    if (const auto* encapsulation = std::get_if<cms::KeyEncapsulation>(&recipient)) return &encapsulation->recipient;
    return nullptr;
}

}  // namespace

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

bool is_archived_for(const store::ArchivedKey& archived, const x509::Certificate& agent) {
    const auto envelope = cms::EnvelopedData::parse(archived.envelope);
    return envelope && std::ranges::any_of(envelope->recipients(), [&](const cms::Recipient& recipient) {
               const auto* named = agent_of(recipient);
               return named != nullptr && named->names(agent);
           });
}

Result<crypto::PrivateKey> open_archived_key(const store::ArchivedKey& archived, const x509::Certificate& agent, const crypto::PrivateKey& key) {
    const auto opened = [&]() -> Result<crypto::PrivateKey> {
        ESTUARY_TRY(const auto envelope, cms::EnvelopedData::parse(archived.envelope));
        ESTUARY_TRY(const auto package, envelope.open(cms::KeyHolder{key, agent}));
        return cms::decode_key_package(package.reveal());
    }();
    if (!opened) return fail(Code::internal, "an archived key cannot be opened", opened.error().detail);
    return *opened;
}

}  // namespace estuary::authority
