#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/cmc/client.h"
#include "estuary/x509/path.h"

namespace estuary::cmc {
namespace {

Code code_of(FailInfo info) noexcept {
    switch (info) {
        case FailInfo::bad_alg: return Code::unsupported;
        case FailInfo::bad_message_check: return Code::bad_proof;
        case FailInfo::bad_request: return Code::policy;
        case FailInfo::bad_time: return Code::policy;
        case FailInfo::bad_cert_id: return Code::not_found;
        case FailInfo::unsupported_ext: return Code::policy;
        case FailInfo::must_archive_keys: return Code::policy;
        case FailInfo::bad_identity: return Code::not_authenticated;
        case FailInfo::pop_required: return Code::bad_proof;
        case FailInfo::pop_failed: return Code::bad_proof;
        case FailInfo::no_key_reuse: return Code::bad_key;
        case FailInfo::internal_ca_error: return Code::unavailable;
        case FailInfo::try_later: return Code::too_busy;
        case FailInfo::auth_data_fail: return Code::bad_proof;
    }
    return Code::policy;  // of a closed environment (6.1.4)
}

StatusInfoV2 of_rfc2797(const StatusInfo& old) {
    StatusInfoV2 info{old.status, {old.body_list.begin(), old.body_list.end()}, old.status_string, {}};
    if (const auto* failure = std::get_if<FailInfo>(&old.other_info)) info.other_info = *failure;
    if (const auto* pend = std::get_if<PendInfo>(&old.other_info)) info.other_info = *pend;
    return info;
}

/// The CA itself, or whom it made responsible for CMC (9.1).
bool may_answer(const x509::Certificate& signer) {
    return signer.is_ca() || signer.has_ext_key_usage(x509::oid::kp_cmc_ca) || signer.has_ext_key_usage(x509::oid::kp_cmc_ra);
}

/// Those that can be in a path: an answer may hold a thousand others, which were asked for.
std::vector<x509::Certificate> cas_of(const std::vector<x509::Certificate>& certificates) {
    std::vector<x509::Certificate> cas;
    std::ranges::copy_if(certificates, std::back_inserter(cas), &x509::Certificate::is_ca);
    return cas;
}

/// What a response's controls say. Which of them belong in a request only is passed over, as an answer may be ignored (4.2.1).
struct TakeIn {
    ClientReply& reply;
    const PkiResponse& response;
    Result<void> wrong = {};

    void operator()(const StatusInfo& info) { reply.statuses.push_back(of_rfc2797(info)); }
    void operator()(const StatusInfoV2& info) { reply.statuses.push_back(info); }
    void operator()(const EncryptedPop& challenge) { reply.challenges.push_back(challenge); }
    void operator()(const DataReturn& data) { reply.data_return = data.octets; }
    void operator()(const SenderNonce& nonce) { reply.sender_nonce = nonce.octets; }
    void operator()(const ResponseInfo& data) { reply.response_info = data.octets; }
    void operator()(const PublishTrustAnchors& anchors) { reply.trust_anchors = anchors; }
    void operator()(const BatchResponses& batch) {
        for (const auto part : batch.parts) take(part, reply.members);
    }
    void operator()(const ResponseBody& body) {
        // One step: what is deeper is found when that body is read.
        take(body.parts.front(), reply.bodies);
    }
    template <class Other>
    void operator()(const Other&) {}

