#include "cmp_enrollment.h"
#include "command_cmp.h"
#include "command_line.h"

namespace estuary::client {
namespace {

using cmp::BodyType;

CLI::App* add_one(CLI::App& cmp, const char* name, const char* what, BodyType type, const Clock& clock, int& status,
                  std::shared_ptr<CmpEnrollOptions>& options) {
    options = std::make_shared<CmpEnrollOptions>();
    options->type = type;
    auto* command = cmp.add_subcommand(name, what);
    options->cmp.add_to(*command);
    command->add_option("--profile", options->profile, "Certificate profile (certProfile, RFC 9810 5.1.1.4)");
    command->add_flag("--confirm", options->confirm, "Do not ask to leave out the confirmation (certConf)");
    command->add_option("--request-out", options->files.request, "Write the next message here, for a person to carry, instead of sending it")
        ->type_name("FILE");
    command->add_option("--answer", options->files.answer, "The answer that came back to it")->type_name("FILE");
    run_with(*command, options, enroll_by_cmp, clock, status);
    return command;
}

void add_key_options(CLI::App& command, CmpEnrollOptions& options) {
    auto* type = command.add_option("--key-type", options.key_type, "Key to make: p256 (default), p384, rsa3072, ed25519, x25519, …");
    command.add_option("--key", options.key_file, "Use this private key (file or pkcs11: URI) instead of making one")->excludes(type);
    auto* challenge = command.add_flag("--challenge", options.challenge, "Show possession of a key for decryption by a challenge (popdecc)");
    command.add_flag("--encrypted", options.encrypted, "Show it by decrypting the certificate (encrCert); what keys that cannot sign do anyway")
        ->excludes(challenge);
}

void add_first(CLI::App& cmp, const char* name, const char* what, BodyType type, const Clock& clock, int& status) {
    std::shared_ptr<CmpEnrollOptions> options;
    auto* command = add_one(cmp, name, what, type, clock, status, options);
    command->add_option("URL", options->cmp.url, "http[s]://host[:port][/path], without a path /.well-known/cmp; or tcp://host[:port]")->required();
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

    std::shared_ptr<CmpEnrollOptions> update;
    auto* kur = add_one(cmp, "kur", "Update the certificate in DIR with the certificate itself (RFC 9483 4.1.3)", BodyType::kur, clock, status, update);
    kur->add_option_function<std::string>("DIR", [update](const std::string& directory) { update->out = directory; },
                                          "Directory made by estuary cmp or estuary enroll")->required()->type_name("DIR");
    kur->add_option("--url", update->cmp.url, "Where; default: as it was enrolled");
    add_key_options(*kur, *update);
    kur->add_flag("--same-key", update->same_key, "Keep the key; a new one is better");

    std::shared_ptr<CmpEnrollOptions> given;
    auto* p10 = add_one(cmp, "p10cr", "Get a certificate by a PKCS #10 request (RFC 9483 4.1.4)", BodyType::p10cr, clock, status, given);
    p10->add_option("URL", given->cmp.url, "http[s]://host[:port][/path], without a path /.well-known/cmp; or tcp://host[:port]")->required();
    p10->add_option("--csr", given->request_file, "The certification request (PEM or DER)")->required()->type_name("FILE");
    p10->add_option("--key", given->key_file, "The private key that made it")->required();
    p10->add_option("--out", given->out, "Directory for key, certificate, chain and trust anchors")->required()->type_name("DIR");
    p10->add_flag("--force", given->force, "Enroll anew although the directory holds a certificate");
}

}  // namespace estuary::client
