// rr (RFC 9483 4.2, 5.1.3).
#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/cmp/server_impl.h"
#include "estuary/x509/crl_extension.h"

namespace estuary::cmp {
namespace {

struct Reason {
    store::RevocationReason reason = store::RevocationReason::unspecified;
    std::optional<Time> invalidity_date;
};

Checked<store::RevocationReason> read_reason(const x509::Extension& extension) {
    der::Reader reader{extension.value};
    CMP_TRY(const auto content, reader.content(der::Tag::enumerated));
    CMP_CHECK(reader.finish("reasonCode"));
    const auto reason = content.size() == 1 ? x509::crl_reason(content.front()) : std::nullopt;
    if (!reason) return refuse(PkiFailure::bad_data_format, "reasonCode has a value that RFC 5280 does not have");
    return store::revocation_reason(x509::to_string(*reason)).value_or(store::RevocationReason::unspecified);
}

/// reasonCode and invalidityDate, each once at most; no reason is 0, unspecified.
Checked<Reason> read_reasons(const std::vector<x509::Extension>& extensions) {
    Reason out;
    for (const auto& extension : extensions) {
        if (extension.id == x509::oid::crl_reason) {
            CMP_TRY(out.reason, read_reason(extension));
        } else if (extension.id == x509::oid::invalidity_date) {
            der::Reader reader{extension.value};
            CMP_TRY(out.invalidity_date, reader.generalized_time());
            CMP_CHECK(reader.finish("invalidityDate"));
        } else if (extension.critical) {
            return refuse(PkiFailure::unaccepted_extension, fmt::format("crlEntryDetails: {} is not known here", extension.id.dotted()));
        }
    }
    return out;
}

/// The fields of the template beside issuer and serialNumber must be the certificate's (RFC 9483 4.2).
Checked<void> check_matches(const x509::crmf::CertTemplate& wanted, const x509::Certificate& certificate) {
    if (wanted.subject && !wanted.subject->matches(certificate.subject()))
        return refuse(PkiFailure::bad_cert_id, "certDetails: the subject is another");
    if (wanted.public_key && !same(*wanted.public_key, certificate.spki()))
        return refuse(PkiFailure::bad_cert_id, "certDetails: the public key is another");
    return {};
}

/// The bit for a revocation that the authority refuses.
Failure refusal(Error error, store::RevocationReason reason) {
    const bool lifts = reason == store::RevocationReason::remove_from_crl;
    switch (error.code) {
        case Code::conflict: return as_failure(lifts ? PkiFailure::bad_cert_id : PkiFailure::cert_revoked, std::move(error));
        case Code::malformed: return as_failure(PkiFailure::bad_request, std::move(error));
        default: return Failure{std::move(error)};
    }
}

}  // namespace

Checked<Reply> Server::Impl::revoke(Exchange& exchange) {
    const auto& message = exchange.message;
    const auto& label = exchange.label.config;
    const auto count = message.as<RevReqContent>().details.size();
    if (count == 0 || count > label.requests_max)
        return refuse(PkiFailure::bad_request, fmt::format("{} RevDetails in one message; {} is the most here", count, label.requests_max));
    if (label.approve_revocations) {
        if (count > 1) return refuse(PkiFailure::bad_request, "revocations wait for a person here: one RevDetails in a message");
        exchange.transaction.items = {{no_cert_req_id, TransactionItem::State::waiting, {}, {}, {}}};
        exchange.transaction.request = to_vec(message.der());
    }
    return answer_revocations(exchange, message);
}

Checked<Reply> Server::Impl::answer_revocations(Exchange& exchange, const PkiMessage& original, Waits* told) {
    RevRepContent content;
    Reply reply;
    auto& items = exchange.transaction.items;   // one, where it may have to wait
    for (const auto& one : original.as<RevReqContent>().details) {
        const auto revoked = revoke_one(exchange, original, one);
        if (revoked && *revoked) return wait_for_approval(exchange, **revoked, told);
        if (revoked) {
            content.status.push_back({});
            content.rev_certs.push_back({directory_name(*one.cert_details.issuer), *one.cert_details.serial_number});
            reply.keep = Seconds{0};
        } else {
            log_failure(exchange, revoked.error());
            content.status.push_back(revoked.error().status());
        }
        for (auto& item : items) item.state = revoked ? TransactionItem::State::settled : TransactionItem::State::refused;
    }
    if (exchange.transaction.revision != 0) reply.keep = Seconds{0};
    // revCerts goes with status one to one, or says nothing.
    if (content.rev_certs.size() != content.status.size()) content.rev_certs.clear();
    reply.body = {BodyType::rp, std::move(content)};
    return reply;
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.4
/// rp has no "waiting": an error message says it, without failInfo.
Checked<Reply> Server::Impl::wait_for_approval(const Exchange& exchange, const authority::Pending& pending, Waits* told) const {
    Waits waits{std::max(pending.retry_after, Seconds{1}), authority_.profile(exchange.label.config.profile)->approval_expires};
    for (const auto& name : exchange.label.config.more_profiles) waits.keep = std::max(waits.keep, authority_.profile(name)->approval_expires);
    if (told != nullptr) *told = waits;
    return told_to_wait("a person has to agree to the revocation", waits.keep);
}

Reply Server::Impl::told_to_wait(std::string why, Seconds keep) {
    ErrorMsgContent content;
    content.status_info.status = PkiStatus::waiting;
    content.status_info.status_string = {std::move(why)};
    return Reply{{BodyType::error, std::move(content)}, {}, {}, keep};
}

Checked<void> Server::Impl::check_named(const Exchange& exchange, const x509::crmf::CertTemplate& wanted) const {
    const auto& ca = exchange.label.ca;
    const auto& principal = exchange.sender.principal;
    if (principal.passphrase) {
        CMP_TRY(const auto record, store_.certificate(ca, authority::without_leading_zeros(*wanted.serial_number)));
        if (!record) return {};   // the authority says what it says of others'
        CMP_TRY(const auto certificate, x509::Certificate::parse(record->der));
        if (!check_matches(wanted, certificate)) return refuse(PkiFailure::not_authorized, "that certificate is not yours to revoke");
        return {};
    }
    const auto& proof = *principal.certificate;
    if (same(proof.certificate.serial_number(), *wanted.serial_number)) return check_matches(wanted, proof.certificate);
    // Only a registration authority learns whether there is such a certificate.
    if (!proof.registration_authority) return {};
    CMP_TRY(const auto status, authority_.status(ca, *wanted.serial_number));
    if (!status) return refuse(PkiFailure::bad_cert_id, "the CA here has issued no such certificate");
    return {};
}

Checked<std::optional<authority::Pending>> Server::Impl::revoke_one(Exchange& exchange, const PkiMessage& original, const RevDetails& details) const {
    const auto& wanted = details.cert_details;
    if (!wanted.issuer || !wanted.serial_number)
        return refuse(PkiFailure::add_info_not_available, "certDetails must name the certificate by issuer and serialNumber (RFC 9483 4.2)");
    CMP_TRY(const auto reason, read_reasons(details.crl_entry_details));
    const auto& ca = exchange.label.ca;
    if (!wanted.issuer->matches(authority_.ca(ca)->certificate.subject()))
        return refuse(PkiFailure::bad_cert_id, "certDetails names an issuer that is not the CA here");
    CMP_CHECK(check_named(exchange, wanted));
    const authority::RevokeRequest request{ca, *wanted.serial_number, reason.reason, exchange.sender.principal, reason.invalidity_date};
    const auto carried_out = [&]() -> Result<std::optional<authority::Pending>> {
        if (exchange.label.config.approve_revocations)
            return authority_.revoke_when_approved(
                request, {exchange.label.recorded, to_vec(original.body_der()), *original.header().transaction_id}, exchange.work);
        ESTUARY_CHECK(authority_.revoke(request, exchange.work));
        return std::optional<authority::Pending>{};
    }();
    if (!carried_out) return tl::unexpected(refusal(carried_out.error(), reason.reason));
    return *carried_out;
}

}  // namespace estuary::cmp
