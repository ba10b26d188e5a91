#include <fmt/format.h>

#include "command_cmp.h"
#include "enrollment.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/est/messages.h"
#include "estuary/x509/path.h"

namespace estuary::client {
namespace {

using cmp::BodyType;

struct Options {
    CmpOptions cmp;
    BodyType type = BodyType::ir;
    std::string subject, key_type, key_file, request_file, profile, out;
    std::vector<std::string> names;
    bool generate_there = false, confirm = false, challenge = false, same_key = false, force = false;
};

/// The path of the new certificate, root left out; the certificate alone where there is nothing to verify it by.
Result<std::vector<x509::Certificate>> chain_of(const cmp::Enrolled& enrolled, const std::vector<x509::Certificate>& anchors, Time now) {
    if (anchors.empty()) return std::vector{enrolled.certificate};
    ESTUARY_TRY(auto chain, x509::validate_path(enrolled.certificate, enrolled.others, anchors, {.at = now}));
    if (chain.size() > 1 && chain.back().is_self_issued()) chain.pop_back();
    return chain;
}

/// Who vouches for the new certificate: the person's anchors, or else those that the authority gave under the secret.
std::vector<x509::Certificate> anchors_for(const cmp::Enrolled& enrolled, const CmpSession& session) {
    return session.anchors().empty() ? enrolled.new_anchors : session.anchors();
}

Outcome<crypto::PrivateKey> key_for(const Options& options, const CmpSession& session) {
    if (options.same_key) return session.signer()->key;
    auto key = options.key_file.empty() ? crypto::PrivateKey::generate(options.key_type.empty() ? "p256" : options.key_type)
                                        : crypto::PrivateKey::load(options.key_file);
    if (!key) return tl::unexpected<Failure>(local_failure(std::move(key).error()));
    return std::move(*key);
}

Outcome<cmp::CertificateWish> read_wish(const Options& options, const CmpSession& session) {
    cmp::CertificateWish wish;
    wish.type = options.type;
    auto subject = x509::Name::from_text(options.subject);
    if (!subject) return cmp_usage("--subject: " + subject.error().detail);
    wish.subject = std::move(*subject);
    std::vector<x509::GeneralName> names;
    for (const auto& text : options.names) {
        auto name = x509::GeneralName::from_text(text);
        if (!name) return cmp_usage("--san: " + name.error().detail);
        names.push_back(std::move(*name));
    }
    if (!names.empty()) wish.extensions.push_back(x509::make_subject_alt_name(names, wish.subject.empty() && options.type != BodyType::kur));
    wish.profile = options.profile;
    wish.implicit_confirm = !options.confirm;
    if (options.challenge) wish.subsequent_message = x509::crmf::SubsequentMessage::challenge_resp;
    if (options.generate_there) {
        wish.key_type = options.key_type;
    } else {
        ESTUARY_TRY_OUTCOME(wish.key, key_for(options, session));
    }
    return wish;
}

struct Prepared {
    cmp::Wish wish;
    std::optional<crypto::PrivateKey> key;   ///< nothing: the authority makes it
};

Outcome<Prepared> prepare_given_request(const Options& options) {
    if (options.key_file.empty()) return cmp_usage("--csr needs --key: the private key that made the request");
    ESTUARY_TRY_AS(auto key, crypto::PrivateKey::load(options.key_file), local_failure);
    ESTUARY_TRY_AS(const auto content, file::read(options.request_file), local_failure);
    ESTUARY_TRY_AS(auto der, est::decode_body(as_text(content), "CERTIFICATE REQUEST"), local_failure);
    ESTUARY_TRY_AS(const auto request, x509::SignedRequest::parse(der), local_failure);
    if (!same(request.spki(), key.public_key().spki()))
        return cmp_usage(fmt::format("{} was not made with the key {}", options.request_file, options.key_file));
    return Prepared{cmp::Pkcs10Wish{.request = std::move(der), .profile = options.profile, .implicit_confirm = !options.confirm},
                    std::move(key)};
}

Outcome<Prepared> prepare(const Options& options, const CmpSession& session) {
    if (options.type == BodyType::p10cr) return prepare_given_request(options);
    ESTUARY_TRY_OUTCOME(auto wish, read_wish(options, session));
    auto key = wish.key;
    return Prepared{std::move(wish), std::move(key)};
}

Outcome<void> save(const Options& options, const CmpSession& session, const cmp::Enrolled& enrolled,
                   const std::optional<crypto::PrivateKey>& key, const Clock& clock) {
    const auto anchors = anchors_for(enrolled, session);
    ESTUARY_TRY_AS(auto chain, chain_of(enrolled, anchors, clock.now()), local_failure);
    EnrollmentState state{session.url().to_string(), false, options.same_key ? std::string{} : options.key_file};
    if (!state.key_source.empty() && state.key_source.find(':') == std::string::npos)
        state.key_source = std::filesystem::absolute(state.key_source).string();
    Identity identity{std::move(state), enrolled.generated_key ? *enrolled.generated_key : *key, enrolled.certificate, std::move(chain), anchors};
    Directory directory{options.out};
    ESTUARY_CHECK_AS(directory.save(identity), local_failure);
    if (enrolled.status.status == cmp::PkiStatus::granted_with_mods)
        fmt::print(stderr, "note: the certificate is not all that was asked for (grantedWithMods)\n");
    if (anchors.empty()) fmt::print(stderr, "note: there is no trust anchor (--trust), so the issuer of the certificate was not verified\n");
    show(identity, directory);
    return {};
}

Outcome<void> run(Options options, const Clock& clock) {
    if (Directory{options.out}.holds_identity() && !options.force && options.type != BodyType::kur)
        return cmp_usage(fmt::format("{} already holds a certificate; update it with: estuary cmp kur {} (or use --force)", options.out, options.out));
    if (options.type == BodyType::kur && options.cmp.url.empty()) {
        ESTUARY_TRY_AS(const auto kept, Directory{options.out}.load(), local_failure);
        options.cmp.url = kept.state.url;
        if (options.cmp.url.find("/.well-known/est") != std::string::npos)
            return cmp_usage(options.out + " was enrolled by EST: renew it with estuary renew, or say --url URL");
    }
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.cmp, clock));
    ESTUARY_TRY_OUTCOME(auto prepared, prepare(options, session));
    // A certificate that nobody we trust has issued is rejected, so that the authority withdraws it (RFC 9483 4.1.1).
    const auto accept = [&](const cmp::Enrolled& enrolled) -> Result<void> {
        ESTUARY_CHECK(chain_of(enrolled, anchors_for(enrolled, session), clock.now()));
        return {};
    };
    std::visit(
        [&](auto& wish) {
            if constexpr (requires { wish.accept; }) wish.accept = accept;
        },
        prepared.wish);
    ESTUARY_TRY_OUTCOME(const auto outcome, session.run(std::move(prepared.wish)));
    return save(options, session, std::get<cmp::Enrolled>(outcome), prepared.key, clock);
}

