#include <fmt/format.h>

#include "command_cmp.h"
#include "command_line.h"
#include "estuary/base/file.h"
#include "estuary/store/records.h"

namespace estuary::client {
namespace {

/// A directory keeps the request for its own certificate, so that asking again is not another request.
CmpKeptOptions kept_for(const CmpRevokeOptions& options) {
    auto kept = options.kept;
    const bool own = !options.cmp.directory.empty() && options.certificate.empty();
    if (own && kept.keep.empty() && !kept.files.given()) kept.keep = Directory{options.cmp.directory}.path() / "revocation.kept";
    return kept;
}

}  // namespace

Outcome<void> revoke_by_cmp(const CmpRevokeOptions& options, const Clock& clock) {
    const auto reason = store::revocation_reason(options.reason);
    if (!reason) return usage_failure("--reason: " + reason.error().detail);
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.cmp, clock));
    if (!session.signer()) return usage_failure("a revocation is signed: by --cert or --dir, the certificate itself or a registration authority's");
    auto target = session.signer()->chain.front();
    if (!options.certificate.empty()) {
        ESTUARY_TRY_AS(const auto content, file::read(options.certificate), local_failure);
        ESTUARY_TRY_AS(target, x509::Certificate::from_bytes(content), local_failure);
    }
    const cmp::RevocationWish wish{target.issuer(), to_vec(target.serial_number()), static_cast<std::uint8_t>(*reason)};
    const auto what = fmt::format("rr {} {} {}", session.address(), target.serial_hex(), options.reason);
    ESTUARY_TRY_OUTCOME(const auto outcome, run_kept(session, wish, kept_for(options), what));
    fmt::print("revoked        {} ({})\n", target.serial_hex(), options.reason);
    if (const auto& status = std::get<cmp::Revoked>(outcome).status; status.status == cmp::PkiStatus::granted_with_mods)
        fmt::print("note           {}\n", status.to_text());
    return {};
}

void add_cmp_revoke(CLI::App& cmp, const Clock& clock, int& status) {
    auto options = std::make_shared<CmpRevokeOptions>();
    auto* command = cmp.add_subcommand("rr", "Revoke a certificate (RFC 9483 4.2)");
    command->add_option("URL", options->cmp.url, "http[s]://host[:port][/path], without a path /.well-known/cmp; or tcp://host[:port]; default: as --dir was enrolled");
    options->cmp.add_to(*command);
    command->add_option("--dir", options->cmp.directory, "Sign with the certificate in this directory")->type_name("DIR");
    command->add_option("--revoke", options->certificate, "The certificate to revoke (PEM or DER); default: the one that signs")->type_name("FILE");
    command->add_option("--reason", options->reason, "keyCompromise, superseded, cessationOfOperation, … (default unspecified)");
    options->kept.add_to(*command);
    run_with(*command, options, revoke_by_cmp, clock, status);
}

}  // namespace estuary::client
