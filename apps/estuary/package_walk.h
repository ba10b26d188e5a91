#pragma once
// Walks a package list, and keeps what can be believed.
#include <filesystem>

#include "estuary/est/keygen.h"
#include "package_source.h"

namespace estuary::client {

struct WalkOptions {
    std::filesystem::path out;
    std::vector<std::string> types;                   ///< only these, by number or name; empty: all
    std::vector<x509::Certificate> signers;           ///< trust anchors of those who sign packages; empty: the server's
    est::KeyOpener opener;                            ///< verifies also inside of what it opens; packages are kept as they came
    bool again = false;                               ///< also what was fetched before and is still there
    bool allow_unsigned = false;                      ///< packages that nobody has signed
};

struct Walked {
    std::size_t kept = 0, there_already = 0;
    std::vector<std::string> refused;                 ///< what was not kept, and why
    std::vector<std::string> to_do;                   ///< what the server asks of this client
};

/// Fetches, checks and stores. What is refused does not keep the rest from being fetched; an error ends the walk.
Outcome<Walked> walk(Source& source, const WalkOptions& options, const Clock& clock);

/// Under which name a package is kept: "0026-12.cms". Whatever the URI says, it is a plain file name.
std::string file_name_of(const est::PalType& type, std::string_view path);

}  // namespace estuary::client
