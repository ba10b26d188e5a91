// The command line of estuaryd: from words to options. What the commands do is in their own files.
#include <functional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/commands.h"
#include "apps/estuaryd/help.h"

namespace estuary::daemon {
namespace {

class CommandLine {
public:
    explicit CommandLine(const Program& program) : program_{program} {
        app_.set_version_flag("--version", "estuaryd " ESTUARY_VERSION);
        app_.require_subcommand(1);
        app_.footer(std::string{help::program});
        add_init();
        add_serve();
        add_check();
        add_credential();
        add_cert();
        add_crl();
        add_request();
        add_package();
        add_key();
        add_decrypt_key();
        add_cmc();
        add_cmp();
        add_ca();
        add_audit();
    }

    int run(int argc, const char* const* argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            return app_.exit(error, program_.out, program_.err) == 0 ? 0 : static_cast<int>(Exit::usage);
        }
        try {
            return static_cast<int>(chosen_());
        } catch (const std::exception& error) {
            fmt::print(program_.err, "estuaryd: a fault of the program: {}\n", error.what());
            return static_cast<int>(Exit::failed);
        }
    }

private:
    CLI::App* group(const char* name, const char* help) {
        auto* app = app_.add_subcommand(name, help);
        app->require_subcommand(1);
        return app;
    }

    CLI::App* command(CLI::App* parent, const char* name, const char* help, std::string_view examples,
                      std::filesystem::path& directory, std::function<Exit()> action) {
        auto* app = parent->add_subcommand(name, help);
        if (!examples.empty()) app->footer(std::string{examples});
        directory = "estuary-data";
        app->add_option("-d,--dir", directory, "Data directory")->envname("ESTUARY_DIR")->capture_default_str();
        app->callback([this, action = std::move(action)] { chosen_ = action; });
        return app;
    }

    static void add_passphrase(CLI::App* app, std::string& into) {
        app->add_option("--passphrase-file", into, "File with the passphrase of the private keys")->type_name("FILE");
    }

    void add_init() {
        auto* app = command(&app_, "init", "Make a new CA and server in a directory of its own", help::init, init_.directory,
                            [this] { return init(init_, program_); });
        app->add_option("--name", init_.name, "Name of the CA: \"CN=NAME Root CA\"")->capture_default_str();
        app->add_option("--host", init_.hosts, "Name or address that clients reach this server by; may be repeated "
                                               "[localhost, 127.0.0.1, ::1, and this machine's name]")
            ->type_name("HOST")
            ->allow_extra_args(false);
        app->add_option("--status-url", init_.status_url, "Where relying parties learn of revocation; written into certificates, of CAs too "
                                                          "[http://HOST:8442]")
            ->type_name("URL");
        app->add_option("--key-type", init_.key_type, "Keys of the CA and server: p256, p384, rsa3072, ed25519 ...")
            ->capture_default_str();
        app->add_option("--path-length", init_.path_length, "How many CAs may follow below the issuing CA; 0: it certifies none")
            ->check(CLI::Range(0, 16))->capture_default_str();
        add_passphrase(app, init_.passphrase_file);
    }

    void add_serve() {
        auto* app = command(&app_, "serve", "Serve until told to stop", help::serve, serve_.directory,
                            [this] { return serve(serve_, program_); });
        app->add_option("--listen", serve_.listen, "Instead of server.listen in estuary.toml")->type_name("ADDRESS:PORT");
        app->add_option("--cmp-listen", serve_.cmp_listen, "Instead of cmp.listen, where there is a [cmp]")
            ->type_name("ADDRESS:PORT");
        app->add_option("--status-listen", serve_.status_listen, "Instead of status.listen, where there is a [status]")
            ->type_name("ADDRESS:PORT");
        add_passphrase(app, serve_.passphrase_file);
    }

    void add_check() {
        auto* app = command(&app_, "check", "Validate configuration, keys, certificates and database", help::check,
                            check_.directory, [this] { return check(check_, program_); });
        add_passphrase(app, check_.passphrase_file);
    }

