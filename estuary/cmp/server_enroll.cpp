// ir, cr, kur and p10cr (RFC 9483 4.1, 5.1.1).
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/oids.h"
#include "estuary/cmp/server_envelope.h"
#include "estuary/cmp/server_impl.h"
#include "estuary/x509/agreement_proof.h"
#include "estuary/x509/crmf_controls.h"
#include "estuary/x509/crmf_request.h"

namespace estuary::cmp {
namespace {

namespace crmf = x509::crmf;
using State = TransactionItem::State;

bool is_registration_authority(const Exchange& exchange) {
    const auto& proof = exchange.sender.principal.certificate;
    return exchange.label.config.registration_authority && proof && proof->registration_authority && proof->label == exchange.label.recorded;
}

const std::vector<crmf::CertReqMsg>& messages_of(const PkiMessage& message) { return message.as<CertReqMessages>().messages; }

/// Whether the certificate has all that was asked for, as it was asked for.
bool is_as_wanted(const x509::Certificate& certificate, const x509::CertificationRequest& request) {
    if (!(certificate.subject() == request.subject())) return false;
    if (request.not_after() && certificate.not_after() != *request.not_after()) return false;
    return std::ranges::all_of(request.extensions(), [&](const x509::Extension& wanted) {
        const auto* given = x509::find(certificate.extensions(), wanted.id);
        return given != nullptr && given->value == wanted.value;
    });
}

authority::Verb verb_of(BodyType type) {
    if (type == BodyType::ccr) return authority::Verb::cross_certify;
    return type == BodyType::kur ? authority::Verb::renew : authority::Verb::enroll;
}

/// Possession as RFC 9483 4.1.1 wants it.
Checked<void> check_possession(const crmf::CertReqMsg& message) {
    if (!message.popo()) return refuse(PkiFailure::bad_pop, "there is no proof of possession");
    const auto* signature = std::get_if<crmf::PopoSigningKey>(&*message.popo());
    if (signature != nullptr && signature->input) return refuse(PkiFailure::bad_pop, "poposkInput does not belong here (RFC 9483 4.1.1)");
    return {};
}

/// What possession by key agreement is checked with. A registration authority does not have the key of the CA above, and nobody else may
/// vouch for what it could not check.
Checked<x509::AgreementKey> agreement_key_of(const LabelState& label) {
    if (label.config.forward != Forwarding::none)
        return refuse(PkiFailure::bad_pop, "possession by key agreement is for the CA above to check, and this registration authority vouches only for what it "
                                           "has seen: let the certificate come encrypted (encrCert)");
    if (!label.config.agreement_proof || label.agreement == nullptr)
        return refuse(PkiFailure::bad_pop, "possession by key agreement is not taken here: let the certificate come encrypted (encrCert), or ask for a challenge");
    return x509::AgreementKey{label.agreement->chain.front(), label.agreement->key};
}

Failure proof_failure(Error error) {
    switch (error.code) {
        case Code::malformed: return as_failure(PkiFailure::bad_cert_template, std::move(error));
        case Code::unsupported: return as_failure(PkiFailure::bad_alg, std::move(error));
        default: return Failure{std::move(error)};
    }
}

/// A client with the certificate of another agreement key, or a former one, makes a MAC that is wrong here.
Failure agreement_failure(Error error) {
    if (error.code == Code::bad_proof) error.detail += "; genm with caProtEncCert tells the certificate of the agreement key";
    return proof_failure(std::move(error));
}

}  // namespace

Checked<std::string> Server::Impl::profile_named(const LabelState& label, std::string_view name) const {
    if (name.empty()) return label.config.profile;
    const auto& more = label.config.more_profiles;
    if (name == label.config.profile || std::ranges::find(more, name) != more.end()) return std::string{name};
    return refuse(PkiFailure::bad_request, "certProfile names a profile that is not offered here");
}

Checked<std::vector<Asked>> Server::Impl::asked_of(const Exchange& exchange, const PkiMessage& original) const {
    const auto& label = exchange.label;
    CMP_TRY(const auto profiles, cert_profile(original.header(), config_.limits));
    const bool p10 = original.type() == BodyType::p10cr;
    const auto count = p10 ? 1 : messages_of(original).size();
    if (count > label.config.requests_max)
        return refuse(PkiFailure::bad_request, fmt::format("{} requests in one message; {} is the most here", count, label.config.requests_max));
    if (profiles.size() > count) return refuse(PkiFailure::bad_request, "certProfile names more profiles than there are requests");
    std::vector<Asked> asked;
    std::set<std::int64_t> ids;
    for (std::size_t i = 0; i < count; ++i) {
        Asked one;
        one.message = p10 ? nullptr : &messages_of(original)[i];
        one.cert_req_id = p10 ? no_cert_req_id : one.message->cert_req().cert_req_id;
        if (!p10 && count == 1 && one.cert_req_id != 0) return refuse(PkiFailure::bad_request, "certReqId of the only request must be 0");
        if (!p10 && one.cert_req_id < 0) return refuse(PkiFailure::bad_request, "certReqId is negative");
        if (!ids.insert(one.cert_req_id).second) return refuse(PkiFailure::bad_request, "two requests have the same certReqId");
        std::string_view name = i < profiles.size() ? profiles[i] : std::string_view{};
        // An update stays what it was.
        if (name.empty() && original.type() == BodyType::kur) name = exchange.sender.principal.certificate->profile;
        if (original.type() == BodyType::ccr) {
            one.profile = label.config.cross_certification;
            if (!name.empty() && name != one.profile) return refuse(PkiFailure::bad_request, "certProfile names a profile by which no CA is certified here");
        } else {
            CMP_TRY(one.profile, profile_named(label, name));
        }
        asked.push_back(std::move(one));
    }
    return asked;
}

Checked<Reply> Server::Impl::enroll(Exchange& exchange) {
    const auto& message = exchange.message;
    CMP_TRY(auto asked, asked_of(exchange, message));
    for (const auto& one : asked) {
        if (message.type() == BodyType::kur) CMP_CHECK(check_update(exchange, one));
        exchange.transaction.items.push_back({one.cert_req_id, State::waiting, {}, {}, {}});
    }
    exchange.transaction.request = to_vec(message.der());
    const auto wants_challenge = [](const Asked& one) {
        return one.message != nullptr && crmf::subsequent_message(*one.message) == crmf::SubsequentMessage::challenge_resp;
    };
    if (std::ranges::any_of(asked, wants_challenge)) return challenge(exchange, asked);
    return answer_requests(exchange, message);
}

Checked<Reply> Server::Impl::answer_requests(Exchange& exchange, const PkiMessage& original, std::optional<std::int64_t> only,
                                             Waits* told) {
    CMP_TRY(const auto asked, asked_of(exchange, original));
    CMP_TRY(bool implicit, implicit_confirm(original.header()));
    implicit = implicit && exchange.label.config.implicit_confirm;
    // An encrypted certificate proves the possession of its key by its confirmation (RFC 9810 5.2.8.3.2).
    for (const auto& one : asked)
        if (one.message != nullptr && crmf::subsequent_message(*one.message) == crmf::SubsequentMessage::encr_cert) implicit = false;
    Reply reply;
    CertRepMessage content;
    Waits waits;
    bool issued = false;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto& item = exchange.transaction.items.at(i);
        if (item.state != State::waiting || (only && item.cert_req_id != *only)) continue;
        content.responses.push_back(answer_one(exchange, original, asked[i], implicit, item, waits));
        if (item.state == State::unconfirmed || item.state == State::settled) issued = true;
    }
    const bool wait = exchange.transaction.has(State::waiting);
    if (issued) {
        const auto* ca = authority_.ca(exchange.label.ca);
        reply.chain.push_back(ca->certificate);
        reply.chain.insert(reply.chain.end(), ca->chain.begin(), ca->chain.end());
        reply.info.push_back(implicit ? make_implicit_confirm() : make_confirm_wait_time(clock_.now() + exchange.label.config.confirm_wait));
        const bool first = original.type() == BodyType::ir && exchange.sender.protection == Protection::mac;
        if (first && exchange.label.config.ca_pubs && !ca->chain.empty()) content.ca_pubs.emplace_back(ca->chain.back());
    }
    if (issued || wait || exchange.transaction.revision != 0) reply.keep = waits.keep;
    if (original.type() == BodyType::kur && (wait || exchange.transaction.has(State::unconfirmed)))
        CMP_CHECK(note_update(exchange, wait ? waits.keep : exchange.label.config.confirm_wait));
    if (told != nullptr) *told = waits;
    reply.body = {*answer_to(original.type()), std::move(content)};
    return reply;
}

