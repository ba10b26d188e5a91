#include <fmt/format.h>

#include "cmp_enrollment.h"
#include "command_cmp.h"
#include "command_line.h"

namespace estuary::client {
namespace {

using cmp::BodyType;

/// ir or cr: what may be said of each certificate, where there are several.
struct FirstOptions {
    CmpEnrollOptions common;
    std::vector<std::string> outs, subjects, profiles, key_types, key_files;
};

/// Said once it is for all, otherwise once for each.
Result<std::string> nth(const char* option, const std::vector<std::string>& values, std::size_t index, std::size_t count) {
    if (values.empty()) return std::string{};
    if (values.size() == 1) return values.front();
    if (values.size() == count) return values[index];
    return fail(Code::policy, fmt::format("{}: say it once for all {} certificates (--out), or once for each", option, count));
}

Result<std::vector<CmpEnrollOptions>> each_of(const FirstOptions& options) {
    const auto count = options.outs.size();
    if (count > 1 && options.key_files.size() == 1) return fail(Code::policy, "--key: several certificates are of several keys; say one for each");
    // A key that has come is nowhere but in memory while others wait.
    if (count > 1 && options.common.generate_there) return fail(Code::policy, "--generate-there: ask for one certificate at a time");
    std::vector<CmpEnrollOptions> each(count, options.common);
    for (std::size_t i = 0; i < count; ++i) {
        each[i].out = options.outs[i];
        ESTUARY_TRY(each[i].subject, nth("--subject", options.subjects, i, count));
        ESTUARY_TRY(each[i].profile, nth("--profile", options.profiles, i, count));
        ESTUARY_TRY(each[i].key_type, nth("--key-type", options.key_types, i, count));
        ESTUARY_TRY(each[i].key_file, nth("--key", options.key_files, i, count));
    }
    return each;
}

Outcome<void> enroll_first(const FirstOptions& options, const Clock& clock) {
    auto each = each_of(options);
    if (!each) return usage_failure(std::move(each).error().detail);
    return enroll_by_cmp(std::move(*each), clock);
}

void add_common(CLI::App& command, CmpEnrollOptions& options) {
    options.cmp.add_to(command);
    command.add_flag("--confirm", options.confirm, "Do not ask to leave out the confirmation (certConf)");
    options.conveyed.add_conveyed(command);
    options.files.add_to(command);
}

constexpr const char* profile_help = "Certificate profile (certProfile, RFC 9810 5.1.1.4)";
constexpr const char* url_help = "http[s]://host[:port][/path], without a path /.well-known/cmp; or tcp://host[:port]";

CLI::App* add_one(CLI::App& cmp, const char* name, const char* what, BodyType type, const Clock& clock, int& status,
                  std::shared_ptr<CmpEnrollOptions>& options) {
    options = std::make_shared<CmpEnrollOptions>();
    options->type = type;
    auto* command = cmp.add_subcommand(name, what);
    add_common(*command, *options);
    command->add_option("--profile", options->profile, profile_help);
    run_with(*command, options, [](CmpEnrollOptions one, const Clock& at) { return enroll_by_cmp(std::move(one), at); }, clock, status);
    return command;
}

template <class Text>
void add_key_options(CLI::App& command, Text& key_type, Text& key_file, CmpEnrollOptions& options) {
    auto* type = command.add_option("--key-type", key_type, "Key to make: p256 (default), p384, rsa3072, ed25519, x25519, …");
    command.add_option("--key", key_file, "Use this private key (file or pkcs11: URI) instead of making one")->excludes(type);
    auto* challenge = command.add_flag("--challenge", options.challenge, "Show possession of a key for decryption by a challenge (popdecc)");
    auto* encrypted = command.add_flag("--encrypted", options.encrypted,
                                       "Show it by decrypting the certificate (encrCert); what keys that cannot sign do anyway");
    encrypted->excludes(challenge);
    command.add_flag("--agreement-proof", options.agreement_proof,
                     "Show possession of a key that agrees (x25519, p256, …) by a MAC with it and the authority's agreement key, which is asked for first "
                     "(agreeMAC); the key is of that one's type")
        ->excludes(challenge)->excludes(encrypted);
}

void add_first(CLI::App& cmp, const char* name, const char* what, BodyType type, const Clock& clock, int& status) {
    auto options = std::make_shared<FirstOptions>();
    auto& common = options->common;
    common.type = type;
    auto* command = cmp.add_subcommand(name, what);
    add_common(*command, common);
    command->add_option("URL", common.cmp.url, url_help)->required();
    command->add_option("--subject", options->subjects, "Subject, as \"CN=device 1,O=Example\"")->type_name("DN")->allow_extra_args(false);
    command->add_option("--san", common.names, "Subject alternative name: host name, address, dns:…, ip:…, email:…, uri:…; repeatable")
        ->type_name("NAME");
    command->add_option("--profile", options->profiles, profile_help)->allow_extra_args(false);
    add_key_options(*command, options->key_types, options->key_files, common);
    for (const auto* each : {"--key-type", "--key"}) command->get_option(each)->allow_extra_args(false);
    command->add_flag("--generate-there", common.generate_there, "The authority makes the key (RFC 9483 4.1.6)");
    command->add_option("--out", options->outs, "Directory for key, certificate, chain and trust anchors; several: a certificate for each, by one message")
        ->required()->type_name("DIR")->allow_extra_args(false);
    command->add_flag("--force", common.force, "Enroll anew although the directory holds a certificate");
    command->footer("With several --out, one message asks for a certificate for each: --subject, --profile, --key-type and --key are said once\n"
                    "for all or once for each, in the same order. Not every authority takes more than one request in a message.");
    run_with(*command, options, enroll_first, clock, status);
}

}  // namespace

void add_cmp_enroll(CLI::App& cmp, const Clock& clock, int& status) {
    add_first(cmp, "ir", "Get a first certificate of this PKI (RFC 9483 4.1.1)", BodyType::ir, clock, status);
    add_first(cmp, "cr", "Get another certificate, with one of this PKI (RFC 9483 4.1.2)", BodyType::cr, clock, status);

    std::shared_ptr<CmpEnrollOptions> update;
    auto* kur = add_one(cmp, "kur", "Update the certificate in DIR with the certificate itself (RFC 9483 4.1.3)", BodyType::kur, clock, status, update);
    kur->add_option_function<std::string>("DIR", [update](const std::string& directory) { update->out = directory; },
                                          "Directory made by estuary cmp or estuary enroll")->required()->type_name("DIR");
    kur->add_option("--url", update->cmp.url, "Where; default: as it was enrolled");
    add_key_options(*kur, update->key_type, update->key_file, *update);
    kur->add_flag("--same-key", update->same_key, "Keep the key; a new one is better");

    std::shared_ptr<CmpEnrollOptions> given;
    auto* p10 = add_one(cmp, "p10cr", "Get a certificate by a PKCS #10 request (RFC 9483 4.1.4)", BodyType::p10cr, clock, status, given);
    p10->add_option("URL", given->cmp.url, url_help)->required();
    p10->add_option("--csr", given->request_file, "The certification request (PEM or DER)")->required()->type_name("FILE");
    p10->add_option("--key", given->key_file, "The private key that made it")->required();
    p10->add_option("--out", given->out, "Directory for key, certificate, chain and trust anchors")->required()->type_name("DIR");
    p10->add_flag("--force", given->force, "Enroll anew although the directory holds a certificate");
}

}  // namespace estuary::client
