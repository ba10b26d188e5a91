#include <unistd.h>

#include <fmt/format.h>

#include "cmp_enrollment.h"
#include "command_line.h"
#include "commands.h"
#include "enrollment.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "login.h"
#include "peer_status.h"
#include "server_key.h"
#include "waiting.h"

namespace estuary::client {
namespace {

struct EnrollOptions {
    std::string url, label, subject, key_type, key_file, request_file, out;
    std::string wait = "10m", protocol = "est";
    std::vector<std::string> names;
    bool no_linking = false, force = false, server_key = false;
    KeyDecryption decryption;
    ocsp::PeerCheck check_server = ocsp::PeerCheck::off;
    LoginOptions login;
    TrustOptions trust;
};

Outcome<est::Wishes> read_wishes(const EnrollOptions& options) {
    est::Wishes wishes;
    ESTUARY_TRY_OUTCOME(wishes.subject, name_option("--subject", options.subject));
    ESTUARY_TRY_OUTCOME(wishes.subject_alt_names, subject_alt_names(options.names));
    if (!options.key_type.empty()) wishes.key_type = options.key_type;
    return wishes;
}

struct PreparedRequest {
    crypto::PrivateKey key;
    Session::MakeRequest make_request;
};

/// A request that is there already is sent as it is.
PreparedRequest as_it_is(crypto::PrivateKey key, ByteVec der) {
    return {std::move(key), [der = std::move(der)](const http::ChannelBindings&) -> Result<ByteVec> { return der; }};
}

Outcome<PreparedRequest> prepare(const EnrollOptions& options, Session& session) {
    if (!options.request_file.empty()) {
        ESTUARY_TRY_OUTCOME(auto given, read_given_request(options.request_file, options.key_file));
        return as_it_is(std::move(given.key), std::move(given.der));
    }
    ESTUARY_TRY_OUTCOME(const auto wishes, read_wishes(options));
    ESTUARY_TRY_OUTCOME(const auto attributes, session.csr_attributes());
    ESTUARY_TRY_AS(auto plan, est::plan_request(wishes, attributes), local_failure);
    for (const auto& note : plan.notes) fmt::print(stderr, "note: {}\n", text::printable(note));
    if (options.server_key)
        if (auto may = check_wish(plan.key_type); !may) return tl::unexpected<Failure>(std::move(may).error());
    auto key = options.key_file.empty() ? crypto::PrivateKey::generate(plan.key_type) : crypto::PrivateKey::load(options.key_file);
    if (!key) return tl::unexpected<Failure>(local_failure(std::move(key).error()));
    if (options.server_key) {
        ESTUARY_TRY_OUTCOME(const auto delivery, delivery_attributes(options.decryption, plan));
        plan.request.attributes.insert(plan.request.attributes.end(), delivery.begin(), delivery.end());
    }
    const bool linked = !options.no_linking || plan.linking_wanted;
    return PreparedRequest{*key, [plan, linked, key = *key](const http::ChannelBindings& bindings) {
                               auto wanted = plan.request;
                               if (linked) link_to_session(wanted, bindings, plan.linking_by_attribute);
                               return x509::make_request(wanted, key);
                           }};
}

/// ir, or p10cr for a request that is there already.
Outcome<void> enroll_first_by_cmp(const EnrollOptions& options, const Clock& clock) {
    if (!options.trust.fingerprint.empty() || options.trust.bootstrap)
        return usage_failure("--fingerprint and --bootstrap are of EST; by CMP the secret vouches for the CA, or say --trust FILE");
    if (options.decryption.given()) return usage_failure("by CMP a key comes encrypted with the secret, or to --cert: leave out --decrypt-with and --decrypt-key");
    CmpEnrollOptions wanted;
    wanted.type = options.request_file.empty() ? cmp::BodyType::ir : cmp::BodyType::p10cr;
    wanted.cmp.url = options.url;
    wanted.cmp.name = options.label;
    wanted.cmp.login = options.login;
    wanted.cmp.trust = options.trust.file;
    wanted.cmp.system_trust = options.trust.system;
    wanted.cmp.wait = options.wait;
    wanted.cmp.check_server = options.check_server;
    wanted.subject = options.subject;
    wanted.names = options.names;
    wanted.key_type = options.key_type;
    wanted.key_file = options.key_file;
    wanted.request_file = options.request_file;
    wanted.generate_there = options.server_key;
    wanted.out = options.out;
    wanted.force = options.force;
    return enroll_by_cmp(std::move(wanted), clock);
}

Outcome<void> enroll(const EnrollOptions& options, const Clock& clock) {
    if (options.protocol == "cmp") return enroll_first_by_cmp(options, clock);
    ESTUARY_TRY_OUTCOME(const auto base, est_base(options.url, options.label));
    const auto wait = parse_wait(options.wait);
    if (!wait) return usage_failure("--wait: " + wait.error().detail);
    Directory directory{options.out};
    if (directory.holds_identity() && !options.force)
        return usage_failure(fmt::format("{} already holds a certificate; renew it with: estuary renew {} (or use --force)", options.out, options.out));

    ESTUARY_TRY_OUTCOME(const auto user, options.login.read_user());
    ESTUARY_TRY_OUTCOME(auto identity, options.login.read_identity());
    ESTUARY_TRY_OUTCOME(const auto trust, establish_trust(options.trust, base, clock));
    auto connect = client_options(trust);
    connect.identity = std::move(identity);
    Session session{base, connect, clock};
    check_server_of(session, options.check_server, trust, clock);
    if (user) session.set_user(*user);

    ESTUARY_TRY_OUTCOME(const auto ca_certificates, session.ca_certificates());
    EnrollmentState state{base.to_string(), trust.system, options.key_file};
    if (!state.key_source.empty() && state.key_source.find(':') == std::string::npos)
        state.key_source = std::filesystem::absolute(state.key_source).string();
    ESTUARY_TRY_AS(auto pending, directory.load_pending(), local_failure);
    const bool resumes = pending && !pending->state.by_cmp() && pending->state.url == state.url && options.request_file.empty() && pending->state.awaits_server_key == options.server_key;
    if (options.server_key) {
        state.server_key = true;
        state.decryption = absolute(options.decryption);
        // RFC 7030 6: whoever the system trusts could read the key on its way.
        if (trust.system) fmt::print(stderr, "note: the server was known by the system's CA certificates only, and makes the private key\n");
    }
    std::optional<PreparedRequest> prepared;
    if (resumes) {
        fmt::print(stderr, "Asking again for the request kept in {}.\n", (directory.path() / "pending").string());
        prepared = as_it_is(*pending->key, pending->request);
    } else {
        ESTUARY_TRY_OUTCOME(prepared, prepare(options, session));
    }
    const auto send = options.server_key ? server_key_sender(session, state.decryption, ca_certificates) : enrollment_sender(session, false);
    auto waiting = state;
    waiting.awaits_server_key = options.server_key;
    ESTUARY_TRY_OUTCOME(auto enrolled, ask(send, directory, waiting, prepared->key, prepared->make_request, {*wait}, clock));
    tell_other_kind(enrolled.key, options.key_type);
    ESTUARY_TRY_OUTCOME(const auto kept, keep(directory, state, enrolled.key.value_or(prepared->key), std::move(*enrolled.certificate),
                                              ca_certificates, clock));
    show(kept, directory);
    return {};
}

}  // namespace

void add_enroll(CLI::App& program, const Clock& clock, int& status) {
    auto options = std::make_shared<EnrollOptions>();
    auto* command = program.add_subcommand("enroll", "Get a first certificate (RFC 7030 4.2.1, or RFC 9483 4.1.1)");
    command->add_option("URL", options->url, "https://host[:port]; by CMP also http")->required();
    command->add_option("--protocol", options->protocol, "est (default) or cmp; more of CMP: estuary cmp --help")->check(CLI::IsMember({"est", "cmp"}));
    command->add_option("--label", options->label, "CA label (RFC 7030 3.2.2); by CMP the NAME of RFC 9811 3.4");
    command->add_option("--subject", options->subject, "Subject, as \"CN=device 1,O=Example\"")->type_name("DN");
    command->add_option("--san", options->names, "Subject alternative name: host name, address, dns:…, ip:…, email:…, uri:…; repeatable")
        ->type_name("NAME");
    auto* type = command->add_option("--key-type", options->key_type, "Key to make: p256, p384, rsa3072, ed25519, …; default: what the server asks for, or p256");
    command->add_option("--key", options->key_file, "Use this private key (file or pkcs11: URI) instead of making one")->excludes(type);
    command->add_option("--csr", options->request_file, "Send this certification request (PEM or DER) as it is; needs --key")
        ->type_name("FILE")->excludes(type);
    command->add_flag("--server-key", options->server_key, "Have the server make the key (RFC 7030 4.4); --key-type is a wish then")
        ->excludes("--key")->excludes("--csr");
    add_key_decryption(*command, options->decryption, "With --server-key: have the key");
    options->login.add_to(*command);
    command->add_option("--out", options->out, "Directory for key, certificate, chain and trust anchors")->required()->type_name("DIR");
    command->add_option("--wait", options->wait, "How long to wait for approval (default 10m; 0: not at all)")->type_name("DURATION");
    command->add_flag("--no-linking", options->no_linking, "Do not put the TLS session's binding into the request");
    command->add_flag("--force", options->force, "Enroll anew although the directory holds a certificate");
    add_check_server(*command, options->check_server);
    options->trust.add_to(*command);
    command->footer("Examples:\n"
                    "  estuary enroll https://ca.example:8443 --fingerprint 4F:A1:… --user dev1 --password-file pw \\\n"
                    "      --subject CN=dev1 --out /etc/estuary/dev1\n"
                    "  estuary enroll https://ca.example:8443 --trust ca.pem --cert idevid.pem --cert-key idevid.key \\\n"
                    "      --subject serialNumber=1234 --key-type p384 --out ./dev\n"
                    "  estuary enroll https://ca.example:8443 --trust ca.pem --user dev2 --password-file pw \\\n"
                    "      --subject CN=dev2 --server-key --key-type rsa3072 --decrypt-key dev2.decrypt-key --out ./dev2\n"
                    "  estuary enroll http://ca.example:8445 --protocol cmp --user dev3 --password-file pw \\\n"
                    "      --subject CN=dev3 --out ./dev3\n"
                    "Exit status: 0 enrolled, 1 failed here, 2 usage, 3 refused by the server, 4 server not trusted,\n"
                    "5 waiting for approval (run the same command again), 6 not reachable or busy.");
    command->callback([options, &clock, &status] {
        if (options->subject.empty() && options->names.empty() && options->request_file.empty())
            throw CLI::ValidationError("say who you are: --subject DN, --san NAME or --csr FILE");
        if (options->decryption.given() && !options->server_key)
            throw CLI::ValidationError("--decrypt-with and --decrypt-key are for --server-key");
        if (auto done = enroll(*options, clock); !done) status = report(done.error());
    });
}

}  // namespace estuary::client
