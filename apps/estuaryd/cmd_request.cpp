// estuaryd request list, show, approve, deny: what waits for a person.
#include <ostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/ca_request.h"
#include "apps/estuaryd/revocation_notice.h"
#include "apps/estuaryd/serial_number.h"
#include "apps/estuaryd/table.h"
#include "estuary/base/encoding.h"

namespace estuary::daemon {
namespace {

using store::PendingRequest;
using State = PendingRequest::State;

Result<std::optional<State>> read_state(std::string_view name) {
    if (name == "any") return std::optional<State>{};
    for (const auto state : {State::pending, State::approved, State::denied, State::issued})
        if (name == store::to_string(state)) return std::optional{state};
    return fail(Code::malformed, fmt::format("--state: '{}' is not one of: pending, approved, denied, issued, any", shown(name)));
}

/// PKCS #10 has a PEM form of its own; requests of CMP and CMC (CRMF, RFC 4211) have not.
std::string pem_of(const PendingRequest& request) {
    if (request.revocation) return to_pem("CERTIFICATE", request.request);
    // By whatever it shows possession: that was checked before it was recorded.
    const bool pkcs10 = x509::parse_unproven(request.request).has_value();
    return to_pem(pkcs10 ? "CERTIFICATE REQUEST" : "CERTIFICATE REQUEST MESSAGE", request.request);
}

boost::json::object json_of(const PendingRequest& request, bool pem) {
    boost::json::object object{{"id", request.id},
                               {"state", store::to_string(request.state)},
                               {"operation", request.operation},
                               {"subject", request.subject},
                               {"subject_alt_names", request.subject_alt_names},
                               {"profile", request.profile},
                               {"label", request.label},
                               {"requester", request.requester},
                               {"created_at", to_iso8601(request.created_at)},
                               {"expires_at", to_iso8601(request.expires_at)}};
    if (request.decided_at) {
        object["decided_at"] = to_iso8601(*request.decided_at);
        object["decided_by"] = request.decided_by;
        object["reason"] = request.reason;
    }
    if (pem) object["pem"] = pem_of(request);
    return object;
}

Result<PendingRequest> find(store::Store& store, std::int64_t id) {
    ESTUARY_TRY(auto request, store.pending_request(id));
    if (!request) return fail(Code::not_found, fmt::format("there is no request {}", id));
    return std::move(*request);
}

void print_request(const PendingRequest& request, std::ostream& out) {
    FieldList fields;
    fields.add("id", std::to_string(request.id));
    fields.add("state", store::to_string(request.state));
    fields.add("operation", request.operation);
    fields.add("subject", request.subject.empty() ? "(empty)" : request.subject);
    fields.add("alternative names", request.subject_alt_names);
    if (request.revocation) {
        if (const auto certificate = x509::Certificate::parse(request.request)) {
            fields.add("serial number", to_hex(certificate->serial_number()));
            fields.add("issuer", certificate->issuer().to_text());
        }
        if (const auto& date = request.revocation->invalidity_date) fields.add("invalid since", to_iso8601(*date));
    } else if (request.operation == authority::to_string(authority::Verb::cross_certify)) {
        add_ca_request(request.request, fields);
    } else if (request.operation == "serverkeygen") {
        fields.add("key", "made here (the request's own does not count)");
    } else if (const auto parsed = x509::parse_unproven(request.request)) {
        if (const auto key = crypto::PublicKey::from_spki(parsed->parts.spki)) fields.add("key", key->type_name());
        fields.add("sha256 of the request", to_hex(crypto::sha256(request.request)));
    }
    fields.add("profile", request.profile);
    fields.add("label", request.label);
    fields.add("requester", request.requester);
    fields.add("created at", to_iso8601(request.created_at));
    fields.add("expires at", to_iso8601(request.expires_at));
    if (request.decided_at) fields.add("decided", fmt::format("{} by {}", to_iso8601(*request.decided_at), request.decided_by));
    fields.add("reason", request.reason);
    fields.print(out);
}

/// As `estuaryd cert revoke` does.
void tell_of_revocation(Session& session, const PendingRequest& request, const Program& program) {
    fmt::print(program.err, "The certificate of {} {}.\n", shown(request.subject.empty() ? request.subject_alt_names : request.subject),
               request.revocation->reason == store::RevocationReason::remove_from_crl ? "is valid again" : "is revoked");
    const auto certificate = x509::Certificate::parse(request.request);
    if (!certificate) return;
    const auto record = find_certificate(*session.store, to_hex(certificate->serial_number()), {});
    if (record) program.err << revocation_notice(session.configuration, *record, *session.store, program.clock.now());
}

}  // namespace

Exit request_list(const RequestOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto state = read_state(options.state);
    if (!state) return report(program, state.error());
    const auto requests = session->store->pending_requests(*state);
    if (!requests) return report(program, requests.error());
    if (options.json) {
        boost::json::array all;
        for (const auto& request : *requests) all.push_back(json_of(request, false));
        program.out << boost::json::serialize(all) << '\n';
        return Exit::ok;
    }
    Columns columns{{"ID", "STATE", "OPERATION", "CREATED", "SUBJECT", "SAN", "PROFILE", "REQUESTER"}};
    for (const auto& request : *requests)
        columns.add({std::to_string(request.id), std::string{store::to_string(request.state)}, request.operation,
                     to_iso8601(request.created_at), request.subject, request.subject_alt_names, request.profile,
                     request.requester});
    columns.print(program.out);
    return Exit::ok;
}

Exit request_show(const RequestOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto request = find(*session->store, options.id);
    if (!request) return report(program, request.error());
    if (options.json) {
        program.out << boost::json::serialize(json_of(*request, true)) << '\n';
        return Exit::ok;
    }
    if (!options.pem) print_request(*request, program.out);
    program.out << pem_of(*request);
    return Exit::ok;
}

Exit request_decide(const RequestOptions& options, bool approve, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto decide = [&]() -> Result<PendingRequest> {
        ESTUARY_TRY(auto request, find(*session->store, options.id));
        ESTUARY_TRY(const auto authority, operator_authority(*session, program));
        store::UnitOfWork work;
        ESTUARY_CHECK(authority->decide(options.id, approve, options.reason, operator_principal(), work));
        ESTUARY_CHECK(session->store->commit(std::move(work)));
        return request;
    };
    const auto decided = decide();
    if (!decided) return report(program, decided.error());
    fmt::print(program.err, "Request {} is {}.{}\n", options.id, approve ? "approved" : "denied",
               approve && !decided->revocation ? " The client gets its certificate when it asks again." : "");
    if (approve && decided->revocation) tell_of_revocation(*session, *decided, program);
    return Exit::ok;
}

}  // namespace estuary::daemon
