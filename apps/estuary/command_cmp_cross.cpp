#include <filesystem>

#include <fmt/format.h>

#include "command_cmp.h"
#include "command_line.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/x509/name_constraints.h"
#include "estuary/x509/path.h"

namespace estuary::client {
namespace {

struct CmpCrossOptions {
    CmpOptions cmp;
    CmpKeptOptions kept;
    std::string key, key_passphrase_file;
    std::string certificate;                     ///< of the CA itself; empty: what it says is said by the options
    std::string subject, issuer, profile, out;
    std::string validity, not_after;
    std::optional<std::uint32_t> path_length;
    std::vector<std::string> permitted, excluded;
    bool force = false;
};

/// What the CA says of itself today.
Outcome<std::optional<x509::Certificate>> own_certificate(const CmpCrossOptions& options, const crypto::PrivateKey& key) {
    if (options.certificate.empty()) return std::optional<x509::Certificate>{};
    ESTUARY_TRY_AS(const auto content, file::read(options.certificate), local_failure);
    ESTUARY_TRY_AS(auto certificates, x509::parse_certificates(content), local_failure);
    if (certificates.empty()) return usage_failure(options.certificate + " holds no certificate");
    auto& own = certificates.front();   // its chain may follow
    if (!own.is_ca()) return usage_failure(options.certificate + " is not the certificate of a CA");
    if (!same(own.spki(), key.public_key().spki())) return usage_failure(fmt::format("{} is not the certificate of the key {}", options.certificate, options.key));
    return std::optional{std::move(own)};
}

Outcome<crypto::PrivateKey> ca_key(const CmpCrossOptions& options) {
    crypto::Secret passphrase;
    if (!options.key_passphrase_file.empty()) {
        const CmpPassphraseOptions file{options.key_passphrase_file, {}};
        ESTUARY_TRY_OUTCOME(passphrase, file.read());
    }
    ESTUARY_TRY_AS(auto key, crypto::PrivateKey::load(options.key, passphrase.empty() ? nullptr : &passphrase), local_failure);
    return key;
}

Outcome<x509::crmf::OptionalValidity> wanted_validity(const CmpCrossOptions& options, const std::optional<x509::Certificate>& own, Time now) {
    if (!options.not_after.empty()) {
        const auto end = parse_iso8601(options.not_after);
        if (!end) return usage_failure("--not-after: " + end.error().detail);
        return x509::crmf::OptionalValidity{now, *end};
    }
    if (!options.validity.empty()) {
        const auto length = parse_duration(options.validity);
        if (!length) return usage_failure("--validity: " + length.error().detail);
        return x509::crmf::OptionalValidity{now, now + *length};
    }
    if (!own) return usage_failure("say until when: --validity 1825d, or --not-after 2031-12-31");
    return x509::crmf::OptionalValidity{now, own->not_after()};
}

Outcome<std::vector<x509::GeneralName>> subtrees(const char* option, const std::vector<std::string>& texts) {
    std::vector<x509::GeneralName> made;
    for (const auto& text : texts) {
        auto subtree = x509::name_subtree_from_text(text);
        if (!subtree) return usage_failure(fmt::format("{}: {}", option, subtree.error().detail));
        made.push_back(std::move(*subtree));
    }
    return made;
}

/// RFC 9810 D.6: a requesting CA proposes all extensions that it requires.
Outcome<std::vector<x509::Extension>> wanted_extensions(const CmpCrossOptions& options, const std::optional<x509::Certificate>& own,
                                                        const crypto::PrivateKey& key) {
    auto length = options.path_length;
    if (!length && own) length = own->path_length();
    else if (!length) length = 0;
    std::vector<x509::Extension> extensions{x509::make_basic_constraints({true, length}), x509::make_key_usage(x509::key_cert_sign | x509::crl_sign)};
    // What its certificates name as their issuer's, or they would lead nowhere (RFC 5280 4.2.1.2).
    auto identifier = own ? own->subject_key_id() : std::nullopt;
    if (!identifier) {
        ESTUARY_TRY_AS(identifier, x509::key_identifier(key.public_key().spki()), local_failure);
    }
    extensions.push_back(x509::make_subject_key_identifier(*identifier));
    x509::NameConstraints constraints;
    ESTUARY_TRY_OUTCOME(constraints.permitted, subtrees("--permitted", options.permitted));
    ESTUARY_TRY_OUTCOME(constraints.excluded, subtrees("--excluded", options.excluded));
    if (!constraints.permitted.empty() || !constraints.excluded.empty()) extensions.push_back(x509::make_name_constraints(constraints));
    else if (const auto* present = own ? x509::find(own->extensions(), x509::oid::name_constraints) : nullptr) extensions.push_back(*present);
    return extensions;
}

/// Which CA is asked.
Outcome<x509::Name> wanted_issuer(const CmpCrossOptions& options, const CmpSession& session) {
    if (!options.issuer.empty()) return name_option("--issuer", options.issuer);
    if (session.signer()) return session.signer()->chain.front().issuer();
    if (session.anchors().size() == 1) return session.anchors().front().subject();
    return usage_failure("say which CA is asked, by its name: --issuer DN");
}

Outcome<void> write(const std::vector<x509::Certificate>& path, const std::string& out) {
    std::string text;
    for (const auto& certificate : path) text += certificate.to_pem();
    ESTUARY_CHECK_AS(file::write_atomically(out, as_bytes(text), file::Access::everyone_reads), local_failure);
    return {};
}

void show_ca(const x509::Certificate& certificate, const std::string& out) {
    fmt::print("subject        {}\n", certificate.subject().to_text());
    fmt::print("issuer         {}\n", certificate.issuer().to_text());
    fmt::print("serial number  {}\n", certificate.serial_hex());
    fmt::print("valid          {} to {}\n", to_iso8601(certificate.not_before()), to_iso8601(certificate.not_after()));
    if (const auto length = certificate.path_length()) fmt::print("path length    {}\n", *length);
    if (const auto* constraints = certificate.name_constraints(); constraints != nullptr && *constraints) {
        for (const auto& subtree : (*constraints)->permitted) fmt::print("permitted      {}\n", x509::name_subtree_text(subtree));
        for (const auto& subtree : (*constraints)->excluded) fmt::print("excluded       {}\n", x509::name_subtree_text(subtree));
    }
    fmt::print("certificates   {} (up to the trust anchor)\n", out);
}

Outcome<void> certify_by_cmp(CmpCrossOptions options, const Clock& clock) {
    std::error_code ignored;
    if (!options.force && std::filesystem::exists(options.out, ignored))
        return usage_failure(fmt::format("{} is there already: choose another --out, or use --force", options.out));
    if (options.cmp.trust.empty())
        return usage_failure("--trust FILE: the root that the certificate must lead to; compare its fingerprint with those who run it (RFC 9810 6.6.1)");
    if (options.cmp.recipient.empty()) options.cmp.recipient = options.issuer;
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.cmp, clock));
    ESTUARY_TRY_OUTCOME(auto key, ca_key(options));
    ESTUARY_TRY_OUTCOME(const auto own, own_certificate(options, key));