CertResponse Server::Impl::answer_one(Exchange& exchange, const PkiMessage& original, const Asked& asked, bool implicit,
                                      TransactionItem& item, Waits& waits) {
    CertResponse response;
    response.cert_req_id = asked.cert_req_id;
    auto made = make_one(exchange, original, asked, implicit);
    if (!made) {
        log_failure(exchange, made.error());
        item.state = State::refused;
        response.status = made.error().status();
        return response;
    }
    if (const auto* retry = std::get_if<Seconds>(&*made)) {
        const auto* profile = authority_.profile(asked.profile);
        waits.check_after = std::max(waits.check_after, *retry);
        waits.keep = std::max(waits.keep, profile->approval_expires);
        response.status.status = PkiStatus::waiting;
        return response;
    }
    auto& issued = std::get<Made>(*made);
    item.state = implicit ? State::settled : State::unconfirmed;
    item.ca = std::move(issued.ca);
    item.certificate = to_vec(issued.certificate.der());
    response.status.status = issued.modified ? PkiStatus::granted_with_mods : PkiStatus::accepted;
    response.certified_key_pair = std::move(issued.pair);
    return response;
}

Checked<std::variant<Server::Impl::Made, Seconds>> Server::Impl::make_one(Exchange& exchange, const PkiMessage& original, const Asked& asked,
                                                                         bool implicit) {
    const auto& label = exchange.label;
    if (asked.message != nullptr) {
        CMP_TRY(const auto key, or_failure(PkiFailure::bad_cert_template, asked.message->public_key()));
        if (!key) return make_key(exchange, original, asked, implicit);
    }
    CMP_TRY(auto request, read_request(exchange, original, asked));
    authority::EnrollRequest wanted{verb_of(original.type()), asked.profile, label.recorded, request,
                                    exchange.sender.principal};
    if (!implicit) wanted.confirm_within = label.config.confirm_wait;
    wanted.transaction_id = *original.header().transaction_id;
    CMP_TRY(auto outcome, authority_.enroll(wanted, exchange.work));
    if (const auto* pending = std::get_if<authority::Pending>(&outcome))
        return std::variant<Made, Seconds>{std::max(pending->retry_after, Seconds{1})};
    auto& issued = std::get<authority::Issued>(outcome);
    Made made{issued.certificate, issued.ca, {}, !is_as_wanted(issued.certificate, request)};
    const bool encrypted = asked.message != nullptr && crmf::subsequent_message(*asked.message) == crmf::SubsequentMessage::encr_cert;
    if (!encrypted) {
        made.pair.cert_or_enc_cert = CmpCertificate{issued.certificate};
        return std::variant<Made, Seconds>{std::move(made)};
    }
    CMP_TRY(auto envelope, envelope_for(request.public_key(), cms::Identifier::by_issuer(issued.certificate), issued.certificate.der()));
    made.pair.cert_or_enc_cert = crmf::EncryptedKey{crmf::EnvelopedKey{std::move(envelope)}};
    return std::variant<Made, Seconds>{std::move(made)};
}

