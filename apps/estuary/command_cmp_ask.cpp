#include <fmt/format.h>

#include "command_cmp.h"
#include "command_line.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/root_update.h"
#include "estuary/crypto/digest.h"
#include "estuary/x509/crl.h"
#include "estuary/x509/path.h"

namespace estuary::client {
namespace {

using cmp::InfoTypeAndValue;

struct CmpAskOptions {
    CmpOptions cmp;
    CmpKeptOptions kept;
    std::string what, profile, key_type, old_root, crl, crl_issuer, out;
    CmpPassphraseOptions passphrase = {};
};

/// What can be asked for, the word for it, and how its answer is shown.
struct Question {
    std::string_view word;
    der::Oid type;
    Outcome<std::string> (*show)(const InfoTypeAndValue&, const CmpAskOptions&, const CmpSession&, const Clock&);
};

Outcome<x509::Certificate> certificate_of(const std::string& path) {
    ESTUARY_TRY_AS(const auto content, file::read(path), local_failure);
    ESTUARY_TRY_AS(auto certificate, x509::Certificate::from_bytes(content), local_failure);
    return certificate;
}

std::string described(const x509::Certificate& certificate) {
    return fmt::format("# subject {}\n# SHA-256 {}\n{}", certificate.subject().to_text(), certificate.sha256_fingerprint(),
                       certificate.to_pem());
}

/// CA certificates: those without a path to an anchor are marked, for nothing but the message vouches for them.
Outcome<std::string> show_ca_certs(const InfoTypeAndValue& answer, const CmpAskOptions&, const CmpSession& session, const Clock& clock) {
    ESTUARY_TRY_AS(const auto told, cmp::read_ca_certs(answer), remote_failure);
    ESTUARY_TRY_AS(const auto certificates, cmp::to_x509(told), remote_failure);
    std::string text;
    for (const auto& certificate : certificates) {
        const bool known = !session.anchors().empty() &&
                           x509::validate_path(certificate, certificates, session.anchors(), {.at = clock.now()}).has_value();
        if (!known) text += "# not verified: no path to a trust anchor (--trust)\n";
        text += described(certificate);
    }
    return text;
}

Outcome<std::string> show_root_update(const InfoTypeAndValue& answer, const CmpAskOptions& options, const CmpSession&, const Clock& clock) {
    ESTUARY_TRY_AS(const auto update, cmp::read_root_ca_key_update(answer), remote_failure);
    if (!update) return std::string{};
    ESTUARY_TRY_OUTCOME(const auto old_root, certificate_of(options.old_root));
    auto root = cmp::verify_root_ca_key_update(*update, old_root, clock.now());
    if (!root) return tl::unexpected<Failure>(Failure{root.error(), exit_not_trusted});
    return described(*root);
}

Outcome<std::string> show_crls(const InfoTypeAndValue& answer, const CmpAskOptions& options, const CmpSession&, const Clock&) {
    std::vector<ByteVec> ders;
    if (answer.info_type == cmp::oid::current_crl) {
        ESTUARY_TRY_AS(auto crl, cmp::read_current_crl(answer), remote_failure);
        if (crl) ders.push_back(std::move(*crl));
    } else {
        ESTUARY_TRY_AS(ders, cmp::read_crls(answer), remote_failure);
    }
    std::string text;
    for (const auto& der : ders) {
        ESTUARY_TRY_AS(const auto list, x509::RevocationList::parse(der), remote_failure);
        if (!options.crl_issuer.empty()) {
            ESTUARY_TRY_OUTCOME(const auto issuer, certificate_of(options.crl_issuer));
            if (auto good = list.verify_issued_by(issuer); !good) return tl::unexpected<Failure>(Failure{good.error(), exit_not_trusted});
        } else {
            text += "# not verified: its signature was not looked at (--issuer)\n";
        }
        text += fmt::format("# issuer {}\n# thisUpdate {}\n{}", list.issuer().to_text(), to_iso8601(list.this_update()), list.to_pem());
    }
    return text;
}

std::string algorithm_text(Bytes algorithm) {
    der::Reader reader{algorithm};
    auto fields = reader.enter(der::Tag::sequence);
    const auto oid = fields ? fields->oid() : Result<der::Oid>{fail(Code::malformed, "")};
    if (!oid) return to_hex(algorithm);
    const auto parameters = fields->next_is(der::Tag::oid) ? fields->oid() : Result<der::Oid>{fail(Code::malformed, "")};
    for (const auto& type : crypto::key_types())
        if (type.algorithm == *oid && (type.parameters.empty() || (parameters && type.parameters == *parameters)))
            return type.kind == crypto::KeyKind::rsa ? "rsa" : type.name;
    return parameters ? fmt::format("{} {}", oid->dotted(), parameters->dotted()) : oid->dotted();
}

std::string extension_text(const x509::Extension& extension) {
    const auto value = extension.value.empty() ? std::string{"to be filled in"} : to_hex(extension.value);
    return fmt::format("extension      {}{}: {}\n", extension.id.dotted(), extension.critical ? " (critical)" : "", value);
}

Outcome<std::string> show_template(const InfoTypeAndValue& answer, const CmpAskOptions&, const CmpSession&, const Clock&) {
    ESTUARY_TRY_AS(const auto told, cmp::read_cert_req_template(answer), remote_failure);
    if (!told) return std::string{};
    std::string text;
    if (told->open_subject) text += fmt::format("subject        DER {} (empty values are to be filled in)\n", to_hex(*told->open_subject));
    if (const auto& subject = told->cert_template.subject)
        text += fmt::format("subject        {}\n", subject->empty() ? "to be filled in" : subject->to_text());
    if (const auto& issuer = told->cert_template.issuer) text += fmt::format("issuer         {}\n", issuer->to_text());
    for (const auto& extension : told->cert_template.extensions) text += extension_text(extension);
    ESTUARY_TRY_AS(const auto choices, cmp::key_choices(told->key_spec), remote_failure);
    for (const auto& choice : choices) {
        const auto* bits = std::get_if<std::uint32_t>(&choice);
        text += fmt::format("key            {}\n", bits != nullptr ? fmt::format("rsa{}", *bits) : algorithm_text(std::get<ByteVec>(choice)));
    }
    return text;
}

Outcome<std::string> show_key_types(const InfoTypeAndValue& answer, const CmpAskOptions&, const CmpSession&, const Clock&) {
    ESTUARY_TRY_AS(const auto algorithms, cmp::read_key_pair_types(answer), remote_failure);
    std::string text;
    for (const auto& algorithm : algorithms) text += algorithm_text(algorithm) + "\n";
    return text;
}

Outcome<std::string> show_algorithm(const InfoTypeAndValue& answer, const CmpAskOptions&, const CmpSession&, const Clock&) {
    ESTUARY_TRY_AS(const auto algorithm, cmp::read_algorithm_info(answer), remote_failure);
    return algorithm ? algorithm_text(*algorithm) + "\n" : std::string{};
}

Outcome<std::string> show_encryption_certificate(const InfoTypeAndValue& answer, const CmpAskOptions&, const CmpSession& session, const Clock& clock) {
    ESTUARY_TRY_AS(const auto told, cmp::read_ca_prot_enc_cert(answer), remote_failure);
    if (!told) return std::string{};
    ESTUARY_TRY_AS(const auto certificate, told->x509(), remote_failure);
    //= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.19.1
    //# EEs MUST ensure that the correct certificate is used for this purpose.
    if (auto path = x509::validate_path(certificate, {}, session.anchors(), {.at = clock.now()}); !path)
        return failure(exit_not_trusted, path.error());
    return described(certificate);
}

Outcome<std::string> show_languages(const InfoTypeAndValue& answer, const CmpAskOptions&, const CmpSession&, const Clock&) {
    ESTUARY_TRY_AS(const auto tags, cmp::read_supp_lang_tags(answer), remote_failure);
    std::string text;
    for (const auto& tag : tags) text += text::printable(tag) + "\n";
    return text;
}

constexpr std::array questions{
    Question{"cacerts", cmp::oid::ca_certs, show_ca_certs},
    Question{"rootupdate", cmp::oid::root_ca_cert, show_root_update},
    Question{"template", cmp::oid::cert_req_template, show_template},
    Question{"crls", cmp::oid::crl_status_list, show_crls},
    Question{"currentcrl", cmp::oid::current_crl, show_crls},
    Question{"signkeytypes", cmp::oid::sign_key_pair_types, show_key_types},
    Question{"enckeytypes", cmp::oid::enc_key_pair_types, show_key_types},
    Question{"cipher", cmp::oid::preferred_symm_alg, show_algorithm},
    Question{"keyparams", cmp::oid::key_pair_param_req, show_algorithm},
    Question{"encryptioncert", cmp::oid::ca_prot_enc_cert, show_encryption_certificate},
    Question{"languages", cmp::oid::supp_lang_tags, show_languages},
};

/// The question of a CRL: by the list that is had, or by its issuer (RFC 9483 4.3.4).
Outcome<InfoTypeAndValue> crl_question(const CmpAskOptions& options) {
    cmp::CrlStatus status;
    if (!options.crl.empty()) {
        ESTUARY_TRY_AS(const auto content, file::read(options.crl, 64u << 20), local_failure);
        ESTUARY_TRY_AS(const auto list, x509::RevocationList::from_bytes(content), local_failure);
        status.source = std::vector{cmp::directory_name(list.issuer())};
        status.this_update = list.this_update();
    } else if (!options.crl_issuer.empty()) {
        ESTUARY_TRY_OUTCOME(const auto issuer, certificate_of(options.crl_issuer));
        status.source = std::vector{cmp::directory_name(issuer.subject())};
    } else {
        return usage_failure("say whose CRL: --issuer FILE (a CA certificate), or --have FILE (the CRL that you have)");
    }
    return cmp::make_crl_status_list({status});
}

Outcome<InfoTypeAndValue> ask_for(const Question& question, const CmpAskOptions& options) {
    if (question.type == cmp::oid::crl_status_list) return crl_question(options);
    if (question.type == cmp::oid::supp_lang_tags) return cmp::make_supp_lang_tags({"en"});
    if (question.type == cmp::oid::key_pair_param_req) {
        if (options.key_type.empty()) return usage_failure("keyparams needs --key-type TYPE: the parameters of which algorithm are wanted");
        ESTUARY_TRY_AS(const auto* type, crypto::key_type(options.key_type), local_failure);
        return cmp::make_key_pair_param_req(type->algorithm);
    }
    if (question.type != cmp::oid::root_ca_cert) return cmp::ask(question.type);
    if (options.old_root.empty()) return usage_failure("rootupdate needs --old-root FILE: the root that you trust now verifies the new one");
    ESTUARY_TRY_OUTCOME(const auto root, certificate_of(options.old_root));
    return cmp::make_root_ca_cert(cmp::CmpCertificate{root});
}

/// RFC 9810 5.3.19.9: the answer is the very OID without a value.
Outcome<void> give_passphrase(const CmpAskOptions& options, const Clock& clock) {
    if (!options.passphrase.given()) return usage_failure("passphrase needs --passphrase-file FILE: which one");
    if (options.kept.files.given()) return usage_failure("passphrase: is sent, not carried by files");
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.cmp, clock));
    ESTUARY_TRY_OUTCOME(auto asked, session.encrypted(options.passphrase));
    // Encrypted anew every time, it is never the same question: nothing is kept of it.
    ESTUARY_TRY_OUTCOME(const auto outcome, session.run(cmp::InformationWish{std::move(asked), {}}));
    (void)outcome;
    fmt::print("taken          the revocation passphrase{}\n",
               options.passphrase.key_id.empty() ? "" : fmt::format(" ({})", text::printable(options.passphrase.key_id)));
    return {};
}

