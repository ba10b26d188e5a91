// estuary cmc: enrollment and its companions by CMC (RFC 10002).
#include <thread>

#include <fmt/format.h>

#include "cmc_session.h"
#include "command_line.h"
#include "commands.h"
#include "enrollment.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/store/records.h"
#include "estuary/x509/crl.h"
#include "estuary/x509/path.h"
#include "waiting.h"

namespace estuary::client {
namespace {

using cmc::CertificateWish;
using cmc::ClientReply;

constexpr Seconds pause_min{1}, pause_max{300};

struct CmcEnrollOptions {
    CmcOptions cmc;
    std::string subject, key_type = "p256", key_file, out, wait = "10m";
    std::vector<std::string> names;
    bool crmf = false, decrypts_only = false, force = false;
};

struct CmcRenewOptions {
    CmcOptions cmc;
    std::string directory, wait = "10m";
    bool same_key = false;
};

struct CmcRevokeOptions {
    CmcOptions cmc;
    std::string certificate, reason = "unspecified", comment;
    bool by_secret = false;
};

struct CmcGetOptions {
    CmcOptions cmc;
    std::string issuer, serial, out;
};

Outcome<CertificateWish> read_wish(const CmcEnrollOptions& options) {
    ESTUARY_TRY_OUTCOME(auto subject, name_option("--subject", options.subject));
    auto key =
        options.key_file.empty() ? crypto::PrivateKey::generate(options.key_type) : crypto::PrivateKey::load(options.key_file);
    if (!key) return tl::unexpected<Failure>(local_failure(key.error()));
    CertificateWish wish{std::move(*key), std::move(subject)};
    wish.crmf = options.crmf;
    wish.decrypts_only = options.decrypts_only;
    ESTUARY_TRY_OUTCOME(const auto names, subject_alt_names(options.names));
    if (!names.empty()) wish.extensions.push_back(x509::make_subject_alt_name(names, wish.subject.empty()));
    return wish;
}

/// Proves possession where that is asked for; waits while a person decides, at most so long.
Outcome<ClientReply> see_through(CmcSession& session, ClientReply reply, Seconds wait, const Clock& clock) {
    const auto until = clock.now() + wait;
    if (!reply.challenges.empty()) {
        const auto answer = session.client().answer(reply.challenges);
        if (!answer) {
            (void)session.ask(session.client().abort("the challenge cannot be answered"));
            return tl::unexpected<Failure>(local_failure(answer.error()));
        }
        ESTUARY_TRY_OUTCOME(reply, session.put(answer));
    }
    while (const auto pending = reply.pending()) {
        const auto pause = std::clamp(pending->at - clock.now(), pause_min, pause_max);
        if (clock.now() + pause > until)
            return failure(exit_pending, {Code::too_busy, "the request waits for approval, longer than --wait"});
        fmt::print(stderr, "The request waits for approval; asking again in {}.\n", to_string(pause));
        std::this_thread::sleep_for(pause);
        ESTUARY_TRY_OUTCOME(reply, session.put(session.client().query(pending->token)));
    }
    return reply;
}

/// A certificate that has to be confirmed is looked at first, and confirmed with its own key (6.14).
Outcome<void> confirm(const CmcOptions& options, const x509::Certificate& certificate, const crypto::PrivateKey& key,
                      const Clock& clock) {
    crypto::SystemEntropy entropy;
    ESTUARY_TRY_OUTCOME(auto session, CmcSession::open(options, clock, entropy, cmc::ClientCertificate{key, certificate}));
    ESTUARY_TRY_OUTCOME(const auto reply, session.put(session.client().confirm(certificate, true)));
    return {};
}

/// Checks the certificate, saves it with its path, and shows it.
Outcome<void> keep_identity(Directory& directory, const std::string& url, const crypto::PrivateKey& key, const ClientReply& reply,
                            const CmcSession& session, const Clock& clock) {
    ESTUARY_TRY_AS(auto certificate, reply.certificate_for(key.public_key().spki()), remote_failure);
    x509::PathOptions options;
    options.at = clock.now();
    ESTUARY_TRY_AS(auto chain, x509::validate_path(certificate, reply.certificates, session.anchors(), options), remote_failure);
    if (chain.size() > 1) chain.pop_back();  // the trust anchor
    Identity identity{{url, false, {}}, key, std::move(certificate), std::move(chain), session.anchors()};
    ESTUARY_CHECK_AS(directory.save(identity), local_failure);
    show(identity, directory);
    return {};
}

Outcome<Seconds> read_wait(const std::string& text) {
    const auto wait = parse_wait(text);
    if (!wait) return usage_failure("--wait: " + wait.error().detail);
    return *wait;
}

Outcome<void> finish(CmcSession& session, const CmcOptions& options, Result<ByteVec> message, const crypto::PrivateKey& key,
                     Directory& directory, Seconds wait, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(auto first, session.ask(message));
    if (first.challenges.empty())
        if (auto failure = first.failure()) return tl::unexpected<Failure>(remote_failure(std::move(*failure)));
    ESTUARY_TRY_OUTCOME(const auto reply, see_through(session, std::move(first), wait, clock));
    if (reply.confirmation_wanted()) {
        ESTUARY_TRY_AS(const auto certificate, reply.certificate_for(key.public_key().spki()), remote_failure);
        if (auto confirmed = confirm(options, certificate, key, clock); !confirmed) return confirmed;
    }
    return keep_identity(directory, options.url, key, reply, session, clock);
}

Outcome<void> enroll_by_cmc(const CmcEnrollOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto wait, read_wait(options.wait));
    Directory directory{options.out};
    if (directory.holds_identity() && !options.force)
        return usage_failure(
            fmt::format("{} already holds a certificate; renew it with: estuary cmc renew (or use --force)", options.out));
    ESTUARY_TRY_OUTCOME(const auto wish, read_wish(options));
    crypto::SystemEntropy entropy;
    ESTUARY_TRY_OUTCOME(auto session, CmcSession::open(options.cmc, clock, entropy));
    return finish(session, options.cmc, session.client().enroll({wish}), wish.key, directory, wait, clock);
}

/// Signed with the present certificate: that is all that makes a renewal (RFC 10002 3.2).
Outcome<void> renew_by_cmc(const CmcRenewOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto wait, read_wait(options.wait));
    Directory directory{options.directory};
    ESTUARY_TRY_AS(const auto identity, directory.load(), local_failure);
    auto key = options.same_key ? Result<crypto::PrivateKey>{identity.key}
                                : crypto::PrivateKey::generate(identity.key.public_key().type_name());
    if (!key) return tl::unexpected<Failure>(local_failure(key.error()));
    CertificateWish wish{*key, identity.certificate.subject()};
    if (const auto* names = x509::find(identity.certificate.extensions(), x509::oid::subject_alt_name))
        wish.extensions.push_back(*names);
    crypto::SystemEntropy entropy;
    ESTUARY_TRY_OUTCOME(
        auto session, CmcSession::open(options.cmc, clock, entropy, cmc::ClientCertificate{identity.key, identity.certificate}));
    return finish(session, options.cmc, session.client().enroll({wish}), *key, directory, wait, clock);
}

