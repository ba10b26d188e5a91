#pragma once
// A certificate by CMP, from the wish to the directory: ir, cr, kur and p10cr.
#include "cmp_session.h"

namespace estuary::client {

struct CmpEnrollOptions {
    CmpOptions cmp;
    cmp::BodyType type = cmp::BodyType::ir;
    std::string subject, key_type, key_file, request_file, profile, out;
    std::vector<std::string> names;
    CmpFiles files;
    CmpPassphraseOptions conveyed = {};
    bool generate_there = false, confirm = false, challenge = false, encrypted = false, agreement_proof = false, same_key = false, force = false;
};

/// The path of the new certificate, root left out; the certificate alone where there is nothing to verify it by.
Result<std::vector<x509::Certificate>> chain_of(const cmp::Enrolled& enrolled, const std::vector<x509::Certificate>& anchors, Time now);

/// Asks for the certificate, or goes on with the request that waits in DIR/pending if it is this one; checks, saves and shows it.
/// kur: `out` is the directory, which also signs.
Outcome<void> enroll_by_cmp(CmpEnrollOptions options, const Clock& clock);
/// The same of several certificates by one ir or cr, each into its own directory. How and where, the first says for all. What is refused
/// does not keep the others from being saved; it is told, and is the exit status.
Outcome<void> enroll_by_cmp(std::vector<CmpEnrollOptions> wanted, const Clock& clock);

}  // namespace estuary::client