Outcome<void> ask_authority(const CmpAskOptions& options, const Clock& clock) {
    if (options.what == "passphrase") return give_passphrase(options, clock);
    const auto* question = std::ranges::find(questions, options.what, &Question::word);
    if (question == questions.end()) return usage_failure(options.what + " is nothing that can be asked for");
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.cmp, clock));
    ESTUARY_TRY_OUTCOME(auto asked, ask_for(*question, options));
    const auto what = fmt::format("genm {} {} {}", session.address(), options.what, to_hex(crypto::sha256(asked.info_value.value_or(ByteVec{}))));
    ESTUARY_TRY_OUTCOME(const auto outcome, run_kept(session, cmp::InformationWish{std::move(asked), options.profile}, options.kept, what));
    ESTUARY_TRY_OUTCOME(const auto text, question->show(std::get<cmp::Informed>(outcome).answer, options, session, clock));
    if (!text.empty()) return write_out(options.out, text);
    fmt::print(stderr, "The authority has nothing to tell about it.\n");
    return {};
}

}  // namespace

void add_cmp_ask(CLI::App& cmp, const Clock& clock, int& status) {
    auto options = std::make_shared<CmpAskOptions>();
    auto* command = cmp.add_subcommand("genm", "Ask the authority about itself (RFC 9483 4.3, RFC 9810 5.3.19)");
    command->add_option("URL", options->cmp.url, "http[s]://host[:port][/path], without a path /.well-known/cmp; or tcp://host[:port]")->required();
    command->add_option("WHAT", options->what,
                        "cacerts, rootupdate, template, crls, currentcrl, signkeytypes, enckeytypes, keyparams, cipher, encryptioncert, languages; "
                        "or passphrase: give the authority one that can revoke without the key (RFC 9810 B)")
        ->required();
    options->cmp.add_to(*command);
    command->add_option("--dir", options->cmp.directory, "Sign with the certificate in this directory")->type_name("DIR");
    command->add_option("--profile", options->profile, "template: for this certificate profile");
    command->add_option("--key-type", options->key_type, "keyparams: of this algorithm, as p256 or rsa2048");
    command->add_option("--old-root", options->old_root, "rootupdate: the root that is trusted now (PEM or DER)")->type_name("FILE");
    command->add_option("--have", options->crl, "crls: the CRL that you have; only a newer one is wanted")->type_name("FILE");
    command->add_option("--issuer", options->crl_issuer, "crls: the certificate of the CA that issues them; verifies the list")->type_name("FILE");
    auto* file = command->add_option("--passphrase-file", options->passphrase.file, "passphrase: first line of this file, 8 octets or more")->type_name("FILE");
    command->add_option("--key-id", options->passphrase.key_id, "passphrase: an identifier to find it by; default: by your name")->type_name("TEXT")->needs(file);
    command->add_option("--out", options->out, "Write the answer here instead of to standard output")->type_name("FILE");
    options->kept.add_to(*command);
    run_with(*command, options, ask_authority, clock, status);
}

}  // namespace estuary::client