Outcome<void> revoke_by_cmc(const CmcRevokeOptions& options, const Clock& clock) {
    ESTUARY_TRY_AS(const auto content, file::read(options.certificate), local_failure);
    ESTUARY_TRY_AS(const auto certificate, x509::Certificate::from_bytes(content), local_failure);
    const auto reason = store::revocation_reason(options.reason);
    if (!reason) return usage_failure("--reason: " + reason.error().detail);
    cmc::RevokeRequest request{certificate.issuer(), to_vec(certificate.serial_number()), *reason, {}, {}, {}};
    if (!options.comment.empty()) request.comment = options.comment;
    crypto::SystemEntropy entropy;
    ESTUARY_TRY_OUTCOME(auto session, CmcSession::open(options.cmc, clock, entropy));
    if (options.by_secret) {
        const auto* secret = session.client().secret();
        if (secret == nullptr) return usage_failure("--by-secret needs --name and the secret that the certificate was got with");
        request.shared_secret = to_vec(secret->secret.reveal());
    }
    ESTUARY_TRY_OUTCOME(const auto reply, session.put(session.client().revoke(request)));
    fmt::print("revoked {}\n", certificate.serial_hex());
    return {};
}

Outcome<void> get_certificate(const CmcGetOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto issuer, name_option("--issuer", options.issuer));
    auto serial = from_hex(options.serial);
    if (!serial || serial->empty()) return usage_failure("--serial wants hexadecimal digits");
    if ((serial->front() & 0x80) != 0) serial->insert(serial->begin(), 0);
    crypto::SystemEntropy entropy;
    ESTUARY_TRY_OUTCOME(auto session, CmcSession::open(options.cmc, clock, entropy));
    const x509::GeneralName name{x509::GeneralName::Kind::directory, to_vec(issuer.der())};
    ESTUARY_TRY_OUTCOME(const auto reply, session.put(session.client().get_certificate({name, *serial})));
    for (const auto& certificate : reply.certificates)
        if (same(certificate.serial_number(), *serial)) return write_out(options.out, certificate.to_pem());
    return tl::unexpected<Failure>(remote_failure({Code::not_found, "the answer does not hold that certificate"}));
}

Outcome<void> get_crl(const CmcGetOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto issuer, name_option("--issuer", options.issuer));
    crypto::SystemEntropy entropy;
    ESTUARY_TRY_OUTCOME(auto session, CmcSession::open(options.cmc, clock, entropy));
    ESTUARY_TRY_OUTCOME(const auto reply, session.put(session.client().get_crl({issuer, {}, {}, {}})));
    std::string text;
    for (const auto& der : reply.crls) {
        ESTUARY_TRY_AS(const auto list, x509::RevocationList::parse(der), remote_failure);
        text += list.to_pem();
    }
    return write_out(options.out, text);
}

