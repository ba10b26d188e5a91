#pragma once
// Makes a generation: from a configuration that was read to everything that serves it.
#include "apps/estuaryd/handler.h"
#include "apps/estuaryd/peer_checks.h"
#include "apps/estuaryd/program.h"
#include "apps/estuaryd/session.h"

namespace estuary::daemon {

struct MadeGeneration {
    std::shared_ptr<const Generation> generation;
    net::TlsIdentity tls;
};

/// Loads keys and certificates, renews the server's own certificate if that is due. Faults and warnings go to `tell`, one
/// line each; nothing if there was a fault. `checks` outlives it; `keys` are those kept ready for others.
std::optional<MadeGeneration> make_generation(Configuration configuration, const std::string& passphrase_file,
                                              store::Store& store, PeerChecks& checks, const Program& program,
                                              const std::function<void(const Fault&)>& tell,
                                              std::shared_ptr<authority::KeyPool> keys = {});

/// Only what answers messages that come in files: the authority with its CAs, and the ways to those above. policy where the
/// configuration cannot be used.
Result<std::shared_ptr<const Generation>> answering_generation(Session& session, const crypto::Secret* passphrase, const Program& program);

/// What is told of CRLs in answers: the complete lists of a CA's shards, and the root's, as they are published.
est::CrlSource crl_source(const Configuration& configuration, authority::Authority& authority);

/// Only the server's certificate again: a new identity if it was renewed. Trouble is logged; the old one goes on.
std::optional<net::TlsIdentity> renew_if_due(const Generation& generation, const std::string& passphrase_file,
                                             store::Store& store, const Program& program);

/// Who answers CMC, where that is due. Trouble is logged; what there is goes on.
void renew_cmc(const Generation& generation, const std::string& passphrase_file, store::Store& store, const Program& program);

}  // namespace estuary::daemon
