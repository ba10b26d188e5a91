#pragma once
// The commands below `estuary cmp`.
#include <CLI/CLI.hpp>

#include "cmp_kept.h"

namespace estuary::client {

struct CmpRevokeOptions {
    CmpOptions cmp;
    CmpKeptOptions kept = {};
    CmpPassphraseOptions conveyed = {};
    std::string certificate;                ///< to be revoked; empty: the one that signs
    std::string issuer, serial_number;      ///< the same without the certificate: a DN, hexadecimal digits
    std::string reason = "unspecified";
};
Outcome<void> revoke_by_cmp(const CmpRevokeOptions& options, const Clock& clock);

void add_cmp_enroll(CLI::App& cmp, const Clock& clock, int& status);   ///< ir, cr, kur, p10cr
void add_cmp_revoke(CLI::App& cmp, const Clock& clock, int& status);   ///< rr
void add_cmp_recover(CLI::App& cmp, const Clock& clock, int& status);  ///< krr
void add_cmp_cross(CLI::App& cmp, const Clock& clock, int& status);    ///< ccr
void add_cmp_ask(CLI::App& cmp, const Clock& clock, int& status);      ///< genm

}  // namespace estuary::client