void add_cmc_enroll(CLI::App& parent, const Clock& clock, int& status) {
    auto options = std::make_shared<CmcEnrollOptions>();
    auto* command = parent.add_subcommand("enroll", "Get a certificate");
    options->cmc.add_to(*command);
    command->add_option("--subject", options->subject, "Subject, as \"CN=device 1,O=Example\"")->type_name("DN")->required();
    command->add_option("--san", options->names, "Subject alternative name; repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    auto* type = command->add_option("--key-type", options->key_type, "Key to make: p256, p384, rsa3072, ml-kem-768, …")
                     ->capture_default_str();
    command->add_option("--key", options->key_file, "Use this private key (file or pkcs11: URI) instead of making one")
        ->excludes(type);
    command->add_flag("--crmf", options->crmf, "Ask in CRMF (RFC 4211) instead of PKCS #10");
    command->add_flag("--decrypts-only", options->decrypts_only,
                      "The key cannot sign: prove possession by decrypting a challenge");
    command->add_option("--out", options->out, "Directory for key, certificate, chain and trust anchors")
        ->required()
        ->type_name("DIR");
    command->add_option("--wait", options->wait, "How long to wait for approval (0: not at all)")
        ->type_name("DURATION")
        ->capture_default_str();
    command->add_flag("--force", options->force, "Enroll anew although the directory holds a certificate");
    run_with(*command, options, enroll_by_cmc, clock, status);
}

void add_cmc_renew(CLI::App& parent, const Clock& clock, int& status) {
    auto options = std::make_shared<CmcRenewOptions>();
    auto* command = parent.add_subcommand("renew", "Get the next certificate, signed for with the present one");
    options->cmc.add_to(*command);
    command->add_option("--dir", options->directory, "Directory of the present certificate")->required()->type_name("DIR");
    command->add_flag("--same-key", options->same_key, "Keep the key; some CAs do not allow that");
    command->add_option("--wait", options->wait, "How long to wait for approval (0: not at all)")
        ->type_name("DURATION")
        ->capture_default_str();
    run_with(*command, options, renew_by_cmc, clock, status);
}

void add_cmc_revoke(CLI::App& parent, const Clock& clock, int& status) {
    auto options = std::make_shared<CmcRevokeOptions>();
    auto* command = parent.add_subcommand("revoke", "Revoke a certificate");
    options->cmc.add_to(*command);
    command->add_option("--certificate", options->certificate, "The certificate to revoke")->required()->type_name("FILE");
    command->add_option("--reason", options->reason, "keyCompromise, superseded, cessationOfOperation, …")->capture_default_str();
    command->add_option("--comment", options->comment, "For people at the CA");
    command->add_flag("--by-secret", options->by_secret, "The key is lost: show the secret that the certificate was got with");
    run_with(*command, options, revoke_by_cmc, clock, status);
}

void add_cmc_get(CLI::App& parent, const Clock& clock, int& status) {
    auto certificate = std::make_shared<CmcGetOptions>();
    auto* cert = parent.add_subcommand("cert", "Fetch a certificate that was issued");
    certificate->cmc.add_to(*cert);
    cert->add_option("--issuer", certificate->issuer, "Its issuer")->required()->type_name("DN");
    cert->add_option("--serial", certificate->serial, "Its serial number, hexadecimal")->required();
    cert->add_option("--out", certificate->out, "File to write [standard output]")->type_name("FILE");
    run_with(*cert, certificate, get_certificate, clock, status);
    auto lists = std::make_shared<CmcGetOptions>();
    auto* crl = parent.add_subcommand("crl", "Fetch the CRLs of an issuer");
    lists->cmc.add_to(*crl);
    crl->add_option("--issuer", lists->issuer, "Their issuer")->required()->type_name("DN");
    crl->add_option("--out", lists->out, "File to write [standard output]")->type_name("FILE");
    run_with(*crl, lists, get_crl, clock, status);
}

}  // namespace

void add_cmc(CLI::App& program, const Clock& clock, int& status) {
    auto* parent = program.add_subcommand("cmc", "The same by CMC (RFC 10002, 5272): signed messages over HTTP");
    parent->require_subcommand(1);
    parent->footer(
        "Examples:\n"
        "  estuary cmc enroll https://ca.example:8443/cmc --trust root.pem --name dev1 --secret-file secret \\\n"
        "      --subject CN=dev1 --out ./dev1\n"
        "  estuary cmc renew https://ca.example:8443/cmc --trust root.pem --dir ./dev1\n"
        "  estuary cmc revoke https://ca.example:8443/cmc --trust root.pem --cert dev1/cert.pem \\\n"
        "      --cert-key dev1/key.pem --certificate dev1/cert.pem --reason keyCompromise");
    add_cmc_enroll(*parent, clock, status);
    add_cmc_renew(*parent, clock, status);
    add_cmc_revoke(*parent, clock, status);
    add_cmc_get(*parent, clock, status);
}

}  // namespace estuary::client
