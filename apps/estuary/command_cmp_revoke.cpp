#include <fmt/format.h>

#include "command_cmp.h"
#include "command_line.h"
#include "estuary/base/encoding.h"
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

/// What is to be revoked.
struct RevocationTarget {
    x509::Name issuer;
    ByteVec serial_number;   ///< INTEGER content octets
    x509::Name subject = {};
};

RevocationTarget target_of(const x509::Certificate& certificate) {
    return {certificate.issuer(), to_vec(certificate.serial_number()), certificate.subject()};
}

Outcome<RevocationTarget> target_by_number(const CmpRevokeOptions& options) {
    if (options.issuer.empty() || options.serial_number.empty())
        return usage_failure("say which certificate: --revoke FILE, or --issuer DN and --serial HEX");
    RevocationTarget target;
    ESTUARY_TRY_OUTCOME(target.issuer, name_option("--issuer", options.issuer));
    ESTUARY_TRY_OUTCOME(target.serial_number, serial_number_option("--serial", options.serial_number));
    return target;
}

Outcome<RevocationTarget> find_target(const CmpRevokeOptions& options, const std::optional<cmp::ClientSigner>& signer) {
    if (!options.certificate.empty()) {
        ESTUARY_TRY_AS(const auto content, file::read(options.certificate), local_failure);
        ESTUARY_TRY_AS(const auto certificate, x509::Certificate::from_bytes(content), local_failure);
        return target_of(certificate);
    }
    if (signer && options.issuer.empty() && options.serial_number.empty()) return target_of(signer->chain.front());
    return target_by_number(options);
}

/// A passphrase without an identifier is found by its holder's name: usually the subject of what is revoked.
Outcome<CmpOptions> with_holder(CmpOptions cmp, const CmpRevokeOptions& options) {
    if (!cmp.passphrase.given() || !cmp.passphrase.key_id.empty() || !cmp.holder.empty()) return cmp;
    ESTUARY_TRY_OUTCOME(const auto target, find_target(options, {}));
    if (target.subject.empty()) return usage_failure("say by which name the passphrase is known: --key-id TEXT, or --holder DN");
    cmp.holder = target.subject.to_text();
    return cmp;
}

}  // namespace

Outcome<void> revoke_by_cmp(const CmpRevokeOptions& options, const Clock& clock) {
    const auto reason = store::revocation_reason(options.reason);
    if (!reason) return usage_failure("--reason: " + reason.error().detail);
    ESTUARY_TRY_OUTCOME(auto cmp, with_holder(options.cmp, options));
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(std::move(cmp), clock));
    if (!session.signer() && !options.cmp.passphrase.given())
        return usage_failure("a revocation is signed, by --cert or --dir, the certificate itself or a registration authority's; or made with the "
                             "passphrase that was given for it (--passphrase-file)");
    ESTUARY_TRY_OUTCOME(auto target, find_target(options, session.signer()));
    if (auto conveyed = session.convey(options.conveyed, options.kept.files); !conveyed) return conveyed;
    const auto number = to_hex(target.serial_number);
    const auto what = fmt::format("rr {} {} {}", session.address(), number, options.reason);
    ESTUARY_TRY_OUTCOME(const auto outcome, run_kept(session, cmp::RevocationWish{std::move(target.issuer), std::move(target.serial_number),
                                                                                  static_cast<std::uint8_t>(*reason)},
                                                     kept_for(options), what));
    fmt::print("revoked        {} ({})\n", number, options.reason);
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
    command->add_option("--issuer", options->issuer, "and --serial, in place of --revoke: the CA's name")->type_name("DN");
    command->add_option("--serial", options->serial_number, "and --issuer, in place of --revoke: the serial number")->type_name("HEX");
    auto* file = command->add_option("--passphrase-file", options->cmp.passphrase.file,
                                     "Without any key: the revocation passphrase that was given before, first line of this file")->type_name("FILE");
    auto* key_id = command->add_option("--key-id", options->cmp.passphrase.key_id, "and the identifier that was given with it")->type_name("TEXT")->needs(file);
    command->add_option("--holder", options->cmp.holder,
                        "or, without one, whose it is: the subject, or CN=NAME of the credential, that gave it; default: the subject of --revoke")
        ->type_name("DN")->needs(file)->excludes(key_id);
    options->conveyed.add_conveyed(*command);
    command->add_option("--reason", options->reason, "keyCompromise, superseded, cessationOfOperation, … (default unspecified)");
    options->kept.add_to(*command);
    run_with(*command, options, revoke_by_cmp, clock, status);
}

}  // namespace estuary::client