    void add_credential() {
        auto* parent = group("credential", "Names and passwords for enrollment");
        auto* add = command(parent, "add", "Add a credential", help::credential_add, credential_.directory,
                            [this] { return credential_add(credential_, program_); });
        add->add_option("name", credential_.name, "Name of the credential")->required();
        auto* file = add->add_option("--password-file", credential_.password_file, "Read the password from a file")->type_name("FILE");
        add->add_flag("--password-stdin", credential_.password_stdin, "Read the password from standard input")->excludes(file);
        add->add_option("--uses", credential_.uses, "How many certificates it is good for: a number or 'unlimited'")
            ->capture_default_str();
        add->add_option("--expires", credential_.expires, "After how long it is void: a duration or 'never'")->capture_default_str();
        add->add_option("--profile", credential_.profile, "Bind it to a profile, or 'any' [the default label's profile]");
        add->add_option("--subject", credential_.subject_patterns, "Pattern that the subject must match; may be repeated")
            ->type_name("PATTERN")
            ->allow_extra_args(false);  // what follows is the name
        add->add_option("--san", credential_.san_patterns, "Pattern that each alternative name must match; may be repeated")
            ->type_name("PATTERN")
            ->allow_extra_args(false);
        add->add_option("--type", credential_.type, "What it is for: 'http' (EST), or the shared secret of 'cmp' or 'cmc'")
            ->check(CLI::IsMember({"http", "cmp", "cmc"}))
            ->capture_default_str();
        add->add_flag("--digest", credential_.digest, "Also store what HTTP Digest authentication needs");
        add->add_flag("-q,--quiet", credential_.quiet, "Print nothing but a generated password");

        auto* list = command(parent, "list", "List credentials", {}, list_directory_,
                             [this] { return credential_list(list_directory_, credential_json_, program_); });
        list->add_flag("--json", credential_json_, "As JSON");
        auto* remove = command(parent, "remove", "Remove a credential", {}, remove_directory_,
                               [this] { return credential_remove(remove_directory_, removed_, program_); });
        remove->add_option("name", removed_, "Name of the credential")->required();
    }

    void add_cert() {
        auto* parent = group("cert", "Certificates that were issued");
        auto* list = command(parent, "list", "List certificates", help::cert_list, certs_.directory,
                             [this] { return cert_list(certs_, program_); });
        list->add_option("--serial", certs_.serial, "Serial number, hexadecimal");
        list->add_option("--subject", certs_.subject, "Text in the subject");
        list->add_option("--san", certs_.san, "Text in the subject alternative names");
        list->add_option("--status", certs_.status, "any, valid, expired or revoked")->capture_default_str();
        list->add_option("--requester", certs_.requester, "Text in who asked for it: credential:NAME, certificate:..., operator");
        list->add_option("--ca", certs_.ca, "Issued by this CA");
        auto* before = list->add_option("--expiring-before", certs_.expiring_before, "Time as 2026-11-21 or 2026-11-21T03:38:00Z");
        list->add_option("--expiring-within", certs_.expiring_within, "Still valid, but not longer than, say, 30d")->excludes(before);
        list->add_option("--limit", certs_.count_max, "At most so many; 0: all")->capture_default_str();
        list->add_flag("--json", certs_.json, "As a JSON array");
        list->add_flag("--pem", certs_.pem, "The certificates themselves (with --json: in it)");

        auto* show = command(parent, "show", "Show a certificate", {}, cert_.directory, [this] { return cert_show(cert_, program_); });
        add_serial(show, cert_);
        show->add_flag("--json", cert_.json, "As JSON");
        show->add_flag("--pem", cert_.pem, "Only the certificate itself");
        auto* revoke = command(parent, "revoke", "Revoke a certificate", help::cert_revoke, revoked_.directory,
                               [this] { return cert_revoke(revoked_, program_); });
        add_serial(revoke, revoked_);
        revoke->add_option("--reason", revoked_.reason, "Why")->capture_default_str();
        revoke->add_option("--invalidity-date", revoked_.invalidity_date,
                           "Since when the key may have been in wrong hands: 2026-11-21 or 2026-11-21T03:38:00Z")
            ->type_name("TIME");
        auto* release = command(parent, "release", "Lift the hold of a certificate", help::cert_release, released_.directory,
                                [this] { return cert_release(released_, program_); });
        add_serial(release, released_);
    }

