#include <fmt/format.h>

#include "cmp_enrollment.h"
#include "command_line.h"
#include "commands.h"
#include "enrollment.h"
#include "login.h"
#include "peer_status.h"
#include "protocol.h"
#include "server_key.h"
#include "waiting.h"

namespace estuary::client {
namespace {

struct RenewOptions {
    std::string directory;
    std::string key_type;
    std::string wait = "10m";
    ocsp::PeerCheck check_server = ocsp::PeerCheck::off;
    ProtocolChoice protocol;
    bool rekey = false, if_due = false, no_linking = false;
};

/// A third of the lifetime before the end: time enough for several attempts.
bool is_due(const x509::Certificate& certificate, Time now) {
    const auto lifetime = certificate.not_after() - certificate.not_before();
    return now >= certificate.not_after() - lifetime / 3;
}

/// Subject and names as they are (RFC 7030 4.2.2).
Result<x509::RequestTemplate> same_names(const x509::Certificate& certificate) {
    x509::RequestTemplate request;
    request.subject = certificate.subject();
    if (const auto* names = x509::find(certificate.extensions(), x509::oid::subject_alt_name)) request.extensions.push_back(*names);
    return request;
}

/// "p256", "rsa3072": a key of the same type, for --rekey.
std::string key_type_of(const crypto::PrivateKey& key) { return key.public_key().type_name(); }

/// kur, signed by the certificate.
Outcome<void> renew_by_cmp(const RenewOptions& options, const EnrollmentState& state, const Clock& clock) {
    const bool new_key = options.rekey || !options.key_type.empty();
    CmpEnrollOptions wanted;
    wanted.type = cmp::BodyType::kur;
    wanted.cmp.url = options.protocol.url;
    wanted.cmp.wait = options.wait;
    wanted.cmp.check_server = options.check_server;
    wanted.same_key = !new_key;
    wanted.generate_there = new_key && state.server_key;
    wanted.key_type = options.key_type;
    wanted.out = options.directory;
    if (new_key && options.key_type.empty() && !wanted.generate_there) {
        ESTUARY_TRY_AS(const auto identity, Directory{options.directory}.load(), local_failure);
        wanted.key_type = key_type_of(identity.key);
    }
    return enroll_by_cmp(std::move(wanted), clock);
}

Outcome<void> renew(const RenewOptions& options, const Clock& clock) {
    const auto wait = parse_wait(options.wait);
    if (!wait) return failure(exit_usage, wait.error());
    Directory directory{options.directory};
    ESTUARY_TRY_AS(const auto identity, directory.load(), local_failure);
    if (options.if_due && !is_due(identity.certificate, clock.now())) {
        fmt::print("not due: valid until {}\n", to_iso8601(identity.certificate.not_after()));
        return {};
    }
    if (identity.certificate.not_after() < clock.now())
        fmt::print(stderr, "note: the certificate expired on {}; the server may refuse it\n", to_iso8601(identity.certificate.not_after()));

    ESTUARY_TRY_OUTCOME(const bool by_cmp, options.protocol.is_cmp_for(identity.state));
    if (by_cmp) return renew_by_cmp(options, identity.state, clock);
    ESTUARY_TRY_OUTCOME(const auto base, est_base(identity.state.url, ""));
    Session session{base, connect_as(identity), clock};
    check_server_of(session, options.check_server, {identity.anchors, identity.state.system_trust}, clock);
    // The CA's certificates first: after a rollover the new anchors arrive here (RFC 7030 4.1.3).
    ESTUARY_TRY_OUTCOME(const auto ca_certificates, session.ca_certificates());

    ESTUARY_TRY_AS(auto pending, directory.load_pending(), local_failure);
    if (pending && pending->state.by_cmp()) pending.reset();
    auto key = identity.key;
    auto state = identity.state;
    Session::MakeRequest make_request;
    // A certificate whose key the server made is renewed with that key, as any other; a new key is the server's again.
    const bool new_key = options.rekey || !options.key_type.empty();
    const bool new_server_key = pending ? pending->state.awaits_server_key : identity.state.server_key && new_key;
    if (pending) {
        key = *pending->key;
        state = pending->state;
        state.awaits_server_key = false;
        make_request = [der = pending->request](const http::ChannelBindings&) -> Result<ByteVec> { return der; };
    } else {
        if (new_key) {
            if (new_server_key && !options.key_type.empty())
                if (auto may = check_wish(options.key_type); !may) return tl::unexpected<Failure>(std::move(may).error());
            ESTUARY_TRY_AS(key, crypto::PrivateKey::generate(options.key_type.empty() ? key_type_of(key) : options.key_type), local_failure);
            state.key_source.clear();
        }
        ESTUARY_TRY_OUTCOME(const auto attributes, session.csr_attributes());
        ESTUARY_TRY_AS(const auto plan, est::plan_request({}, attributes), local_failure);
        ESTUARY_TRY_AS(auto wanted, same_names(identity.certificate), local_failure);
        if (new_server_key) {
            ESTUARY_TRY_OUTCOME(wanted.attributes, delivery_attributes(state.decryption, plan));
        }
        const bool linked = !options.no_linking || plan.linking_wanted;
        make_request = [wanted, key, linked, by_attribute = plan.linking_by_attribute](const http::ChannelBindings& bindings) {
            auto request = wanted;
            if (linked) link_to_session(request, bindings, by_attribute);
            return x509::make_request(request, key);
        };
    }
    const auto send = new_server_key ? server_key_sender(session, state.decryption, ca_certificates) : enrollment_sender(session, true);
    auto waiting = state;
    waiting.awaits_server_key = new_server_key;
    ESTUARY_TRY_OUTCOME(auto enrolled, ask(send, directory, waiting, key, make_request, {*wait}, clock));
    tell_other_kind(enrolled.key, options.key_type);
    ESTUARY_TRY_OUTCOME(const auto kept, keep(directory, state, enrolled.key.value_or(key), std::move(*enrolled.certificate), ca_certificates, clock));
    show(kept, directory);
    return {};
}

}  // namespace

void add_renew(CLI::App& program, const Clock& clock, int& status) {
    auto options = std::make_shared<RenewOptions>();
    auto* command = program.add_subcommand("renew", "Renew the certificate of a directory (RFC 7030 4.2.2, or RFC 9483 4.1.3)");
    command->add_option("DIR", options->directory, "The directory that `estuary enroll --out` made")->required();
    command->add_flag("--rekey", options->rekey, "Make a new key of the same type");
    command->add_option("--key-type", options->key_type, "Make a new key of this type");
    command->add_flag("--if-due", options->if_due, "Do nothing before the last third of the lifetime: for timers and cron");
    command->add_option("--wait", options->wait, "How long to wait for approval (default 10m; 0: not at all)")->type_name("DURATION");
    command->add_flag("--no-linking", options->no_linking, "Do not put the TLS session's binding into the request");
    options->protocol.add_to(*command);
    add_check_server(*command, options->check_server);
    command->footer("Examples:\n"
                    "  estuary renew /etc/estuary/dev1 --if-due\n"
                    "  estuary renew /etc/estuary/dev1 --rekey");
    run_with(*command, options, renew, clock, status);
}

}  // namespace estuary::client
