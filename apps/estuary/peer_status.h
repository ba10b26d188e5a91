#pragma once
// The status of the server that the client talks to, before it is told anything.
#include <CLI/CLI.hpp>

#include "session.h"

namespace estuary::client {

enum class CheckServer : std::uint8_t {
    off,
    soft,  ///< fail-open: a status that cannot be had is a warning; a revoked certificate is refused
    hard,  ///< fail-closed: only a good certificate will do
};
/// --check-server
void add_check_server(CLI::App& command, CheckServer& mode);

/// Judges a connection whose server's path was verified. The issuer is taken from that very path.
Outcome<void> check_server_status(const net::Connection& connection, CheckServer mode, const Trust& trust, const Clock& clock);

/// Has every connection of the session checked before its first request; nothing for off.
void check_server_of(Session& session, CheckServer mode, const Trust& trust, const Clock& clock);

}  // namespace estuary::client
