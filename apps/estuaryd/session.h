#pragma once
// What commands on an installation share: its configuration and its database, opened beside a running server.
#include "apps/estuaryd/commands.h"
#include "apps/estuaryd/config.h"
#include "estuary/authority/authority.h"

namespace estuary::daemon {

struct Session {
    Configuration configuration;
    std::unique_ptr<store::Store> store;
};

/// malformed naming the first fault of the configuration; not_found if there is no installation; unavailable if the
/// database cannot be opened.
Result<Session> open_session(const std::filesystem::path& directory);

/// An authority without CAs of its own, but with those above this server: it decides, revokes and audits for the operator, and can sign nothing.
Result<std::unique_ptr<authority::Authority>> operator_authority(Session& session, const Program& program);
authority::Principal operator_principal();

/// Appends an audit line of the operator's.
void audit(store::UnitOfWork& work, const Program& program, std::string event, std::string object, std::string detail);

}  // namespace estuary::daemon
