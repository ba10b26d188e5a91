// krp: the private keys that come back, whether they are what was asked for, and the certificate for a new signature key (RFC 9810 5.3.8).
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "estuary/cmp/client_impl.h"
#include "estuary/cmp/client_keys.h"
#include "estuary/cmp/info_values.h"

namespace estuary::cmp {
namespace {

using Progress = RequestedCertificate::Progress;

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.8
//# For some status values (e.g., waiting) none of the optional fields will be present.
Result<void> check_empty(const KeyRecRepContent& content) {
    if (content.new_sig_cert || !content.ca_certs.empty() || !content.key_pair_hist.empty())
        return fail(Code::malformed, fmt::format("krp with status {} has keys or certificates", to_string(content.status.status)));
    return {};
}

Result<void> check_complete(const KeyRecRepContent& content, const KeyRecoveryWish& wish) {
    if (content.new_sig_cert.has_value() != wish.key.has_value())
        return fail(Code::malformed, wish.key ? "the new certificate did not come" : "a certificate came that was not asked for");
    if (content.key_pair_hist.empty() == wish.keys)
        return fail(Code::malformed, wish.keys ? "no private key came" : "private keys came that were not asked for");
    if (wish.certificate && content.key_pair_hist.size() > 1) return fail(Code::malformed, "other private keys came than the one that was asked for");
    return {};
}

}  // namespace

Result<ClientStep> ClientTransaction::Impl::take_recovery(const PkiMessage& message, const AnswerProof& proof) {
    const auto& content = message.as<KeyRecRepContent>();
    const auto& status = content.status;
    if (status.status == PkiStatus::waiting) {
        ESTUARY_CHECK(check_empty(content));
        return start_polling(no_cert_req_id);
    }
    if (status.status == PkiStatus::rejection) return decline(status, status.to_text());
    if (!status.is_granted()) return fail(Code::malformed, fmt::format("status {} in krp says neither yes nor no", to_string(status.status)));
    ESTUARY_CHECK(check_complete(content, std::get<KeyRecoveryWish>(wish_)));
    ESTUARY_TRY(recovered_, open_history(content, proof));
    if (!content.new_sig_cert) return end_recovery();
    ESTUARY_CHECK(take_new_certificate(message));
    return has(Progress::unconfirmed) ? confirm() : end_recovery();
}

Result<KeysRecovered> ClientTransaction::Impl::open_history(const KeyRecRepContent& content, const AnswerProof& proof) const {
    const auto& wish = std::get<KeyRecoveryWish>(wish_);
    KeysRecovered recovered;
    recovered.status = content.status;
    ESTUARY_TRY(recovered.others, to_x509(content.ca_certs));
    recovered.others.insert(recovered.others.end(), known_.begin(), known_.end());
    for (const auto& pair : content.key_pair_hist) {
        const auto* in_clear = pair.certificate();
        if (in_clear == nullptr || !pair.private_key) return fail(Code::malformed, "keyPairHist has a pair without a private key, or without its certificate");
        ESTUARY_TRY(auto certificate, in_clear->x509());
        if (wish.certificate && !same(certificate.serial_number(), wish.certificate->serial_number))
            return fail(Code::bad_proof, "the key of another certificate came than was asked for");
        const auto is_it = [&](const KeysRecovered::Key& other) { return other.certificate == certificate; };
        if (std::ranges::any_of(recovered.keys, is_it)) return fail(Code::malformed, "the key of one certificate came twice");
        ESTUARY_TRY(auto key, open_generated_key(*pair.private_key, config(), proof, known_, setup_->clock.now(),
                                                 wish.encryption_key ? &*wish.encryption_key : nullptr));
        if (!same(key.public_key().spki(), certificate.spki()))
            return fail(Code::bad_proof, fmt::format("the private key that came for {} is not that of the certificate", certificate.serial_hex()));
        recovered.keys.push_back({std::move(certificate), std::move(key)});
    }
    return recovered;
}

Result<void> ClientTransaction::Impl::take_new_certificate(const PkiMessage& message) {
    const auto& content = message.as<KeyRecRepContent>();
    Enrolled enrolled;
    ESTUARY_TRY(enrolled.certificate, content.new_sig_cert->x509());
    enrolled.status = content.status;
    enrolled.others = recovered_->others;
    auto& one = requested_.front();
    if (auto judged = check_certificate(enrolled, 0); !judged) one.rejected = std::move(judged).error();
    one.enrolled = std::move(enrolled);
    ESTUARY_TRY(const bool implicit, implicit_confirm(message.header()));
    // Granted unasked is not granted (bug class 27).
    one.progress = implicit && request_.implicit_confirm ? Progress::ended : Progress::unconfirmed;
    return {};
}

Result<ClientStep> ClientTransaction::Impl::end_recovery() {
    auto recovered = std::exchange(recovered_, std::nullopt);
    if (!recovered) return fail(Code::internal, "the recovery has no outcome");
    if (!requested_.empty()) {
        auto& one = requested_.front();
        if (one.rejected) recovered->rejected = std::move(one.rejected);
        else recovered->new_certificate = std::move(one.enrolled);
    }
    return finish(std::move(*recovered));
}

}  // namespace estuary::cmp
