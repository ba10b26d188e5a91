// Certification requests (RFC 10002 3.2.1.2): read, changed by whoever may, and put before the authority.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/cmc/server_impl.h"
#include "estuary/x509/crmf_request.h"

namespace estuary::cmc {
namespace {

using authority::Principal;
using authority::Verb;
using x509::CertificationRequest;

constexpr std::string_view others_first = "another request of this message could not be processed: send all of them again";


/// Whether an assertion puts the registration authority in the place of the sender: it answers for what it changed or vouched
/// for, be it the message or an identity proof in it.
bool takes_over(const Layer& layer, const Assertion& assertion) {
    const auto& control = *assertion.control;
    if (std::holds_alternative<RaIdentityWitness>(control))
        return assertion.rest.empty() || (assertion.rest.size() == 1 && layer.control(assertion.rest.front()) != nullptr);
    return assertion.rest.empty() &&
           (std::holds_alternative<ModCertTemplate>(control) || std::holds_alternative<AddExtensions>(control) ||
            std::holds_alternative<LraPopWitness>(control));
}

template <class Value>
bool contains(const Value& control, BodyPartId request) {
    return std::ranges::find(control.requests, request) != control.requests.end();
}

/// id-alg-noSignature has NULL parameters (C.1).
bool is_no_signature(Bytes algorithm) {
    der::Writer writer;
    writer.sequence([&] { writer.oid(oid::no_signature).null(); });
    return same(algorithm, writer.bytes());
}

/// What RFC 10002 3.2.1.2.2 and RFC 10004 5.3 ask of CRMF, beyond CRMF.
Result<void> check_crmf(const x509::crmf::CertReqMsg& message) {
    const auto& request = message.cert_req();
    if (!request.cert_template.subject || !request.cert_template.public_key)
        return fail(Code::malformed, "CertTemplate: subject and publicKey must be there");
    if (!message.reg_info().empty()) return fail(Code::malformed, "regInfo of CRMF must not be used: use CMC's control");
    for (const auto& type : {x509::crmf::oid::reg_token, x509::crmf::oid::authenticator})
        if (x509::crmf::find(request.controls, type) != nullptr)
            return fail(Code::malformed, "regToken and authenticator must not be used: use identification and identityProofV2");
    if (x509::crmf::find(request.controls, x509::crmf::oid::pki_archive_options) != nullptr)
        return fail(Code::malformed, "private keys are not archived here");
    if (x509::crmf::subsequent_message(message) == x509::crmf::SubsequentMessage::encr_cert)
        return fail(Code::malformed, "encrCert is no proof of possession in CMC");
    return x509::crmf::check_requestable(request.cert_template);
}

/// Controls of CRMF that are attributes in PKCS #10 (6.3.1.1, 7.1).
std::vector<x509::Attribute> attributes_of(const x509::crmf::CertReqMsg& message) {
    std::vector<x509::Attribute> attributes;
    for (const auto& control : message.cert_req().controls) {
        const auto& type = control.type;
        if (type != oid::pop_link_witness && type != oid::pop_link_witness_v2 && type != x509::oid::change_subject_name) continue;
        if (std::ranges::none_of(attributes, [&](const auto& known) { return known.type == type; }))
            attributes.push_back({type, {control.value}});
    }
    return attributes;
}

CertificationRequest::Parts parts_of(const x509::crmf::CertReqMsg& message) {
    const auto& wanted = message.cert_req().cert_template;
    CertificationRequest::Parts parts;
    parts.der = to_vec(message.der());
    parts.subject = *wanted.subject;
    parts.spki = *wanted.public_key;
    parts.extensions = wanted.extensions;
    parts.possession = x509::Possession::decryption;
    if (wanted.validity) {
        parts.not_before = wanted.validity->not_before;
        parts.not_after = wanted.validity->not_after;
    }
    return parts;
}

template <class Value>
Result<std::optional<Value>> request_attribute(const CertificationRequest& request) {
    const auto* attribute = request.attribute(Value::type);
    if (attribute == nullptr) return std::optional<Value>{};
    ESTUARY_TRY(auto control, read_control({0, attribute->type, attribute->values}));
    return std::optional<Value>{std::get<Value>(std::move(control))};
}

bool names_one_subject(const authority::CredentialProof& credential) {
    return !credential.subject_patterns.empty() && std::ranges::none_of(credential.subject_patterns, [](const auto& pattern) {
        return pattern.find('*') != std::string::npos;
    });
}

}  // namespace

/// Who asks the authority: the sender, or the registration authority that changed the request or vouches for it. Then it is the
/// RA's request, under the RA's rights (RFC 10002 10).
const Principal& Processor::principal_for(const Layer& layer) const {
    for (auto assertion = layer.assertions.rbegin(); assertion != layer.assertions.rend(); ++assertion)
        if (takes_over(layer, *assertion)) return assertion->by->principal;
    return layer.identity.principal;
}

/// The holder of a certificate of this very label and profile renews it; all else is a new request.
Verb Processor::verb_for(const Principal& principal) const {
    if (!principal.certificate || principal.is_registration_authority()) return Verb::enroll;
    const auto& proof = *principal.certificate;
    const bool own =
        proof.issued_by_ca == endpoint_.ca && proof.profile == endpoint_.config.profile && proof.label == endpoint_.config.label;
    return own ? Verb::renew : Verb::enroll;
}

/// In the order in which they are applied: those of this layer, then of those around it, outwards (6.5.1).
std::vector<Modification> Processor::changes_for(const Layer& layer, BodyPartId request) const {
    std::vector<Modification> changes;
    const BodyPartPath here{this_message};
    for (const auto& [id, control] : layer.all<AddExtensions>())
        if (control->pki_data == this_message && contains(*control, request)) changes.push_back({nullptr, control});
    for (const auto& [id, control] : layer.all<ModCertTemplate>())
        if (control->pki_data == here && contains(*control, request)) changes.push_back({control, nullptr});
    for (const auto& assertion : layer.assertions) {
        if (!assertion.rest.empty()) continue;
        if (const auto* add = std::get_if<AddExtensions>(assertion.control); add != nullptr && contains(*add, request))
            changes.push_back({nullptr, add});
        if (const auto* mod = std::get_if<ModCertTemplate>(assertion.control); mod != nullptr && contains(*mod, request))
            changes.push_back({mod, nullptr});
    }
    return changes;
}

Checked<CertificationRequest> Processor::read_pkcs10(const Layer&, const TaggedRequest& tagged, bool& unproven) {
    auto parsed = x509::SignedRequest::parse(tagged.der);
    if (parsed) return CertificationRequest{*parsed};
    auto unsigned_one = x509::parse_unproven(tagged.der);
    if (!unsigned_one || !is_no_signature(unsigned_one->signature_algorithm)) return tl::unexpected(Failure::of(parsed.error()));
    unproven = true;
    auto request = CertificationRequest::make(std::move(unsigned_one->parts));
    if (!request) return tl::unexpected(Failure::of(request.error()));
    return std::move(*request);
}

Checked<CertificationRequest> Processor::read_crmf(const Layer& layer, const TaggedRequest& tagged, bool& unproven) {
    const auto made = [&]() -> Result<CertificationRequest> {
        ESTUARY_TRY(const auto message, x509::crmf::CertReqMsg::parse(tagged.der));
        ESTUARY_CHECK(check_crmf(message));
        unproven = !message.popo() || x509::crmf::subsequent_message(message).has_value();
        auto parts = parts_of(message);
        if (!unproven) {
            x509::crmf::Receiver receiver;
            receiver.from_registration_authority = principal_for(layer).is_registration_authority() && endpoint_.config.ra_may_prove_possession;
            auto proven = x509::crmf::to_certification_request(message, receiver);
            // raVerified from anybody else is a proof that fails, whoever they are.
            if (!proven && proven.error().code == Code::not_authorised) return fail(Code::bad_proof, proven.error().detail);
            if (!proven) return proven;
            parts = proven->parts();
        }
        for (auto& attribute : attributes_of(message)) parts.attributes.push_back(std::move(attribute));
        return CertificationRequest::make(std::move(parts));
    }();
    if (!made) return tl::unexpected(Failure::of(made.error()));
    return *made;
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.3.1.1
//# Upon receipt, servers MUST verify that each certification request contains a copy of the POP Link Witness/POP Link Witness V2
//# control and that its value was derived using the above method from the shared-secret and the random string included in the
// POP # Link Random control.
/// A credential that names one subject links by that, for policy holds the request to it (6.3.2).
Checked<void> Processor::check_pop_link(const Layer& layer, const CertificationRequest& request) {
    if (!layer.identity.secret) return {};
    const auto modern = request_attribute<PopLinkWitnessV2>(request);
    const auto old = request_attribute<PopLinkWitness>(request);
    if (!modern || !old) return tl::unexpected(Failure::of(modern ? old.error() : modern.error()));
    const auto* random = layer.find<PopLinkRandom>();
    if (!*modern && !*old) {
        const auto& credential = layer.identity.principal.credential;
        const bool by_name = credential && names_one_subject(*credential) && random == nullptr;
        if (!endpoint_.config.pop_link_required || by_name) return {};
        return tl::unexpected(pop_failed("popLinkRandom, and popLinkWitnessV2 in every request, are needed with a shared secret"));
    }
    if (random == nullptr) return tl::unexpected(pop_failed("popLinkWitness without popLinkRandom"));
    const auto verified = [&]() -> Result<void> {
        const auto& limits = endpoint_.config.witnesses;
        if (*modern) ESTUARY_CHECK(verify(**modern, *layer.identity.secret, random->octets, limits));
        if (*old) ESTUARY_CHECK(verify(**old, *layer.identity.secret, random->octets, limits));
        return {};
    }();
    if (verified) return {};
    if (verified.error().code == Code::bad_proof) return tl::unexpected(pop_failed("popLinkWitness is not that of this secret and random value"));
    return tl::unexpected(Failure::of(verified.error()));
}

Candidate Processor::read_candidate(const Layer& layer, const TaggedRequest& tagged) {
    Candidate candidate;
    candidate.tagged = &tagged;
    auto request = tagged.kind == TaggedRequest::Kind::tcr ? read_pkcs10(layer, tagged, candidate.unproven)
                                                           : read_crmf(layer, tagged, candidate.unproven);
    if (!request) {
        candidate.failure = std::move(request).error();
        return candidate;
    }
    if (auto linked = check_pop_link(layer, *request); !linked) {
        candidate.failure = std::move(linked).error();
        return candidate;
    }
    candidate.request = std::move(*request);
    if (candidate.unproven) prove_possession(layer, candidate);
    return candidate;
}

void Processor::process_requests(const Layer& layer, Reply& reply) {
    const auto& requests = layer.data.requests;
    if (requests.empty()) return;
    const auto& principal = principal_for(layer);
    if (principal.anonymous())
        return reply.fail(layer.request_ids(), {FailInfo::bad_identity, "nobody proved who asks, in a way that is accepted here",
                                                Code::not_authenticated});
    //= https://www.rfc-editor.org/rfc/rfc5272#section-3.2.1
    //# a CMCStatus of noSupport MUST be returned for the certification request item and no other certification requests are
    //# processed.
    if (std::ranges::any_of(requests, [](const auto& one) { return one.kind == TaggedRequest::Kind::orm; })) {
        for (const auto& one : requests) {
            if (one.kind == TaggedRequest::Kind::orm) {
                reply.not_supported(one.id, fmt::format("requests of type {} are not known here", one.type.dotted()));
            } else {
                reply.fail(one.id, {FailInfo::bad_request, std::string{others_first}, Code::unsupported});
            }
        }
        return;
    }
    std::vector<Candidate> candidates;
    candidates.reserve(requests.size());
    for (const auto& one : requests) candidates.push_back(read_candidate(layer, one));
    if (refuse_unproven(layer, candidates, reply)) return;

    const auto verb = verb_for(principal);
    std::vector<Waiting> waiting;
    for (auto& candidate : candidates) {
        const auto id = candidate.tagged->id;
        if (candidate.failure) {
            reply.fail(id, *candidate.failure);
            continue;
        }
        auto changes = changes_for(layer, id);
        const auto request = modified(*candidate.request, changes);
        if (!request) {
            reply.fail(id, Failure::of(request.error()));
            continue;
        }
        const auto linking = linking_of(layer, *request);
        const auto outcome = linking ? enroll(*request, principal, verb, *linking) : tl::unexpected(linking.error());
        if (!outcome) {
            reply.fail(id, outcome.error());
        } else if (const auto* done = std::get_if<authority::Issued>(&*outcome)) {
            issued(*done, id, reply);
        } else {
            waiting.push_back({candidate.tagged, candidate.request->possession(), verb, std::move(changes),
                               std::get<authority::Pending>(*outcome).retry_after});
        }
    }
    if (!waiting.empty()) wait_for(layer, waiting, reply);
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.7
//# Servers SHOULD reject all certification requests contained within a PKIData if any required POP is missing for any element
//# within the PKIData.
bool Processor::refuse_unproven(const Layer& layer, const std::vector<Candidate>& candidates, Reply& reply) {
    if (std::ranges::none_of(candidates, [](const auto& one) { return one.unproven && !one.failure; })) return false;
    for (const auto& candidate : candidates) {
        const auto id = candidate.tagged->id;
        if (candidate.failure) {
            reply.fail(id, *candidate.failure);
        } else if (!candidate.unproven) {
            reply.fail(id, {FailInfo::bad_request, std::string{others_first}, Code::bad_proof});
        } else if (auto made = challenge(layer, candidate)) {
            reply.fail(
                id, {FailInfo::pop_required, "possession of the key is to be proved: answer the encryptedPOP", Code::bad_proof});
            reply.challenge(*made);
        } else {
            reply.fail(id, Failure::of(made.error(), made.error().code == Code::bad_proof ? FailInfo::pop_required
                                                                                          : fail_info_of(made.error().code)));
        }
    }
    return true;
}

Checked<authority::Linking> Processor::linking_of(const Layer& layer, const CertificationRequest& request) const {
    if (!transport_.linking || layer.depth != 0) return authority::Linking::absent;
    auto linking = transport_.linking(request.attributes());
    if (!linking) return tl::unexpected(Failure::of(linking.error()));
    return *linking;
}

Checked<authority::Outcome> Processor::enroll(const CertificationRequest& request, const Principal& principal, Verb verb,
                                              authority::Linking linking) {
    const auto& config = endpoint_.config;
    //= https://www.rfc-editor.org/rfc/rfc5272#section-3.2
    //# In this case the CA MUST return a PKI Response with noKeyReuse as the CMCFailInfo failure code.
    if (!config.key_reuse && verb == Verb::renew && same(principal.certificate->certificate.spki(), request.spki()))
        return refuse(FailInfo::no_key_reuse, Code::bad_key, "a renewal needs a new key here");
    if (verb == Verb::enroll && request.attribute(x509::oid::change_subject_name) != nullptr && !principal.is_registration_authority())
        return refuse(FailInfo::bad_request, Code::policy,
                      "changeSubjectName is for renewals, signed with the certificate that is renewed");
    authority::EnrollRequest wanted{verb, config.profile, config.label, request, principal, linking};
    wanted.confirm_within = config.confirm_within;
    auto outcome = services_.authority.enroll(wanted, work_);
    if (outcome) return std::move(*outcome);
    const auto& error = outcome.error();
    if (error.code == Code::policy && asks_for_unknown_extension(request))
        return tl::unexpected(Failure::of(error, FailInfo::unsupported_ext));
    return tl::unexpected(Failure::of(error));
}

/// Whether a profile that refuses extensions which it does not know meets one of them here.
bool Processor::asks_for_unknown_extension(const CertificationRequest& request) const {
    const auto* profile = services_.authority.profile(endpoint_.config.profile);
    if (profile == nullptr || profile->other_extensions != authority::Unwanted::refuse) return false;
    constexpr std::array known{x509::oid::subject_alt_name, x509::oid::basic_constraints, x509::oid::key_usage,
                               x509::oid::ext_key_usage, x509::oid::subject_key_identifier};
    return std::ranges::any_of(request.extensions(), [&](const auto& extension) {
        return std::ranges::find(known, extension.id) == known.end() &&
               std::ranges::find(profile->pass_extensions, extension.id) == profile->pass_extensions.end();
    });
}

void Processor::issued(const authority::Issued& issued, BodyPartId part, Reply& reply) {
    add_issued(issued.certificate.der(), reply);
    if (endpoint_.config.confirm_within) {
        // A repeated answer may have been confirmed in between.
        const auto waiting =
            services_.store.unconfirmed(issued.ca, authority::without_leading_zeros(issued.certificate.serial_number()));
        if (!issued.repeated || !waiting || *waiting) return reply.confirm(part);
    }
    reply.succeed(part);
}

}  // namespace estuary::cmc
