#include <fmt/format.h>

#include "command_cmp.h"
#include "command_line.h"
#include "commands.h"
#include "protocol.h"

namespace estuary::client {
namespace {

struct RevokeOptions {
    CmpRevokeOptions cmp;
    ProtocolChoice protocol;
};

Outcome<void> revoke(const RevokeOptions& options, const Clock& clock) {
    ESTUARY_TRY_AS(const auto identity, Directory{options.cmp.cmp.directory}.load(), local_failure);
    ESTUARY_TRY_OUTCOME(const bool by_cmp, options.protocol.is_cmp_for(identity.state));
    if (!by_cmp)
        return usage_failure(fmt::format("{} was enrolled by EST, which cannot revoke. Where the CA speaks CMP: --protocol cmp --url URL; "
                                     "where it speaks CMC: estuary cmc revoke",
                                     options.cmp.cmp.directory));
    auto wanted = options.cmp;
    wanted.cmp.url = options.protocol.url;
    return revoke_by_cmp(wanted, clock);
}

}  // namespace

void add_revoke(CLI::App& program, const Clock& clock, int& status) {
    auto options = std::make_shared<RevokeOptions>();
    auto* command = program.add_subcommand("revoke", "Revoke the certificate of a directory, signed by itself (CMP, RFC 9483 4.2)");
    command->add_option("DIR", options->cmp.cmp.directory, "The directory that `estuary enroll --out` made")->required()->type_name("DIR");
    command->add_option("--reason", options->cmp.reason, "keyCompromise, superseded, cessationOfOperation, … (default unspecified)");
    command->add_option("--trust", options->cmp.cmp.trust, "Trust anchors (PEM) instead of those of the directory")->type_name("FILE");
    add_check_server(*command, options->cmp.cmp.check_server);
    options->protocol.add_to(*command);
    command->footer("The files stay: what is revoked is of no use any more, and can be removed.\n"
                    "Exit status: 0 revoked, 1 failed here, 2 usage, 3 refused, 4 the answer cannot be trusted, 6 not reachable or busy.");
    run_with(*command, options, revoke, clock, status);
}

}  // namespace estuary::client