    void add_key() {
        auto* parent = group("key", "Archived private keys, and who gets them back");
        parent->footer(std::string{help::key});
        const auto of_certificate = [](CLI::App* app, KeyOptions& options) {
            app->add_option("serial", options.serial, "Serial number of the key's certificate, hexadecimal")->required();
            app->add_option("--ca", options.ca, "Of this CA, where two have the same serial number");
        };
        auto* request = command(parent, "request-recovery", "Ask for an archived key", help::key, key_.directory,
                                [this] { return key_request_recovery(key_, program_); });
        of_certificate(request, key_);
        request->add_option("--reason", key_.reason, "Why; kept with the request and in the audit trail")->required();
        of_certificate(command(parent, "approve", "Approve that it is given out", help::key, key_approved_.directory,
                               [this] { return key_approve(key_approved_, program_); }), key_approved_);
        auto* deny = command(parent, "deny", "Say no to it, or take back what you asked for", help::key, key_denied_.directory,
                             [this] { return key_deny(key_denied_, program_); });
        of_certificate(deny, key_denied_);
        deny->add_option("--reason", key_denied_.reason, "Kept with the decision, and told to a client that asked by krr");
        auto* recover = command(parent, "recover", "Give it out, encrypted for the recovery agents", help::key, key_recovered_.directory,
                                [this] { return key_recover(key_recovered_, program_); });
        of_certificate(recover, key_recovered_);
        recover->add_option("--out", key_recovered_.out, "Into this new file [standard output]")->type_name("FILE");
        auto* list = command(parent, "list", "List what was asked for", help::key, keys_.directory, [this] { return key_list(keys_, program_); });
        list->add_flag("--json", keys_.json, "As JSON");
    }

    void add_decrypt_key() {
        auto* parent = group("decrypt-key", "Keys that requests may name to have their private key encrypted with");
        parent->footer(std::string{help::decrypt_key});
        auto* add = command(parent, "add", "Add a shared key, or a certificate", help::decrypt_key, decrypt_key_.directory,
                            [this] { return decrypt_key_add(decrypt_key_, program_); });
        add->add_option("--credential", decrypt_key_.credential, "Only requests of this credential may name it");
        add->add_option("--subject", decrypt_key_.subject_pattern, "Only for subjects that match this")->type_name("PATTERN");
        auto* file = add->add_option("--key-file", decrypt_key_.key_file, "A shared key as IDENTIFIER:KEY in hexadecimal [made here]")->type_name("FILE");
        add->add_option("--certificate", decrypt_key_.certificate, "A certificate instead, PEM: its key is named by its subjectKeyIdentifier")
            ->type_name("FILE")
            ->excludes(file);
        auto* list = command(parent, "list", "List them", {}, decrypt_keys_.directory, [this] { return decrypt_key_list(decrypt_keys_, program_); });
        list->add_flag("--json", decrypt_keys_.json, "As JSON");
        auto* remove = command(parent, "remove", "Remove one", {}, decrypt_key_removed_.directory,
                               [this] { return decrypt_key_remove(decrypt_key_removed_, program_); });
        remove->add_option("id", decrypt_key_removed_.id, "Its identifier, hexadecimal")->required();
    }

    void add_crl() {
        auto* parent = group("crl", "Certificate revocation lists");
        auto* publish = command(parent, "publish", "Make and publish lists now", help::crl_publish, crl_.directory,
                                [this] { return crl_publish(crl_, program_); });
        publish->add_option("--ca", crl_.ca, "Only of this CA");
        publish->add_option("--shard", crl_.shard, "Only this shard");
        auto* delta = publish->add_flag("--delta", crl_.delta, "Only delta lists");
        publish->add_flag("--complete", crl_.complete, "Only complete lists")->excludes(delta);
        auto* root = publish->add_flag("--root", crl_.root, "The root's own list, which tells of issuing CAs");
        publish->add_option("--root-key", crl_.root_key, "Where the root's private key is now")->type_name("FILE")->needs(root);
        publish->add_option("--validity", crl_.validity, "Of the root's list")->capture_default_str()->needs(root);
        add_passphrase(publish, crl_.passphrase_file);
        auto* show = command(parent, "show", "Show what is published", help::crl_show, crls_.directory,
                             [this] { return crl_show(crls_, program_); });
        show->add_flag("--json", crls_.json, "As a JSON array");
    }

    static void add_serial(CLI::App* app, CertOptions& options) {
        app->add_option("serial", options.serial, "Serial number, hexadecimal, or a file with the certificate")->required();
        app->add_option("--ca", options.ca, "Of this CA, where two have the same serial number");
    }

