#pragma once
// The status of the server that the client talks to, before it is told anything.
#include <CLI/CLI.hpp>

#include "estuary/ocsp/status_check.h"
#include "session.h"

namespace estuary::client {

/// --check-server
void add_check_server(CLI::App& command, ocsp::PeerCheck& mode);

/// Judges a connection whose server's path was verified, by the certificates of that very path. For `soft`, a warning goes to standard
/// error where nobody can tell.
Outcome<void> check_server_status(const net::Connection& connection, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock);

/// Has every connection of the session checked before its first request; nothing for off.
void check_server_of(Session& session, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock);

}  // namespace estuary::client
