#pragma once
// Where packages come from: an enrollment directory says server, identity and trust; a URL needs them on the command line.
#include "directory.h"
#include "login.h"
#include "peer_status.h"

namespace estuary::client {

struct SourceOptions {
    std::string from, label;
    LoginOptions login;
    ocsp::PeerCheck check_server = ocsp::PeerCheck::off;
    TrustOptions trust;
    void add_to(CLI::App& command);
};

struct Source {
    std::unique_ptr<HttpUser> user;
    std::optional<Identity> identity;                 ///< of the directory
    std::vector<x509::Certificate> anchors;           ///< of the server; empty: the system's
    std::unique_ptr<Session> session;
};
Outcome<Source> open_source(const SourceOptions& options, const Clock& clock);

/// Every entry of the list, through all of its parts (RFC 8295 2.1.1, type 0001).
Outcome<std::vector<est::PalEntry>> whole_pal(Session& session);

}  // namespace estuary::client
