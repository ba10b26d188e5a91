#pragma once
// rr and genm that take longer than the process: what they have to remember is one file.
#include "cmp_session.h"

namespace estuary::client {

/// What the command line says about it.
struct CmpKeptOptions {
    CmpFiles files;
    std::string keep;   ///< the file; empty: beside --request-out

    void add_to(CLI::App& command);
};

/// CmpSession::run() or, with --request-out, run_by_files(). A request that has to wait is kept, and gone on with by whoever asks for the
/// same: `what` says in one line what that is. The file goes when there is an answer.
Outcome<cmp::ClientOutcome> run_kept(CmpSession& session, cmp::Wish wish, const CmpKeptOptions& options, const std::string& what);

}  // namespace estuary::client
