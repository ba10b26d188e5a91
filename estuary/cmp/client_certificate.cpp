// ip, cp and kup: the certificate, whether it is the one that was asked for, and its confirmation (RFC 9483 4.1).
#include <algorithm>

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

/// id-sha256, parameters absent: where the certificate's signature algorithm names no digest (RFC 9810 5.3.18).
const std::function<Result<void>(const Enrolled&)>* acceptance_of(const Wish& wish) {
    if (const auto* one = std::get_if<CertificateWish>(&wish)) return &one->accept;
    if (const auto* one = std::get_if<Pkcs10Wish>(&wish)) return &one->accept;
    if (const auto* one = std::get_if<RelayedWish>(&wish)) return &one->accept;
    return nullptr;
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.4
//# Only one of the failInfo (in PKIStatusInfo) and certificate (in CertifiedKeyPair) fields can be present in each CertResponse
Result<void> check_response(const CertRepMessage& content, std::int64_t cert_req_id) {
    if (content.responses.size() != 1) return fail(Code::malformed, "there is other than one response to one request");
    const auto& response = content.responses.front();
    if (response.cert_req_id != cert_req_id) return fail(Code::bad_proof, "the response is to another request: certReqId is another");
    if (response.status.is_granted() != response.certified_key_pair.has_value())
        return fail(Code::malformed, "status and certificate of the response contradict each other");
    if (response.status.status != PkiStatus::rejection && response.status.fail_info)
        return fail(Code::malformed, "a response that is no rejection has failInfo");
    return {};
}

}  // namespace

std::int64_t ClientTransaction::Impl::expected_cert_req_id() const noexcept {
    return request_.body.type == BodyType::p10cr ? no_cert_req_id : 0;
}

const crypto::PrivateKey* ClientTransaction::Impl::own_key() const noexcept {
    const auto* wish = std::get_if<CertificateWish>(&wish_);
    return wish != nullptr && wish->key ? &*wish->key : nullptr;
}

Result<ClientStep> ClientTransaction::Impl::take_certificates(const PkiMessage& message, const AnswerProof& proof) {
    const auto& content = message.as<CertRepMessage>();
    ESTUARY_CHECK(check_response(content, expected_cert_req_id()));
    const auto& response = content.responses.front();
    switch (response.status.status) {
        case PkiStatus::waiting: return start_polling(response.cert_req_id);
        case PkiStatus::rejection: return decline(response.status, response.status.to_text());
        case PkiStatus::accepted:
        case PkiStatus::granted_with_mods: break;
        case PkiStatus::revocation_warning:
        case PkiStatus::revocation_notification:
        case PkiStatus::key_update_warning:
            return fail(Code::malformed, fmt::format("status {} does not answer a request for a certificate",
                                                     to_string(response.status.status)));
    }
    ESTUARY_TRY(enrolled_, open(message, response, proof));
    ESTUARY_TRY(const bool implicit, implicit_confirm(message.header()));
    auto judged = check_certificate(*enrolled_);
    // Granted unasked is not granted (bug class 27).
    if (implicit && request_.implicit_confirm) {
        ESTUARY_CHECK(std::move(judged));
        return finish(std::move(*enrolled_));
    }
    return confirm(judged ? std::optional<Error>{} : std::optional{judged.error()});
}

Result<Enrolled> ClientTransaction::Impl::open(const PkiMessage& message, const CertResponse& response, const AnswerProof& proof) const {
    const auto& pair = *response.certified_key_pair;
    const auto* key = own_key();
    Enrolled enrolled;
    enrolled.status = response.status;
    enrolled.others = known_;
    if (const auto* in_clear = pair.certificate()) {
        ESTUARY_TRY(enrolled.certificate, in_clear->x509());
    } else {
        if (key == nullptr) return fail(Code::malformed, "the certificate is encrypted, and there is no key to decrypt it with");
        ESTUARY_TRY(enrolled.certificate, open_certificate(std::get<x509::crmf::EncryptedKey>(pair.cert_or_enc_cert), *key));
    }
    if (pair.private_key.has_value() == !request_.spki.empty())
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

Result<void> ClientTransaction::Impl::check_certificate(const Enrolled& enrolled) const {
    const auto wanted = enrolled.generated_key ? to_vec(enrolled.generated_key->public_key().spki()) : request_.spki;
    if (!same(enrolled.certificate.spki(), wanted))
        return fail(Code::bad_proof, "the certificate that came is of another key");
    const auto* accept = acceptance_of(wish_);
    if (accept != nullptr && *accept) return (*accept)(enrolled);
    return {};
}

Result<ClientStep> ClientTransaction::Impl::confirm(const std::optional<Error>& rejected) {
    CertStatus status;
    status.cert_req_id = expected_cert_req_id();
    auto hash = cert_hash(enrolled_->certificate);
    if (!hash && hash.error().code == Code::unsupported) {
        status.hash_alg = cms::make_algorithm(cms::oid::sha256);
        hash = cert_hash(enrolled_->certificate, status.hash_alg);
    }
    ESTUARY_TRY(status.cert_hash, std::move(hash));
    if (rejected) status.status_info = rejection(PkiFailure::bad_cert_template, rejected->detail);
    rejected_ = rejected;
    awaited_ = BodyType::pkiconf;
    ESTUARY_CHECK(send({BodyType::cert_conf, CertConfirmContent{{std::move(status)}}}));
    return ClientStep{SendNext{}};
}

Result<ClientStep> ClientTransaction::Impl::take_confirmed() {
    ended_ = true;
    if (rejected_) return fail(*rejected_);
    return finish(std::move(*enrolled_));
}

}  // namespace estuary::cmp
