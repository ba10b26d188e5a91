#pragma once
// What a client has to show before it has a certificate of this CA: a user name and password, or a certificate of another's.
#include "directory.h"
#include "session.h"

namespace estuary::client {

struct LoginOptions {
    std::string user, password_file, certificate, certificate_key;
    bool password_stdin = false;
    void add_to(CLI::App& command);

    /// Nothing: no --user.
    Outcome<std::optional<HttpUser>> read_user() const;
    /// A certificate that the device already holds, for example its manufacturer's. Nothing: no --cert.
    Outcome<std::optional<net::ClientIdentity>> read_identity() const;
};

/// As the holder of an enrollment directory: its certificate, its trust anchors.
net::ClientOptions connect_as(const Identity& identity);

}  // namespace estuary::client
