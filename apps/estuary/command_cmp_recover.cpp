#include <fmt/format.h>

#include "cmp_enrollment.h"
#include "command_cmp.h"
#include "command_line.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/crypto/digest.h"

namespace estuary::client {
namespace {

namespace fs = std::filesystem;

struct CmpRecoverOptions {
    CmpOptions cmp;
    CmpKeptOptions kept;
    std::string serial, issuer, out, encryption_key_type = "p256";
    bool all = false, confirm = false, force = false;
    // of a new certificate
    std::string subject, key_type, key_file, profile;
    std::vector<std::string> names;
    bool keys() const noexcept { return all || !serial.empty(); }
    bool certificate() const noexcept { return !subject.empty() || !names.empty(); }
};

constexpr std::string_view no_encryption_key = "none";

/// A private key that waits with its request.
class KeptKey {
public:
    explicit KeptKey(fs::path path) : path_{std::move(path)} {}

    /// The one that was made before, or a new one.
    Outcome<crypto::PrivateKey> get(const std::string& type) const {
        std::error_code ignored;
        if (fs::exists(path_, ignored)) {
            ESTUARY_TRY_AS(auto content, file::read_private(path_), local_failure);
            const crypto::Secret pem{std::move(content)};
            ESTUARY_TRY_AS(auto key, crypto::PrivateKey::from_bytes(pem.reveal()), local_failure);
            return key;
        }
        ESTUARY_TRY_AS(auto key, crypto::PrivateKey::generate(type), local_failure);
        ESTUARY_TRY_AS(const auto pem, key.to_pem(), local_failure);
        ESTUARY_CHECK_AS(file::write_atomically(path_, pem.reveal(), file::Access::owner_only), local_failure);
        return key;
    }
    void remove() const {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }

private:
    fs::path path_;
};

Outcome<void> check_options(const CmpRecoverOptions& options) {
    if (options.all && !options.serial.empty()) return usage_failure("--all and --serial exclude each other");
    if (!options.keys() && !options.certificate())
        return usage_failure("say what is wanted: --all, --serial HEX, or --subject DN for a certificate of a new key; keys and certificate together go, too");
    if (!options.certificate() && (!options.key_type.empty() || !options.key_file.empty() || !options.profile.empty()))
        return usage_failure("--key, --key-type and --profile are of a new certificate: say its --subject");
    if (options.certificate() && Directory{options.out}.holds_identity() && !options.force)
        return usage_failure(fmt::format("{} already holds a certificate (--force replaces it)", options.out));
    return {};
}

/// Whose serial number it is.
Outcome<x509::Name> issuer_of(const CmpRecoverOptions& options, const CmpSession& session) {
    if (!options.issuer.empty()) return name_option("--issuer", options.issuer);
    if (session.signer()) return session.signer()->chain.front().issuer();
    return usage_failure("--serial: with a secret, say by --issuer DN which CA's certificate it is");
}

Outcome<void> write_key(const cmp::KeysRecovered::Key& key, const fs::path& directory) {
    const auto base = directory / key.certificate.serial_hex();
    ESTUARY_TRY_AS(const auto pem, key.key.to_pem(), local_failure);
    ESTUARY_CHECK_AS(file::write_atomically(base.string() + ".key.pem", pem.reveal(), file::Access::owner_only), local_failure);
    ESTUARY_CHECK_AS(file::write_atomically(base.string() + ".pem", as_bytes(key.certificate.to_pem()), file::Access::everyone_reads), local_failure);
    fmt::print("recovered      {} {}\n", key.certificate.serial_hex(), key.certificate.subject().to_text());
    fmt::print("key            {}.key.pem\n", base.string());
    return {};
}

Outcome<void> save_certificate(const cmp::Enrolled& enrolled, const crypto::PrivateKey& key, const CmpRecoverOptions& options, const CmpSession& session,
                               const Clock& clock) {
    ESTUARY_TRY_AS(auto chain, chain_of(enrolled, session.anchors(), clock.now()), local_failure);
    EnrollmentState state{session.address(), session.system_trust(), options.key_file};
    state.protocol = "cmp";
    if (!state.key_source.empty() && state.key_source.find(':') == std::string::npos) state.key_source = fs::absolute(state.key_source).string();
    Directory directory{options.out};
    ESTUARY_CHECK_AS(directory.save({std::move(state), key, enrolled.certificate, std::move(chain), session.anchors()}), local_failure);
    fmt::print("certificate    {} {}\n", enrolled.certificate.serial_hex(), (fs::path{options.out} / "cert.pem").string());
    return {};
}

Outcome<void> make_private_out(const fs::path& path) {
    std::error_code error;
    const bool is_new = fs::create_directories(path, error);
    if (!error && is_new) fs::permissions(path, fs::perms::owner_all, error);
    if (error) return failure(exit_failed, {Code::unavailable, fmt::format("{}: {}", path.string(), error.message())});
    return {};
}

/// What tells this request from another, with the keys that were made for it.
std::string described(const CmpRecoverOptions& options, const CmpSession& session, const cmp::KeyRecoveryWish& wish) {
    std::string what = fmt::format("krr {} {}", session.address(), options.all ? "all" : options.serial.empty() ? "no keys" : options.serial);
    for (const auto* key : {&wish.encryption_key, &wish.key})
        what += " " + (*key ? to_hex(crypto::sha256((*key)->public_key().spki())) : std::string{"-"});
    return what;
}

Outcome<void> recover_by_cmp(const CmpRecoverOptions& options, const Clock& clock) {
    if (auto good = check_options(options); !good) return good;
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.cmp, clock));
    const fs::path directory = options.out;
    if (auto made = make_private_out(directory); !made) return made;
    const KeptKey encryption_key{directory / "encryption.key.pem"}, new_key{directory / "new.key.pem"};