    void take(BodyPartId part, std::vector<ByteVec>& into) {
        const auto* content = response.content(part);
        if (content == nullptr) {
            wrong = fail(Code::malformed, fmt::format("PKIResponse: there is no body part {}", part));
        } else {
            into.push_back(content->content_info);
        }
    }
};

}  // namespace

std::optional<Error> ClientReply::failure() const {
    for (const auto& status : statuses) {
        if (status.status != Status::failed && status.status != Status::no_support) continue;
        const auto* info = std::get_if<FailInfo>(&status.other_info);
        const auto word = info != nullptr ? to_string(*info) : std::string{to_string(status.status)};
        const auto said = status.status_string ? ": " + text::printable(*status.status_string) : std::string{};
        return Error{info != nullptr ? code_of(*info) : Code::unsupported, fmt::format("the server answered {}{}", word, said)};
    }
    return {};
}

std::optional<PendInfo> ClientReply::pending() const {
    for (const auto& status : statuses)
        if (const auto* pend = std::get_if<PendInfo>(&status.other_info)) return *pend;
    return {};
}

bool ClientReply::confirmation_wanted() const {
    return std::ranges::any_of(statuses, [](const auto& status) { return status.status == Status::confirm_required; });
}

Result<x509::Certificate> ClientReply::certificate_for(Bytes spki) const {
    for (const auto& certificate : certificates)
        if (same(certificate.spki(), spki)) return certificate;
    return fail(Code::not_found, "the answer holds no certificate for the key of the request");
}

/// Every signer's signature holds, and one of them is somebody who may answer.
Result<void> Client::verify_signer(const cms::SignedData& data, ClientReply& reply) const {
    if (data.signers().empty()) return fail(Code::not_authenticated, "the answer is not signed");
    auto others = data.certificates();
    others.insert(others.end(), config_.intermediates.begin(), config_.intermediates.end());
    std::string objection = "its signer's certificate is missing";
    for (const auto& signer : data.signers()) {
        const auto found = std::ranges::find_if(others, [&](const auto& one) { return signer.identifier.names(one); });
        const auto anchor = std::ranges::find_if(config_.anchors, [&](const auto& one) { return signer.identifier.names(one); });
        if (found == others.end() && anchor == config_.anchors.end()) continue;
        const auto& certificate = found != others.end() ? *found : *anchor;
        ESTUARY_TRY(const auto key, certificate.public_key());
        ESTUARY_CHECK(verify(data, signer, key));
        if (!may_answer(certificate)) {
            objection = "its signer is neither a CA nor responsible for CMC (id-kp-cmcCA)";
            continue;
        }
        x509::PathOptions options;
        options.at = clock_.now();
        const bool is_anchor = std::ranges::find(config_.anchors, certificate) != config_.anchors.end();
        if (!is_anchor) {
            const auto path = x509::validate_path(certificate, cas_of(others), config_.anchors, options);
            if (!path) {
                objection = path.error().detail;
                continue;
            }
        }
        ESTUARY_TRY(reply.signed_at, signer.signing_time());
        reply.signer = certificate;
        return {};
    }
    return fail(Code::not_authenticated, "the answer cannot be trusted: " + objection);
}

Result<ClientReply> Client::read_reply(Bytes message, bool of_transaction) const {
    ESTUARY_TRY(const auto unwrapped, unwrap(message, keys(), config_.limits));
    const auto& data = unwrapped.signed_data;
    ClientReply reply;
    for (const auto crl : data.crls()) reply.crls.push_back(to_vec(crl));
    if (!data.content() && data.signers().empty()) {
        reply.simple = true;
        reply.certificates = data.certificates();
        return reply;
    }
    if (data.content_type() != oid::pki_response || !data.content())
        return fail(Code::malformed, "the answer is neither a simple nor a full PKI response");
    ESTUARY_CHECK(verify_signer(data, reply));
    for (const auto& certificate : data.certificates())
        if (!(certificate == *reply.signer)) reply.certificates.push_back(certificate);
    ESTUARY_TRY(const auto response, PkiResponse::parse(*data.content(), config_.limits));
    if (of_transaction) ESTUARY_CHECK(check_transaction(response));
    TakeIn take{reply, response};
    for (const auto& attribute : response.controls) {
        ESTUARY_TRY(const auto control, read_control(attribute));
        std::visit(take, control);
    }
    ESTUARY_CHECK(take.wrong);
    return reply;
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.6
//# If the values match, the message can be accepted for further security processing.
Result<void> Client::check_transaction(const PkiResponse& response) const {
    ESTUARY_TRY(const auto transaction, find_control<TransactionId>(response));
    ESTUARY_TRY(const auto nonce, find_control<RecipientNonce>(response));
    // What cannot be read at all is answered without them.
    if (!transaction && !nonce) {
        ESTUARY_TRY(const auto status, find_control<StatusInfoV2>(response));
        if (status && status->status == Status::failed) return {};
    }
    if (!transaction || transaction->number != transaction_id_)
        return fail(Code::bad_proof, "the answer is to another transaction");
    if (!nonce || nonce->octets != nonce_) return fail(Code::bad_proof, "the answer is to another message (recipientNonce)");
    return {};
}

Result<ClientReply> Client::read(Bytes message) {
    ESTUARY_TRY(auto reply, read_reply(message, true));
    server_nonce_ = std::move(reply.sender_nonce);
    return reply;
}

Result<ClientReply> Client::read_member(Bytes content_info) const { return read_reply(content_info, false); }

}  // namespace estuary::cmc
