#pragma once
// Makes a generation: from a configuration that was read to everything that serves it.
#include "apps/estuaryd/handler.h"
#include "apps/estuaryd/program.h"

namespace estuary::daemon {

struct MadeGeneration {
    std::shared_ptr<const Generation> generation;
    net::TlsIdentity tls;
};

/// Loads keys and certificates, renews the server's own certificate if that is due. Faults and warnings go to `tell`, one
/// line each; nothing if there was a fault.
std::optional<MadeGeneration> make_generation(Configuration configuration, const std::string& passphrase_file,
                                              store::Store& store, const Program& program,
                                              const std::function<void(const Fault&)>& tell);

/// Only the server's certificate again: a new identity if it was renewed. Trouble is logged; the old one goes on.
std::optional<net::TlsIdentity> renew_if_due(const Generation& generation, const std::string& passphrase_file,
                                             store::Store& store, const Program& program);

}  // namespace estuary::daemon
