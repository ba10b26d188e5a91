#pragma once
// Whom the client trusts: anchors from a file, by fingerprint, of the system, or shown to a person (RFC 7030 4.1.1).
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "estuary/est/client.h"
#include "estuary/http/grammar.h"
#include "exit_status.h"

namespace estuary::client {

/// What the command line says about trust.
struct TrustOptions {
    std::string file;          ///< --trust
    std::string fingerprint;   ///< --fingerprint
    bool bootstrap = false;    ///< --bootstrap
    bool system = false;       ///< --system-trust
    void add_to(CLI::App& command);
};

/// The anchors of the Explicit TA database, and whether the system's are to be used instead.
struct Trust {
    std::vector<x509::Certificate> anchors;
    bool system = false;
};

/// Turns the options into trust. For --fingerprint and --bootstrap it asks the server over a provisional connection for
/// /cacerts and for nothing else; --bootstrap shows the fingerprint and asks on the terminal, or fails with exit_not_trusted
/// when there is none.
Outcome<Trust> establish_trust(const TrustOptions& options, const http::Url& base, const Clock& clock);

}  // namespace estuary::client
