#pragma once
// The status of the server that the client talks to, before it is told anything.
#include <CLI/CLI.hpp>

#include "estuary/ocsp/status_check.h"
#include "session.h"

namespace estuary::client {

/// --check-server
void add_check_server(CLI::App& command, ocsp::PeerCheck& mode);

/// Judges a path that was verified, the server's certificate first and the anchor last. For `soft`, a warning goes to standard error where
/// nobody can tell; off: nothing is asked.
Outcome<void> check_path_status(const std::vector<x509::Certificate>& path, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock);

/// Judges a connection whose server's path was verified, by the certificates of that very path, as check_path_status() does.
Outcome<void> check_server_status(const net::Connection& connection, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock);

/// Has every connection of the session checked before its first request; nothing for off.
void check_server_of(Session& session, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock);

}  // namespace estuary::client