    void add_request() {
        auto* parent = group("request", "Requests that wait for a decision");
        parent->footer(std::string{help::request});
        auto* list = command(parent, "list", "List requests", help::request, requests_.directory,
                             [this] { return request_list(requests_, program_); });
        list->add_option("--state", requests_.state, "pending, approved, denied, issued or any")->capture_default_str();
        list->add_flag("--json", requests_.json, "As JSON");
        auto* show = command(parent, "show", "Show a request", help::request, request_.directory,
                             [this] { return request_show(request_, program_); });
        add_id(show, request_);
        show->add_flag("--json", request_.json, "As JSON");
        show->add_flag("--pem", request_.pem, "Only the certification request itself");
        auto* approve = command(parent, "approve", "Let a request have its certificate", help::request, approved_.directory,
                                [this] { return request_decide(approved_, true, program_); });
        add_id(approve, approved_);
        approve->add_option("--reason", approved_.reason, "Kept with the decision");
        auto* deny = command(parent, "deny", "Refuse a request", help::request, denied_.directory,
                             [this] { return request_decide(denied_, false, program_); });
        add_id(deny, denied_);
        deny->add_option("--reason", denied_.reason, "Kept with the decision, and told to the client");
    }

    static void add_id(CLI::App* app, RequestOptions& options) {
        app->add_option("id", options.id, "Number of the request")->required();
    }

    void add_cmp() {
        auto* app = command(&app_, "cmp", "Answer CMP messages that came as files", help::cmp, cmp_.directory,
                            [this] { return cmp_answer(cmp_, program_); });
        app->add_option("file", cmp_.files, "The PKIMessage in DER: .pki")->required();
        app->add_option("--label", cmp_.label, "Which [cmp.label.NAME] it is for")->capture_default_str();
        app->add_option("--out", cmp_.out, "The answer to a single one [beside the message, as .answer.pki]")->type_name("FILE");
        add_passphrase(app, cmp_.passphrase_file);
    }

    void add_cmc() {
        auto* app = command(&app_, "cmc", "Answer a CMC request that came as a file", help::cmc, cmc_.directory,
                            [this] { return cmc_answer(cmc_, program_); });
        app->add_option("file", cmc_.file, "The PKI request: .p10 or .crq, in DER, BER or PEM")->required();
        app->add_option("--label", cmc_.label, "Which [cmc.label.NAME] it is for")->capture_default_str();
        app->add_option("--out", cmc_.out, "The answer [beside the request, as .p7c or .crp]")->type_name("FILE");
        app->add_flag("--vouch", cmc_.vouch, "You answer for who asks, where the message does not prove it");
        add_passphrase(app, cmc_.passphrase_file);
    }

    void add_package() {
        auto* parent = group("package", "Packages that wait for clients (RFC 8295)");
        auto* add = command(parent, "add", "Let a package wait for its clients", help::package_add, package_.directory,
                            [this] { return package_add(package_, program_); });
        add->add_option("file", package_.file, "The package: DER or PEM")->required();
        add->add_option("--type", package_.type, "What it is: a PAL package type, by number or name")->required();
        add->add_option("--to", package_.to, "Whom it is for: any, subject:DN, serial:HEX, certificate:CA/HEX, manufacturer:NAME/HEX "
                                             "or credential:NAME")
            ->capture_default_str();
        auto* label = add->add_option("--label", package_.label, "Under which label it waits")->capture_default_str();
        add->add_flag("--every-label", package_.every_label, "It waits under every label")->excludes(label);
        add->add_option("--from", package_.from, "Not before: a time, or after how long [now]")->type_name("TIME");
        add->add_option("--until", package_.until, "No longer than: a time, or for how long [until it is removed]")->type_name("TIME");
        add->add_flag("--receipt", package_.receipt, "Ask each client for a receipt or error");
        add->add_flag("--plain", package_.plain, "Keys in it may be unencrypted");
        add->add_option("--note", package_.note, "For you: shown in lists");
        auto* list = command(parent, "list", "List packages", help::package_list, packages_.directory,
                             [this] { return package_list(packages_, program_); });
        list->add_flag("--json", packages_.json, "As a JSON array");
        auto* show = command(parent, "show", "Show a package, who fetched it, and its receipts", help::package_list,
                             shown_package_.directory, [this] { return package_show(shown_package_, program_); });
        show->add_option("id", shown_package_.id, "Number of the package")->required();
        show->add_flag("--json", shown_package_.json, "As JSON");
        show->add_flag("--pem", shown_package_.pem, "Only the package itself");
        auto* remove = command(parent, "remove", "Remove a package", {}, removed_package_.directory,
                               [this] { return package_remove(removed_package_, program_); });
        remove->add_option("id", removed_package_.id, "Number of the package")->required();
        auto* receipts = command(parent, "receipts", "List what clients returned", help::package_receipts, receipts_.directory,
                                 [this] { return package_receipts(receipts_, program_); });
        receipts->add_option("id", receipts_.id, "Only of this package");
        receipts->add_option("--after", receipts_.after_id, "Only receipts after this number");
        receipts->add_flag("--json", receipts_.json, "As a JSON array");
        auto* receipt = command(parent, "receipt", "Print one of them", help::package_receipts, receipt_.directory,
                                [this] { return package_receipt(receipt_, program_); });
        receipt->add_option("id", receipt_.id, "Number of the receipt")->required();
        receipt->add_flag("--json", receipt_.json, "What is known of it, as JSON, instead");
    }