    cmp::CertificateWish wish;
    wish.type = cmp::BodyType::ccr;
    if (own) wish.subject = own->subject();
    else if (options.subject.empty()) return usage_failure("say which CA is to be certified: --certify FILE, its own certificate, or --subject DN");
    else {
        ESTUARY_TRY_OUTCOME(wish.subject, name_option("--subject", options.subject));
    }
    ESTUARY_TRY_OUTCOME(wish.issuer, wanted_issuer(options, session));
    ESTUARY_TRY_OUTCOME(wish.extensions, wanted_extensions(options, own, key));
    ESTUARY_TRY_OUTCOME(wish.validity, wanted_validity(options, own, clock.now()));
    wish.profile = options.profile;
    wish.implicit_confirm = false;   // what does not lead to the anchor is rejected, and so revoked there
    const auto path_of = [&](const cmp::Enrolled& enrolled) {
        return x509::validate_path(enrolled.certificate, enrolled.others, session.anchors(), {.at = clock.now()});
    };
    wish.accept = [&](const cmp::Enrolled& enrolled) -> Result<void> {
        ESTUARY_CHECK(path_of(enrolled));
        return {};
    };
    const auto what = fmt::format("ccr {} {} {}", session.address(), to_hex(crypto::sha256(key.public_key().spki())), wish.subject.to_text());
    wish.key = std::move(key);
    if (options.kept.keep.empty() && !options.kept.files.given()) options.kept.keep = options.out + ".kept";
    ESTUARY_TRY_OUTCOME(const auto outcome, run_kept(session, std::move(wish), options.kept, what));
    const auto& enrolled = std::get<cmp::Enrolled>(outcome);
    ESTUARY_TRY_AS(const auto path, path_of(enrolled), local_failure);
    if (auto written = write(path, options.out); !written) return written;
    if (enrolled.status.status == cmp::PkiStatus::granted_with_mods)
        fmt::print(stderr, "note: the certificate is not all that was asked for (grantedWithMods)\n");
    show_ca(enrolled.certificate, options.out);
    return {};
}

}  // namespace

