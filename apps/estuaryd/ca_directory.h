#pragma once
// How a CA lies on disk. "ca" is a link to the current generation, so that a rollover is one rename:
//
//     ca -> ca.1
//     ca.1/root.pem  root.key  issuing.pem  issuing.key
//     ca.2/…                          after a rollover, with rollover.pem
//
// rollover.pem holds OldWithNew, NewWithOld, then the CA certificates of former generations that have not expired.
#include <filesystem>

#include "estuary/authority/ceremony.h"

namespace estuary::daemon {

struct CaFiles {
    std::filesystem::path directory;   ///< the generation itself, links resolved
    x509::Certificate issuing, root;
    std::vector<x509::Certificate> rollover;
    std::filesystem::path issuing_key() const { return directory / "issuing.key"; }
    std::filesystem::path root_key() const { return directory / "root.key"; }
};

/// "/data/ca.3" is 3; 0 if the name does not end so.
unsigned generation_of(const std::filesystem::path& directory);

/// Reads certificates only; resolves the link once, so that all files are of one generation.
Result<CaFiles> read_ca_directory(const std::filesystem::path& link);

/// Writes the first generation, `link`.1, and the link to it.
Result<void> write_first_generation(const std::filesystem::path& link, const authority::NewCa& ca,
                                    const crypto::Secret* passphrase);
/// Writes the next generation beside the current one and turns the link to it: the last step, atomic.
Result<std::filesystem::path> write_next_generation(const std::filesystem::path& link, const CaFiles& current,
                                                    const authority::RolledOver& rolled_over, Time now,
                                                    const crypto::Secret* passphrase);

/// Of a rollover: certificates of the current root's key by former roots (NewWithOld), for those who trust only them.
std::vector<x509::Certificate> links_to_former_roots(const x509::Certificate& root,
                                                     const std::vector<x509::Certificate>& rollover);

/// A certificate signed by its own key.
bool is_self_signed(const x509::Certificate& certificate);

}  // namespace estuary::daemon