    cmp::KeyRecoveryWish wish;
    wish.keys = options.keys();
    if (!options.serial.empty()) {
        ESTUARY_TRY_OUTCOME(const auto issuer, issuer_of(options, session));
        ESTUARY_TRY_OUTCOME(auto serial, serial_number_option("--serial", options.serial));
        wish.certificate = x509::crmf::CertId{cmp::directory_name(issuer), std::move(serial)};
    }
    if (wish.keys && options.encryption_key_type != no_encryption_key) {
        ESTUARY_TRY_OUTCOME(wish.encryption_key, encryption_key.get(options.encryption_key_type));
    }
    if (options.certificate()) {
        if (!options.key_file.empty()) {
            ESTUARY_TRY_AS(wish.key, crypto::PrivateKey::load(options.key_file), local_failure);
        } else {
            ESTUARY_TRY_OUTCOME(wish.key, new_key.get(options.key_type.empty() ? "p256" : options.key_type));
        }
        ESTUARY_TRY_OUTCOME(wish.subject, name_option("--subject", options.subject));
        ESTUARY_TRY_OUTCOME(const auto names, subject_alt_names(options.names));
        if (!names.empty()) wish.extensions.push_back(x509::make_subject_alt_name(names, wish.subject.empty()));
        wish.profile = options.profile;
        wish.implicit_confirm = !options.confirm;
        wish.accept = [&](const cmp::Enrolled& enrolled) -> Result<void> {
            ESTUARY_CHECK(chain_of(enrolled, session.anchors(), clock.now()));
            return {};
        };
    }
    auto kept = options.kept;
    if (kept.keep.empty() && !kept.files.given()) kept.keep = directory / "recovery.kept";
    const auto what = described(options, session, wish);
    const auto key = wish.key;
    auto outcome = run_kept(session, std::move(wish), kept, what);
    const auto forget = [&] {
        encryption_key.remove();
        new_key.remove();
    };
    if (!outcome) {
        if (outcome.error().status == exit_refused) forget();
        return tl::unexpected<Failure>(std::move(outcome).error());
    }
    const auto& recovered = std::get<cmp::KeysRecovered>(*outcome);
    for (const auto& one : recovered.keys)
        if (auto written = write_key(one, directory); !written) return written;
    if (recovered.new_certificate)
        if (auto saved = save_certificate(*recovered.new_certificate, *key, options, session, clock); !saved) return saved;
    forget();
    if (recovered.rejected) return tl::unexpected<Failure>(Failure{*recovered.rejected, cmp_status(*recovered.rejected)});
    return {};
}

}  // namespace

void add_cmp_recover(CLI::App& cmp, const Clock& clock, int& status) {
    auto options = std::make_shared<CmpRecoverOptions>();
    auto* command = cmp.add_subcommand("krr", "Get archived private keys back, once operators have agreed (RFC 9810 5.3.7)");
    command->add_option("URL", options->cmp.url, "http[s]://host[:port][/path], without a path /.well-known/cmp; or tcp://host[:port]; default: as --dir was enrolled");
    options->cmp.add_to(*command);
    command->add_option("--dir", options->cmp.directory, "Sign with the certificate in this directory")->type_name("DIR");
    command->add_flag("--all", options->all, "All keys that are archived for this requester");
    command->add_option("--serial", options->serial, "The key of the certificate with this serial number")->type_name("HEX");
    command->add_option("--issuer", options->issuer, "Whose --serial it is; default: the issuer of the certificate that signs")->type_name("DN");
    command->add_option("--encryption-key-type", options->encryption_key_type,
                        "Key made for the occasion that they come encrypted to: p256 (default), rsa3072, x25519, …; none: to the secret, or the key that signs")
        ->type_name("TYPE");
    command->add_option("--subject", options->subject, "Also a certificate of a new key, with this subject")->type_name("DN");
    command->add_option("--san", options->names, "Subject alternative name of it; repeatable")->type_name("NAME");
    auto* type = command->add_option("--key-type", options->key_type, "New key to make: p256 (default), p384, rsa3072, ed25519, …");
    command->add_option("--key", options->key_file, "Use this private key (file or pkcs11: URI) instead of making one")->excludes(type);
    command->add_option("--profile", options->profile, "Certificate profile of it (certProfile, RFC 9810 5.1.1.4)");
    command->add_flag("--confirm", options->confirm, "Do not ask to leave out the confirmation (certConf)");
    command->add_flag("--force", options->force, "Replace the certificate that --out holds");
    command->add_option("--out", options->out, "Directory for SERIAL.key.pem and SERIAL.pem of each, and for what waits")->required()->type_name("DIR");
    options->kept.add_to(*command);
    command->get_option("--keep")->description("Keep the request in this file while it has to wait, and go on with it; default: in --out, or beside --request-out");
    command->footer("The request waits until operators have approved it (at the authority: estuaryd key list, estuaryd key approve SERIAL). Until then\n"
                    "it is kept in DIR, with the key to decrypt with: the same command again goes on with it.");
    run_with(*command, options, recover_by_cmp, clock, status);
}

}  // namespace estuary::client