Checked<x509::CertificationRequest> Server::Impl::read_request(const Exchange& exchange, const PkiMessage& original, const Asked& asked) const {
    if (asked.message != nullptr) return read_crmf(exchange, original, *asked.message);
    const Bytes der = original.as<P10CertificationRequest>().der;
    auto request = x509::SignedRequest::parse(der);
    if (request) return x509::CertificationRequest{*request};
    if (!x509::is_agreement_request(der)) return tl::unexpected(proof_failure(std::move(request).error()));
    CMP_TRY(const auto own, agreement_key_of(exchange.label));
    auto agreed = x509::parse_agreement_request(der, own);
    if (!agreed) return tl::unexpected(agreement_failure(std::move(agreed).error()));
    return std::move(*agreed);
}

Checked<void> Server::Impl::check_template(const Exchange& exchange, const crmf::CertReqMsg& message, Bytes signing_alg) const {
    const auto& wanted = message.cert_req().cert_template;
    CMP_CHECK(or_failure(PkiFailure::bad_cert_template, crmf::check_requestable(wanted, signing_alg)));
    if (!wanted.subject) return refuse(PkiFailure::bad_cert_template, "certTemplate has no subject (RFC 9483 4.1.1)");
    if (wanted.subject->empty() && x509::find(wanted.extensions, x509::oid::subject_alt_name) == nullptr)
        return refuse(PkiFailure::bad_cert_template, "neither subject nor subjectAltName says for whom the certificate is");
    const auto& issuer = wanted.issuer;
    if (issuer && !issuer->empty() && !issuer->matches(authority_.ca(exchange.label.ca)->certificate.subject()))
        return refuse(PkiFailure::wrong_authority, "certTemplate names another issuer than the CA here");
    CMP_TRY(const auto archive, crmf::archive_options(message.cert_req().controls));
    if (archive) return refuse(PkiFailure::bad_request, "private keys are not kept here (pkiArchiveOptions)");
    return {};
}

