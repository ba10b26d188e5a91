// From a request to its signed answer.
#include "estuary/base/encoding.h"
#include "estuary/ocsp/codec.h"
#include "estuary/ocsp/responder_impl.h"

namespace estuary::ocsp {
namespace {

/// What is unknown today may be issued in a moment; such answers are not to live long.
constexpr Seconds never_issued_validity{300};
constexpr Time first_of_1970{};

bool alike(const CertificateState& a, const CertificateState& b) {
    if (a.revocation.has_value() != b.revocation.has_value()) return false;
    return !a.revocation || (a.revocation->at == b.revocation->at && a.revocation->reason == b.revocation->reason);
}

}  // namespace

CertStatus Responder::Impl::say(const State& state) const {
    using Kind = CertStatus::Kind;
    if (!state) {
        if (config_.never_issued == NeverIssued::unknown) return {Kind::unknown, {}, {}};
        return {Kind::revoked, first_of_1970, store::RevocationReason::certificate_hold};  // RFC 6960 2.2
    }
    if (!state->revocation) return {Kind::good, {}, {}};
    CertStatus status{Kind::revoked, state->revocation->at, state->revocation->reason};
    // RFC 5280 5.3.1: absent rather than unspecified.
    if (status.reason == store::RevocationReason::unspecified) status.reason.reset();
    return status;
}

Time Responder::Impl::next_update(Time now, bool all_issued, const PreparedSigner& signer) const {
    const auto validity = all_issued ? config_.validity : std::min(config_.validity, never_issued_validity);
    // Nobody could check the signature any longer (bug class 18).
    return std::min(now + validity, signer.certificate.not_after());
}

ByteVec Responder::Impl::response_data(const std::vector<CertId>& certificates, const std::vector<State>& states,
                                       const PreparedSigner& signer, const ByteVec* nonce, const Answer& times) const {
    std::vector<x509::Extension> single, all;
    if (config_.archive_retention) single.push_back(make_archive_cutoff(times.this_update - *config_.archive_retention));
    if (nonce != nullptr) all.push_back(make_nonce(*nonce));
    const bool any_never_issued = std::ranges::any_of(states, [](const State& state) { return !state; });
    if (any_never_issued && config_.never_issued == NeverIssued::revoked) all.push_back(make_extended_revoke());
    const auto single_extensions = codec::encode_extensions(single);

    ByteVec buffer;
    buffer.reserve(256 + 160 * certificates.size());
    der::Writer writer{std::move(buffer)};
    writer.sequence([&] {
        writer.raw(signer.responder_id).generalized_time(times.this_update);
        writer.sequence([&] {
            for (std::size_t i = 0; i < certificates.size(); ++i)
                write_single_response(writer, certificates[i].der(), say(states[i]), times.this_update, times.next_update,
                                      single_extensions);
        });
        if (!all.empty()) writer.constructed(der::context_constructed(1), [&] { x509::write_extensions(writer, all); });
    });
    return std::move(writer).take();
}

AnswerPtr Responder::Impl::sign(const std::vector<CertId>& certificates, const std::vector<State>& states,
                                const PreparedSigner& signer, const ByteVec* nonce) {
    const bool all_issued = std::ranges::all_of(states, [](const State& state) { return state.has_value(); });
    auto answer = std::make_shared<Answer>();
    answer->this_update = clock_.now();
    answer->next_update = next_update(answer->this_update, all_issued, signer);
    auto signed_response = signer.sign(response_data(certificates, states, signer, nonce, *answer));
    if (!signed_response) return refuse(signed_response.error());
    answer->der = std::move(*signed_response);
    answer->cacheable = all_issued && nonce == nullptr;
    if (answer->cacheable) {
        answer->fresh_until = answer->this_update + (answer->next_update - answer->this_update) * 3 / 4;
        answer->etag = to_hex(crypto::sha256(answer->der));
    }
    return answer;
}

Result<Responder::Impl::State> Responder::Impl::status_of(std::size_t issuer, const CertId& id) {
    const auto serial = id.positive_serial_number();
    if (serial.empty()) return State{};
    return source_.status(issuers_[issuer].name, serial);
}

std::optional<PresignedKey> Responder::Impl::presigned_key(const Request& request, const Plan& plan) const {
    const bool nonce = request.nonce && config_.echo_nonce;
    if (nonce || request.certificates.size() != 1 || !presigned_.takes(request.certificates.front())) return std::nullopt;
    return PresignedKey{plan.issuers.front(), plan.signer, request.certificates.front()};
}

AnswerPtr Responder::Impl::sign_and_keep(const PresignedKey& key, const State& state, Presigned::Ticket ticket) {
    auto answer = sign({key.id}, {state}, issuers_[key.issuer].signers[key.signer], nullptr);
    // Not what was never issued: anybody can ask for any number of those.
    if (answer->cacheable) presigned_.keep(key, {answer, *state}, ticket);
    return answer;
}

AnswerPtr Responder::Impl::answer_kept(const PresignedKey& key) {
    const bool confirm = config_.presigned.confirm_status;
    const auto hit = presigned_.find(key, clock_.now());
    if (hit && !confirm) return hit->answer;
    const auto ticket = presigned_.begin(key.issuer, key.id.positive_serial_number());
    const auto state = status_of(key.issuer, key.id);
    if (!state) return refuse(state.error());
    if (hit && *state && alike(hit->state, **state)) return hit->answer;
    if (hit && !*state) presigned_.drop(key);
    return sign_and_keep(key, *state, ticket);
}

AnswerPtr Responder::Impl::answer(const Request& request) {
    const auto planned = plan(request);
    if (!planned) return error(planned.error());
    if (const auto key = presigned_key(request, *planned)) return answer_kept(*key);
    std::vector<State> states;
    for (std::size_t i = 0; i < request.certificates.size(); ++i) {
        auto state = status_of(planned->issuers[i], request.certificates[i]);
        if (!state) return refuse(state.error());
        states.push_back(std::move(*state));
    }
    const auto* nonce = request.nonce && config_.echo_nonce ? &*request.nonce : nullptr;
    return sign(request.certificates, states, issuers_[planned->issuers.front()].signers[planned->signer], nonce);
}

AnswerPtr Responder::Impl::ready(const Request& request) {
    const auto planned = plan(request);
    if (!planned) return error(planned.error());
    if (config_.presigned.confirm_status) return nullptr;
    const auto key = presigned_key(request, *planned);
    if (!key) return nullptr;
    const auto hit = presigned_.find(*key, clock_.now());
    return hit ? hit->answer : nullptr;
}

void Responder::Impl::renew(const Presigned::Due& due, Time now, RefreshReport& report) {
    const auto drop = [&] {
        presigned_.drop(due.key);
        ++report.dropped;
    };
    if (!due.asked_for || now >= due.next_update) return drop();
    const auto ticket = presigned_.begin(due.key.issuer, due.key.id.positive_serial_number());
    const auto state = status_of(due.key.issuer, due.key.id);
    if (state && !*state) return drop();
    const bool signer_is_valid = issuers_[due.key.issuer].signers[due.key.signer].is_valid_at(now);
    const bool renewed = state && signer_is_valid && sign_and_keep(due.key, *state, ticket)->cacheable;
    ++(renewed ? report.renewed : report.failed);
}

RefreshReport Responder::Impl::refresh(Time now, std::size_t signatures_max) {
    RefreshReport report;
    for (std::size_t part = 0; part < presigned_.parts(); ++part)
        for (const auto& due : presigned_.due(part, now)) {
            if (report.renewed + report.failed >= signatures_max) return report;
            renew(due, now, report);
        }
    return report;
}

}  // namespace estuary::ocsp
