// ip, cp, kup and ccp: the certificate, whether it is the one that was asked for, and its confirmation (RFC 9483 4.1).
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "estuary/cmp/cert_hash.h"
#include "estuary/cmp/client_impl.h"
#include "estuary/cmp/client_keys.h"
#include "estuary/cmp/info_values.h"
#include "estuary/cms/content_info.h"
#include "estuary/cms/oids.h"

namespace estuary::cmp {
namespace {

using x509::Certificate;

using Progress = RequestedCertificate::Progress;

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.4
//# Only one of the failInfo (in PKIStatusInfo) and certificate (in CertifiedKeyPair) fields can be present in each CertResponse
Result<void> check_response(const CertResponse& response) {
    if (response.status.is_granted() != response.certified_key_pair.has_value())
        return fail(Code::malformed, "status and certificate of the response contradict each other");
    if (response.status.status != PkiStatus::rejection && response.status.fail_info)
        return fail(Code::malformed, "a response that is no rejection has failInfo");
    return {};
}

/// What makes it the certificate that a CA has asked for (RFC 9810 D.6: "must be examined by requesting CA before publication").
Result<void> check_ca_certificate(const Certificate& certificate, const CertificateWish& wish) {
    const auto wrong = [](std::string what) { return fail(Code::bad_proof, "the certificate that came " + std::move(what)); };
    if (!certificate.is_ca()) return wrong("is not one of a CA");
    if ((certificate.key_usage().value_or(x509::key_cert_sign) & x509::key_cert_sign) == 0) return wrong("lacks keyCertSign");
    if (!(certificate.subject() == wish.subject)) return wrong("is for another name: " + certificate.subject().to_text());
    if (!certificate.issuer().matches(*wish.issuer)) return wrong("is of another issuer: " + certificate.issuer().to_text());
    return {};
}

}  // namespace

std::int64_t ClientTransaction::Impl::cert_req_id(std::size_t index) const noexcept {
    return request_.body.type == BodyType::p10cr ? no_cert_req_id : static_cast<std::int64_t>(index);
}

const CertificateWish* ClientTransaction::Impl::certificate_wish(std::size_t index) const noexcept {
    if (const auto* several = std::get_if<CertificatesWish>(&wish_)) return &several->requests[index];
    return std::get_if<CertificateWish>(&wish_);
}

const std::function<Result<void>(const Enrolled&)>* ClientTransaction::Impl::acceptance(std::size_t index) const noexcept {
    if (const auto* one = certificate_wish(index)) return &one->accept;
    if (const auto* one = std::get_if<Pkcs10Wish>(&wish_)) return &one->accept;
    if (const auto* one = std::get_if<RelayedWish>(&wish_)) return &one->accept;
    if (const auto* one = std::get_if<KeyRecoveryWish>(&wish_)) return &one->accept;
    return nullptr;
}

bool ClientTransaction::Impl::has(Progress progress) const noexcept {
    return std::ranges::any_of(requested_, [&](const RequestedCertificate& one) { return one.progress == progress; });
}

/// The first answer is to all requests; of what was polled for it may be to some.
Result<void> ClientTransaction::Impl::check_responses(const CertRepMessage& content) const {
    const auto& responses = content.responses;
    if (responses.empty() || (!delayed_nonce_ && responses.size() != requested_.size()))
        return fail(Code::malformed, "there is other than one response to each request");
    for (const auto& response : responses) {
        if (std::ranges::count(responses, response.cert_req_id, &CertResponse::cert_req_id) > 1)
            return fail(Code::malformed, "there is other than one response to each request: a certReqId comes twice");
        ESTUARY_CHECK(check_response(response));
    }
    return {};
}

Result<ClientStep> ClientTransaction::Impl::take_certificates(const PkiMessage& message, const AnswerProof& proof) {
    const auto& content = message.as<CertRepMessage>();
    ESTUARY_CHECK(check_responses(content));
    auto taken = requested_;
    for (const auto& response : content.responses) {
        std::size_t index = 0;
        while (index < taken.size() && cert_req_id(index) != response.cert_req_id) ++index;
        if (index == taken.size() || taken[index].progress != Progress::waiting)
            return fail(Code::bad_proof, "the response is to another request: certReqId is another");
        ESTUARY_CHECK(take_response(message, response, proof, index, taken[index]));
    }
    requested_ = std::move(taken);
    if (!has(Progress::unconfirmed)) return go_on();
    if (has(Progress::waiting)) waiting_nonce_ = delayed_nonce_ ? delayed_nonce_ : std::optional{nonce_};
    return confirm();
}

Result<void> ClientTransaction::Impl::take_response(const PkiMessage& message, const CertResponse& response, const AnswerProof& proof,
                                                    std::size_t index, RequestedCertificate& one) const {
    switch (response.status.status) {
        case PkiStatus::waiting: return {};
        case PkiStatus::rejection:
            one.declined = Declined{response.status, response.status.to_text()};
            one.progress = Progress::ended;
            return {};
        case PkiStatus::accepted:
        case PkiStatus::granted_with_mods: break;
        case PkiStatus::revocation_warning:
        case PkiStatus::revocation_notification:
        case PkiStatus::key_update_warning:
            return fail(Code::malformed, fmt::format("status {} does not answer a request for a certificate",
                                                     to_string(response.status.status)));
    }
    ESTUARY_TRY(one.enrolled, open(message, response, proof, index));
    ESTUARY_TRY(const bool implicit, implicit_confirm(message.header()));
    if (auto judged = check_certificate(*one.enrolled, index); !judged) one.rejected = std::move(judged).error();
    // Granted unasked is not granted (bug class 27).
    one.progress = implicit && request_.implicit_confirm ? Progress::ended : Progress::unconfirmed;
    return {};
}

Result<ClientStep> ClientTransaction::Impl::go_on() {
    if (!has(Progress::waiting)) return end();
    if (waiting_nonce_) delayed_nonce_ = std::exchange(waiting_nonce_, std::nullopt);
    awaited_ = *answer_to(request_.body.type);
    // -1 is the complete response (RFC 9810 5.3.22).
    const auto waits = [](const RequestedCertificate& one) { return one.progress == Progress::waiting; };
    const auto first = std::ranges::find_if(requested_, waits);
    const bool only = std::count_if(first, requested_.end(), waits) == 1;
    return start_polling(only ? cert_req_id(static_cast<std::size_t>(first - requested_.begin())) : no_cert_req_id);
}

Result<ClientStep> ClientTransaction::Impl::end() {
    if (std::holds_alternative<KeyRecoveryWish>(wish_)) return end_recovery();
    if (!std::holds_alternative<CertificatesWish>(wish_)) {
        auto& one = requested_.front();
        if (one.declined) return finish(std::move(*one.declined));
        ended_ = true;
        if (one.rejected) return fail(std::move(*one.rejected));
        return finish(std::move(*one.enrolled));
    }
    EnrolledSeveral several;
    for (auto& one : requested_) {
        if (one.declined) several.outcomes.emplace_back(std::move(*one.declined));
        else if (one.rejected) several.outcomes.emplace_back(std::move(*one.rejected));
        else several.outcomes.emplace_back(std::move(*one.enrolled));
    }
    return finish(std::move(several));
}

Result<Enrolled> ClientTransaction::Impl::open(const PkiMessage& message, const CertResponse& response, const AnswerProof& proof,
                                                std::size_t index) const {
    const auto& pair = *response.certified_key_pair;
    const auto* wish = certificate_wish(index);
    const auto* key = wish != nullptr && wish->key ? &*wish->key : nullptr;
    Enrolled enrolled;
    enrolled.status = response.status;
    enrolled.others = known_;
    if (const auto* in_clear = pair.certificate()) {
        ESTUARY_TRY(enrolled.certificate, in_clear->x509());
    } else {
        if (key == nullptr) return fail(Code::malformed, "the certificate is encrypted, and there is no key to decrypt it with");
        ESTUARY_TRY(enrolled.certificate, open_certificate(std::get<x509::crmf::EncryptedKey>(pair.cert_or_enc_cert), *key));
    }
    if (pair.private_key.has_value() == !request_.spkis[index].empty())
        return fail(Code::malformed, pair.private_key ? "a private key came that was not asked for" : "the private key did not come");
    if (pair.private_key) {
        ESTUARY_TRY(enrolled.generated_key, open_generated_key(*pair.private_key, config(), proof, known_, setup_->clock.now()));
    }
    ESTUARY_TRY(enrolled.new_anchors, new_anchors(message, proof));
    return enrolled;
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.1.1
//# […] the EE MUST NOT accept a caPubs certificate as trust anchor that is the root of the certificate protecting this message
Result<std::vector<Certificate>> ClientTransaction::Impl::new_anchors(const PkiMessage& message, const AnswerProof& proof) const {
    const auto& ca_pubs = message.as<CertRepMessage>().ca_pubs;
    std::vector<Certificate> anchors;
    if (ca_pubs.empty()) return anchors;
    if (message.type() != BodyType::ip) return fail(Code::malformed, fmt::format("caPubs in {}", to_string(message.type())));
    if (proof.kind != AnswerProof::Kind::mac && !config().ca_pubs_of_signers) return anchors;
    ESTUARY_TRY(auto certificates, to_x509(ca_pubs));
    for (auto& one : certificates)
        if (proof.path.empty() || !(one == proof.path.back())) anchors.push_back(std::move(one));
    return anchors;
}

Result<void> ClientTransaction::Impl::check_certificate(const Enrolled& enrolled, std::size_t index) const {
    const auto wanted = enrolled.generated_key ? to_vec(enrolled.generated_key->public_key().spki()) : request_.spkis[index];
    if (!same(enrolled.certificate.spki(), wanted))
        return fail(Code::bad_proof, "the certificate that came is of another key");
    if (const auto* wish = certificate_wish(index); wish != nullptr && wish->type == BodyType::ccr)
        ESTUARY_CHECK(check_ca_certificate(enrolled.certificate, *wish));
    const auto* accept = acceptance(index);
    if (accept != nullptr && *accept) return (*accept)(enrolled);
    return {};
}

/// id-sha256, parameters absent, where the certificate's signature algorithm names no digest (RFC 9810 5.3.18).
Result<CertStatus> ClientTransaction::Impl::status_of(std::size_t index) const {
    const auto& one = requested_[index];
    CertStatus status;
    status.cert_req_id = cert_req_id(index);
    auto hash = cert_hash(one.enrolled->certificate);
    if (!hash && hash.error().code == Code::unsupported) {
        status.hash_alg = cms::make_algorithm(cms::oid::sha256);
        hash = cert_hash(one.enrolled->certificate, status.hash_alg);
    }
    ESTUARY_TRY(status.cert_hash, std::move(hash));
    if (one.rejected) status.status_info = rejection(PkiFailure::bad_cert_template, one.rejected->detail);
    return status;
}

Result<ClientStep> ClientTransaction::Impl::confirm() {
    CertConfirmContent content;
    for (std::size_t i = 0; i < requested_.size(); ++i) {
        if (requested_[i].progress != Progress::unconfirmed) continue;
        ESTUARY_TRY(content.statuses.emplace_back(), status_of(i));
    }
    delayed_nonce_.reset();
    awaited_ = BodyType::pkiconf;
    ESTUARY_CHECK(send({BodyType::cert_conf, std::move(content)}));
    return ClientStep{SendNext{}};
}

Result<ClientStep> ClientTransaction::Impl::take_confirmed() {
    for (auto& one : requested_)
        if (one.progress == Progress::unconfirmed) one.progress = Progress::ended;
    return go_on();
}

}  // namespace estuary::cmp