void add_cmp_cross(CLI::App& cmp, const Clock& clock, int& status) {
    auto options = std::make_shared<CmpCrossOptions>();
    auto* command = cmp.add_subcommand("ccr", "Have a CA certified by another: a cross-certificate, or that of a subordinate CA (RFC 9810 6.6)");
    command->add_option("URL", options->cmp.url, "http[s]://host[:port][/path], without a path /.well-known/cmp; or tcp://host[:port]")->required();
    options->cmp.add_to(*command);
    command->add_option("--key", options->key, "The private key of the CA that is to be certified: file or pkcs11: URI; it stays where it is")->required();
    command->add_option("--key-passphrase-file", options->key_passphrase_file, "Its passphrase: first line of this file")->type_name("FILE");
    auto* own = command->add_option("--certify", options->certificate,
                                    "The CA's own certificate: name, key identifier, path length, name constraints and end are asked for as it has them")
                    ->type_name("FILE");
    command->add_option("--subject", options->subject, "or its name")->type_name("DN")->excludes(own);
    command->add_option("--issuer", options->issuer, "Name of the CA that is asked; default: the issuer of --cert, or the only certificate of --trust")
        ->type_name("DN");
    auto* validity = command->add_option("--validity", options->validity, "How long the certificate is to be valid: 1825d; default: as --certify")
                         ->type_name("DURATION");
    command->add_option("--not-after", options->not_after, "or until when: 2031-12-31")->type_name("DATE")->excludes(validity);
    command->add_option("--path-length", options->path_length, "How many CAs may follow below it (pathLenConstraint); default: as --certify, or 0");
    command->add_option("--permitted", options->permitted, "Certify names in this subtree only: dns:example.com, ip:192.0.2.0/24, dirname:O=Example; repeatable")
        ->type_name("NAME");
    command->add_option("--excluded", options->excluded, "and none in this one; repeatable")->type_name("NAME");
    command->add_option("--profile", options->profile, "Certificate profile (certProfile, RFC 9810 5.1.1.4)");
    command->add_option("--out", options->out, "Certificate and its path up to the trust anchor (PEM)")->required()->type_name("FILE");
    command->add_flag("--force", options->force, "Write it although the file is there");
    options->kept.add_to(*command);
    command->footer("A person decides about every such request, so it waits; what has been asked for is kept beside --out (or in --keep), and running the\n"
                    "same command again goes on with it.");
    run_with(*command, options, certify_by_cmp, clock, status);
}

}  // namespace estuary::client
