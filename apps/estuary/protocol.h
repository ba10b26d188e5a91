#pragma once
// --protocol: by what a directory is renewed and revoked.
#include <CLI/CLI.hpp>

#include "directory.h"
#include "exit_status.h"

namespace estuary::client {

struct ProtocolChoice {
    std::string name;   ///< "est", "cmp"; empty: as it was enrolled
    std::string url;    ///< of CMP; empty: as it was enrolled

    void add_to(CLI::App& command) {
        command.add_option("--protocol", name, "est or cmp; default: the one that it was enrolled by")->check(CLI::IsMember({"est", "cmp"}));
        command.add_option("--url", url, "With --protocol cmp: where, if it was enrolled by EST");
    }
    /// Usage error where nothing says where to.
    Outcome<bool> is_cmp_for(const EnrollmentState& state) const {
        const bool by_cmp = name.empty() ? state.by_cmp() || !url.empty() : name == "cmp";
        if (by_cmp && url.empty() && !state.by_cmp()) return usage_failure("it was enrolled by EST: say where CMP is spoken with --url URL");
        if (!by_cmp && (state.by_cmp() || !url.empty())) return usage_failure("it was enrolled by CMP, or --url says so; EST does not know where to go");
        return by_cmp;
    }
};

}  // namespace estuary::client