    void add_ca() {
        auto* parent = group("ca", "The CA itself");
        auto* show = command(parent, "show", "Show the certificates of the CA", {}, ca_.directory,
                             [this] { return ca_show(ca_, program_); });
        show->add_flag("--pem", ca_.pem, "With the certificates themselves");
        auto* rollover = command(parent, "rollover", "Make the next generation of the CA", help::ca_rollover, rollover_.directory,
                                 [this] { return ca_rollover(rollover_, program_); });
        rollover->add_option("--ca", rollover_.ca, "Name of the CA in estuary.toml")->capture_default_str();
        rollover->add_option("--name", rollover_.name, "Name of the new CA [as before]");
        rollover->add_option("--key-type", rollover_.key_type, "Keys of the new CA [as before]");
        rollover->add_option("--path-length", rollover_.path_length, "How many CAs may follow below the new issuing CA [as before]")->check(CLI::Range(0, 16));
        rollover->add_option("--root-key", rollover_.root_key, "Where the old root's private key is now")->type_name("FILE");
        add_passphrase(rollover, rollover_.passphrase_file);
    }

    void add_audit() {
        auto* parent = group("audit", "The audit trail");
        auto* list = command(parent, "list", "List what was done, and by whom", help::audit_list, audit_.directory,
                             [this] { return audit_list(audit_, program_); });
        list->add_option("--after", audit_.after_id, "Only events after this number");
        list->add_option("--limit", audit_.count_max, "At most so many; 0: all")->capture_default_str();
        list->add_flag("--json", audit_.json, "As JSON, one object a line");

        auto* copy = command(&app_, "backup", "Copy the database while it is in use", help::backup, backup_directory_,
                             [this] { return backup(backup_directory_, backup_target_, program_); });
        copy->add_option("file", backup_target_, "The copy; must not be there yet")->required();
    }

    const Program& program_;
    CLI::App app_{"Estuary's certificate enrollment server", "estuaryd"};
    std::function<Exit()> chosen_;

    InitOptions init_;
    ServeOptions serve_;
    CheckOptions check_;
    CredentialAddOptions credential_;
    std::filesystem::path list_directory_, remove_directory_, backup_directory_, backup_target_;
    bool credential_json_ = false;
    std::string removed_;
    CertListOptions certs_;
    CertOptions cert_, revoked_, released_;
    CrlOptions crl_, crls_;
    KeyOptions key_, key_approved_, key_denied_, key_recovered_, keys_;
    DecryptKeyOptions decrypt_key_, decrypt_keys_, decrypt_key_removed_;
    RequestOptions requests_, request_, approved_, denied_;
    CmcOptions cmc_;
    CmpOptions cmp_;
    PackageOptions package_, packages_, shown_package_, removed_package_, receipts_, receipt_;
    CaOptions ca_, rollover_;
    AuditOptions audit_;
};

}  // namespace

int run(int argc, const char* const* argv, const Program& program) {
    return CommandLine{program}.run(argc, argv);
}

}  // namespace estuary::daemon