Checked<x509::CertificationRequest> Server::Impl::read_crmf(const Exchange& exchange, const PkiMessage& original,
                                                            const crmf::CertReqMsg& message) const {
    const auto signing_alg = signing_alg_for(exchange, original.type());
    CMP_CHECK(check_template(exchange, message, signing_alg));
    CMP_CHECK(check_possession(message));
    if (crmf::subsequent_message(message) && original.header().pvno < cmp2021)
        return refuse(PkiFailure::bad_pop, "this proof of possession is answered with EnvelopedData: say pvno 3 (cmp2021)");
    crmf::Receiver receiver;
    receiver.from_registration_authority = is_registration_authority(exchange);
    receiver.signing_alg = signing_alg;
    const bool by_agreement = crmf::is_agreement_possession(message);
    std::optional<x509::AgreementKey> own;
    if (by_agreement) {
        CMP_TRY(own, agreement_key_of(exchange.label));
        receiver.possession.agreement_key = &*own;
    }
    auto request = crmf::to_certification_request(message, receiver);
    if (!request) return tl::unexpected(by_agreement ? agreement_failure(std::move(request).error()) : proof_failure(std::move(request).error()));
    return std::move(*request);
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.1.3
Checked<void> Server::Impl::check_update(const Exchange& exchange, const Asked& asked) const {
    const auto& current = exchange.sender.principal.certificate->certificate;
    CMP_TRY(const auto old, crmf::old_cert_id(asked.message->cert_req().controls));
    if (old) {
        const auto issuer = name_of(old->issuer);
        if (!issuer || !issuer->matches(current.issuer()) || !same(old->serial_number, current.serial_number()))
            return refuse(PkiFailure::bad_cert_id, "oldCertID is not the certificate that protects the request");
    }
    CMP_TRY(const auto record, store_.transaction(update_protocol, update_key(current)));
    if (record && record->expires_at >= clock_.now())
        return refuse(PkiFailure::bad_request, "another update of this certificate waits: confirm that one first");
    return {};
}

Checked<void> Server::Impl::note_update(Exchange& exchange, Seconds keep) {
    const auto key = update_key(exchange.sender.principal.certificate->certificate);
    CMP_TRY(const auto record, store_.transaction(update_protocol, key));
    exchange.work.writes.emplace_back(store::PutTransaction{
        {std::string{update_protocol}, key, record ? record->revision : 0, {}, clock_.now() + keep}});
    return {};
}

Checked<void> Server::Impl::forget_update(Exchange& exchange) {
    const auto key = update_key(exchange.sender.principal.certificate->certificate);
    CMP_TRY(const auto record, store_.transaction(update_protocol, key));
    if (record) exchange.work.writes.emplace_back(store::RemoveTransaction{std::string{update_protocol}, key});
    return {};
}

Reply Server::Impl::rejected(const Exchange& exchange, const Failure& failure) const {
    const auto type = exchange.message.type();
    const auto status = failure.status();
    Reply reply;
    if (type == BodyType::rr) {
        const auto count = std::max<std::size_t>(1, exchange.message.as<RevReqContent>().details.size());
        reply.body = {BodyType::rp, RevRepContent{std::vector<PkiStatusInfo>(count, status), {}, {}}};
    } else if (type == BodyType::krr) {
        KeyRecRepContent content;
        content.status = status;
        reply.body = {BodyType::krp, std::move(content)};
    } else {
        CertRepMessage content;
        if (type == BodyType::p10cr) {
            content.responses.push_back({no_cert_req_id, status, {}, {}});
        } else {
            for (const auto& message : messages_of(exchange.message))
                content.responses.push_back({message.cert_req().cert_req_id, status, {}, {}});
        }
        reply.body = {*answer_to(type), std::move(content)};
    }
    return reply;
}

}  // namespace estuary::cmp