CLI::App* add_one(CLI::App& cmp, const char* name, const char* what, BodyType type, const Clock& clock, int& status,
                  std::shared_ptr<Options>& options) {
    options = std::make_shared<Options>();
    options->type = type;
    auto* command = cmp.add_subcommand(name, what);
    options->cmp.add_to(*command);
    command->add_option("--profile", options->profile, "Certificate profile (certProfile, RFC 9810 5.1.1.4)");
    command->add_flag("--confirm", options->confirm, "Do not ask to leave out the confirmation (certConf)");
    command->callback([options, &clock, &status] {
        if (auto done = run(*options, clock); !done) status = report(done.error());
    });
    return command;
}

void add_key_options(CLI::App& command, Options& options) {
    auto* type = command.add_option("--key-type", options.key_type, "Key to make: p256 (default), p384, rsa3072, ed25519, x25519, …");
    command.add_option("--key", options.key_file, "Use this private key (file or pkcs11: URI) instead of making one")->excludes(type);
    command.add_flag("--challenge", options.challenge, "Show possession of a key for decryption by a challenge (popdecc)");
}

void add_first(CLI::App& cmp, const char* name, const char* what, BodyType type, const Clock& clock, int& status) {
    std::shared_ptr<Options> options;
    auto* command = add_one(cmp, name, what, type, clock, status, options);
    command->add_option("URL", options->cmp.url, "http[s]://host[:port][/path]; without a path /.well-known/cmp")->required();
    command->add_option("--subject", options->subject, "Subject, as \"CN=device 1,O=Example\"")->type_name("DN");
    command->add_option("--san", options->names, "Subject alternative name: host name, address, dns:…, ip:…, email:…, uri:…; repeatable")
        ->type_name("NAME");
    add_key_options(*command, *options);
    command->add_flag("--generate-there", options->generate_there, "The authority makes the key (RFC 9483 4.1.6)");
    command->add_option("--out", options->out, "Directory for key, certificate, chain and trust anchors")->required()->type_name("DIR");
    command->add_flag("--force", options->force, "Enroll anew although the directory holds a certificate");
}

}  // namespace

void add_cmp_enroll(CLI::App& cmp, const Clock& clock, int& status) {
    add_first(cmp, "ir", "Get a first certificate of this PKI (RFC 9483 4.1.1)", BodyType::ir, clock, status);
    add_first(cmp, "cr", "Get another certificate, with one of this PKI (RFC 9483 4.1.2)", BodyType::cr, clock, status);

    std::shared_ptr<Options> update;
    auto* kur = add_one(cmp, "kur", "Update the certificate in DIR with the certificate itself (RFC 9483 4.1.3)", BodyType::kur, clock, status, update);
    kur->add_option_function<std::string>("DIR", [update](const std::string& directory) { update->out = update->cmp.directory = directory; },
                                          "Directory made by estuary cmp or estuary enroll")->required()->type_name("DIR");
    kur->add_option("--url", update->cmp.url, "Where; default: as it was enrolled");
    add_key_options(*kur, *update);
    kur->add_flag("--same-key", update->same_key, "Keep the key; a new one is better");

    std::shared_ptr<Options> given;
    auto* p10 = add_one(cmp, "p10cr", "Get a certificate by a PKCS #10 request (RFC 9483 4.1.4)", BodyType::p10cr, clock, status, given);
    p10->add_option("URL", given->cmp.url, "http[s]://host[:port][/path]; without a path /.well-known/cmp")->required();
    p10->add_option("--csr", given->request_file, "The certification request (PEM or DER)")->required()->type_name("FILE");
    p10->add_option("--key", given->key_file, "The private key that made it")->required();
    p10->add_option("--out", given->out, "Directory for key, certificate, chain and trust anchors")->required()->type_name("DIR");
    p10->add_flag("--force", given->force, "Enroll anew although the directory holds a certificate");
}

}  // namespace estuary::client
