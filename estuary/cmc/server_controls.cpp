// Controls that ask for something else than a certificate (RFC 10002 6.9 to 6.18), and nested messages.
#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/cmc/server_impl.h"
#include "estuary/x509/crl.h"
#include "estuary/x509/distribution_point.h"

namespace estuary::cmc {
namespace {

Failure no_such_certificate() {
    return {FailInfo::bad_cert_id, "no certificate of yours is known by this issuer and serial number", Code::not_found};
}

Failure not_covered() {
    return {FailInfo::bad_identity, "this needs a message that is signed by who asks", Code::not_authenticated};
}

/// The client's own word on a certificate, or on a challenge: statusInfoV2 in a request (6.7, 6.14).
struct ClientStatus {
    bool failed = false;
    std::string text;
};
ClientStatus client_status(const Layer& layer) {
    ClientStatus status;
    for (const auto& [id, info] : layer.all<StatusInfoV2>())
        if (info->status == Status::failed) status = {true, info->status_string.value_or("")};
    for (const auto& [id, info] : layer.all<StatusInfo>())
        if (info->status == Status::failed) status = {true, info->status_string.value_or("")};
    return status;
}

/// RFC 10002 6.10: the name is that of a distribution point. A list without one is about everything.
bool is_at(const x509::RevocationList& list, const x509::GeneralName& name) {
    const auto& scope = list.scope();
    return !scope || !scope->name || x509::have_name_in_common(scope->name->names_below(list.issuer()), {name});
}

/// Where an assertion of this layer points to in a nested one; nothing if it does not point into that.
std::optional<BodyPartPath> rest_after(const BodyPartPath& path, BodyPartId content) {
    if (path.empty() || path.front() != content) return {};
    return BodyPartPath{path.begin() + 1, path.end()};
}

/// All that this layer says of that nested message.
std::vector<Assertion> assertions_for(const Layer& layer, BodyPartId content) {
    std::vector<Assertion> found;
    const auto add = [&](const BodyPartPath& path, const Control& control) {
        if (auto rest = rest_after(path, content)) found.push_back({std::move(*rest), &control, &layer.identity});
    };
    for (const auto& slot : layer.controls) {
        if (!slot) continue;
        const auto& control = *slot;
        if (const auto* mod = std::get_if<ModCertTemplate>(&control)) add(mod->pki_data, control);
        if (const auto* extensions = std::get_if<AddExtensions>(&control)) add({extensions->pki_data}, control);
        if (const auto* pop = std::get_if<LraPopWitness>(&control)) add({pop->pki_data}, control);
        if (const auto* identity = std::get_if<RaIdentityWitness>(&control)) add(identity->parts, control);
        if (const auto* processed = std::get_if<ControlProcessed>(&control))
            for (const auto& reference : processed->controls)
                if (const auto* path = std::get_if<BodyPartPath>(&reference)) add(*path, control);
    }
    for (const auto& assertion : layer.assertions)
        if (auto rest = rest_after(assertion.rest, content)) found.push_back({std::move(*rest), assertion.control, assertion.by});
    return found;
}

}  // namespace

bool Processor::is_own_ca(const x509::Name& issuer) const {
    const auto* ca = services_.authority.ca(endpoint_.ca);
    return ca != nullptr && ca->certificate.subject().matches(issuer);
}

/// From the endpoint's CA to below the trust anchor, which itself is not for a bag to tell (4.1).
std::vector<Bytes> Processor::way_up() const {
    std::vector<Bytes> certificates;
    const auto* ca = services_.authority.ca(endpoint_.ca);
    if (ca == nullptr) return certificates;
    if (!ca->certificate.is_self_issued()) certificates.push_back(ca->certificate.der());
    for (const auto& above : ca->chain)
        if (!above.is_self_issued()) certificates.push_back(above.der());
    return certificates;
}

void Processor::add_issued(Bytes certificate, Reply& reply) {
    reply.add_certificate(certificate);
    for (const auto above : way_up()) reply.add_certificate_once(above);
}

/// The order is that of 6.18: what is revoked or confirmed before what is read.
void Processor::process_controls(const Layer& layer, Reply& reply) {
    for (const auto& [id, control] : layer.all<RevokeRequest>()) process_revocation(layer, id, *control, reply);
    for (const auto& [id, control] : layer.all<ConfirmCertAcceptance>()) process_confirmation(layer, id, *control, reply);
    for (const auto& [id, control] : layer.all<QueryPending>()) process_query(layer, id, *control, reply);
    for (const auto& [id, control] : layer.all<GetCert>()) process_get_cert(layer, id, *control, reply);
    for (const auto& [id, control] : layer.all<GetCrl>()) process_get_crl(id, *control, reply);
    for (const auto& [id, control] : layer.all<PublishCert>())
        reply.not_supported(id, "certificates are not published by request here");
    for (const auto& [id, control] : layer.all<AuthData>())
        reply.fail(id, {FailInfo::auth_data_fail, "authenticated data is not accepted in requests", Code::unsupported});
}

/// The holder and the registration authority by their signature; who lost the key by the secret that the certificate was got
/// with.
std::optional<authority::Principal> Processor::who_may_revoke(const Layer& layer, const RevokeRequest& request) {
    if (!request.shared_secret) {
        const auto& identity = layer.identity;
        if (!identity.covers_controls || identity.principal.anonymous()) return {};
        const bool by_secret = identity.secret && !identity.principal.certificate;
        if (by_secret && !endpoint_.config.revocation_by_secret) return {};
        auto principal = identity.principal;
        // Of whichever label: it counts here, so it answers for what was issued here, and for nothing else (bug class 7).
        if (identity.principal.is_registration_authority()) principal.certificate->label = endpoint_.config.label;
        return principal;
    }
    if (!endpoint_.config.revocation_by_secret) return {};
    constexpr std::string_view prefix = "credential:";
    const auto record = services_.store.certificate(endpoint_.ca, authority::without_leading_zeros(request.serial_number));
    if (!record || !*record || !(*record)->requester.starts_with(prefix) || (*record)->label != endpoint_.config.label) return {};
    const auto name = (*record)->requester.substr(prefix.size());
    const auto shared = services_.authority.shared_secret(name, "cmc", transport_.principal.address);
    if (!shared) return {};
    if (shared->proof.name.empty() || !crypto::equal_in_constant_time(shared->secret.reveal(), *request.shared_secret)) {
        services_.authority.proof_failed(name, transport_.principal.address);
        return {};
    }
    authority::Principal principal;
    principal.credential = shared->proof;
    principal.address = transport_.principal.address;
    return principal;
}

void Processor::process_revocation(const Layer& layer, BodyPartId id, const RevokeRequest& request, Reply& reply) {
    reply.need_full();  // "A Full PKI Response MUST be returned for a revocation request" (6.11)
    const auto principal = who_may_revoke(layer, request);
    if (!principal) return reply.fail(id, request.shared_secret ? no_such_certificate() : not_covered());
    if (!is_own_ca(request.issuer)) return reply.fail(id, no_such_certificate());
    authority::RevokeRequest wanted{endpoint_.ca, request.serial_number, request.reason, *principal, request.invalidity_date};
    if (const auto revoked = services_.authority.revoke(wanted, work_); !revoked) {
        const auto& error = revoked.error();
        const bool hidden = error.code == Code::not_authorised || error.code == Code::not_found;
        return reply.fail(id, hidden ? no_such_certificate() : Failure::of(error));
    }
    reply.succeed(id);
}

void Processor::process_confirmation(const Layer& layer, BodyPartId id, const ConfirmCertAcceptance& control, Reply& reply) {
    reply.need_full();  // 6.14
    const auto& identity = layer.identity;
    if (!identity.covers_controls || identity.principal.anonymous()) return reply.fail(id, not_covered());
    if (!is_own_ca(control.issuer)) return reply.fail(id, no_such_certificate());
    const auto status = client_status(layer);
    authority::ConfirmRequest wanted{endpoint_.ca, control.serial_number, !status.failed, identity.principal, status.text};
    if (const auto confirmed = services_.authority.confirm(wanted, work_); !confirmed) {
        const auto& error = confirmed.error();
        const bool hidden = error.code == Code::not_authorised || error.code == Code::not_found;
        return reply.fail(id, hidden ? no_such_certificate() : Failure::of(error));
    }
    reply.succeed(id);
}

/// To whoever is known here, what was issued under this label.
void Processor::process_get_cert(const Layer& layer, BodyPartId id, const GetCert& request, Reply& reply) {
    if (layer.identity.principal.anonymous()) return reply.fail(id, not_covered());
    const auto issuer = request.issuer.kind == x509::GeneralName::Kind::directory ? x509::Name::parse(request.issuer.value)
                                                                                  : Result<x509::Name>{fail(Code::not_found, "")};
    if (!issuer || !is_own_ca(*issuer)) return reply.fail(id, no_such_certificate());
    const auto record = services_.store.certificate(endpoint_.ca, authority::without_leading_zeros(request.serial_number));
    if (!record) return reply.fail(id, Failure::of(record.error()));
    if (!*record || (*record)->label != endpoint_.config.label) return reply.fail(id, no_such_certificate());
    reply.add_certificate((*record)->der);
    reply.succeed(id);
}

/// The lists that are published now: the newest, unless `time` asks for one from before it. One list has all reasons here.
void Processor::process_get_crl(BodyPartId id, const GetCrl& request, Reply& reply) {
    const Failure nothing{FailInfo::bad_request, "there is no such CRL here", Code::not_found};
    if (!services_.config.crls) return reply.fail(id, nothing);
    const auto lists = services_.config.crls(endpoint_.ca);
    if (!lists) return reply.fail(id, Failure::of(lists.error()));
    bool found = false;
    for (const auto& der : *lists) {
        const auto list = x509::RevocationList::parse(der);
        if (!list || !list->issuer().matches(request.issuer)) continue;
        if (request.time && list->this_update() >= *request.time) continue;
        if (request.crl_name && !is_at(*list, *request.crl_name)) continue;
        reply.add_crl(der);
        found = true;
    }
    if (!found) return reply.fail(id, nothing);
    reply.succeed(id);
}

/// The members of a batch, and other nested messages that a control speaks of; what no control speaks of is passed over (3.2.1).
void Processor::process_nested(const Layer& layer, Reply& reply) {
    std::vector<BodyPartId> members;
    for (const auto& [id, batch] : layer.all<BatchRequests>())
        for (const auto part : batch->parts) {
            if (layer.data.content(part) == nullptr)
                return reply.fail(id, {FailInfo::bad_request, "batchRequests names a part that is not there", Code::malformed});
            if (std::ranges::find(members, part) == members.end()) members.push_back(part);
        }
    for (const auto& content : layer.data.contents) {
        if (std::ranges::find(members, content.id) != members.end()) continue;
        if (!assertions_for(layer, content.id).empty()) members.push_back(content.id);
    }
    if (members.empty()) return;
    reply.need_full();
    if (layer.depth + 1 >= services_.config.limits.nesting_max)
        return reply.fail(
            std::move(members),
            {FailInfo::bad_request, fmt::format("messages are nested more than {} deep", services_.config.limits.nesting_max),
             Code::too_large});
    for (const auto member : members) {
        auto answer = serve_nested(layer.data.content(member)->content_info, assertions_for(layer, member), layer.depth + 1);
        if (!answer) {
            reply.fail(member, Failure::of(answer.error()));
        } else {
            reply.add_content(std::move(*answer));
        }
    }
    for (const auto& [id, batch] : layer.all<BatchRequests>()) reply.succeed(id);
}

}  // namespace estuary::cmc
