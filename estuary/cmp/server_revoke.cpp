// rr (RFC 9483 4.2, 5.1.3).
#include <fmt/format.h>

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
    const auto& details = exchange.message.as<RevReqContent>().details;
    if (details.empty() || details.size() > exchange.label.config.requests_max)
        return refuse(PkiFailure::bad_request, fmt::format("{} RevDetails in one message; {} is the most here", details.size(),
                                                           exchange.label.config.requests_max));
    RevRepContent content;
    Reply reply;
    for (const auto& one : details) {
        const auto revoked = revoke_one(exchange, one);
        if (revoked) {
            content.status.push_back({});
            content.rev_certs.push_back({directory_name(*one.cert_details.issuer), *one.cert_details.serial_number});
            reply.keep = Seconds{0};
        } else {
            log_failure(exchange, revoked.error());
            content.status.push_back(revoked.error().status());
        }
    }
    // revCerts goes with status one to one, or says nothing.
    if (content.rev_certs.size() != content.status.size()) content.rev_certs.clear();
    reply.body = {BodyType::rp, std::move(content)};
    return reply;
}

Checked<void> Server::Impl::revoke_one(Exchange& exchange, const RevDetails& details) const {
    const auto& wanted = details.cert_details;
    if (!wanted.issuer || !wanted.serial_number)
        return refuse(PkiFailure::add_info_not_available, "certDetails must name the certificate by issuer and serialNumber (RFC 9483 4.2)");
    CMP_TRY(const auto reason, read_reasons(details.crl_entry_details));
    const auto& ca = exchange.label.ca;
    if (!wanted.issuer->matches(authority_.ca(ca)->certificate.subject()))
        return refuse(PkiFailure::bad_cert_id, "certDetails names an issuer that is not the CA here");
    const auto& proof = *exchange.sender.principal.certificate;
    const bool own = same(proof.certificate.serial_number(), *wanted.serial_number);
    // Only a registration authority learns whether there is such a certificate.
    if (proof.registration_authority && !own) {
        CMP_TRY(const auto status, authority_.status(ca, *wanted.serial_number));
        if (!status) return refuse(PkiFailure::bad_cert_id, "the CA here has issued no such certificate");
    }
    if (own) CMP_CHECK(check_matches(wanted, proof.certificate));
    auto revoked = authority_.revoke({ca, *wanted.serial_number, reason.reason, exchange.sender.principal, reason.invalidity_date},
                                     exchange.work);
    if (!revoked) return tl::unexpected(refusal(std::move(revoked).error(), reason.reason));
    return {};
}

}  // namespace estuary::cmp
