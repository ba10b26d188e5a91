#pragma once
// Who tells status here: every CA, and every former generation of it whose certificates are still in use, each under a name of
// its own. Read from certificates alone, for those who look at what is published.
#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/config.h"

namespace estuary::daemon {

struct Publisher {
    const CaSection* section = nullptr;
    std::string base;                       ///< its name in records of lists, in files and URIs; unique
    x509::Certificate certificate;
    std::optional<x509::Certificate> root;  ///< above it, where that is a root of our own making
    bool former = false;
};

/// Each CA's current generation, followed by its former ones that have not expired, the newest first. What cannot be read is left
/// out: whoever loads it tells. `configuration` outlives the result.
std::vector<Publisher> publishers(const Configuration& configuration, Time now);
const Publisher* find_publisher(const std::vector<Publisher>& all, std::string_view base);
/// Who signs lists about a certificate that was issued under that CA's name; null: nobody any more.
const Publisher* publisher_of(const std::vector<Publisher>& all, std::string_view ca, const x509::Certificate& certificate);
/// The roots above them, each once, in the same order.
std::vector<x509::Certificate> roots_of(const std::vector<Publisher>& all);

/// Former generations as they lie on disk, the newest first: those that the current one knows as its former, and that have not
/// expired at `now`.
struct FormerFiles {
    unsigned number = 0;
    CaFiles files;
};
std::vector<FormerFiles> former_files(const CaSection& section, const CaFiles& current, Time now);

}  // namespace estuary::daemon
