// ccr: certificates for other CAs, subordinate ones too (RFC 9810 5.3.11, 6.6.1, D.6). What they hold is decided by policy and a person;
// here is what the request itself must be.
#include <fmt/format.h>

#include "estuary/cmp/server_impl.h"

namespace estuary::cmp {
namespace {

namespace crmf = x509::crmf;

/// RFC 9810 D.3 and 5.3.11: the requester shows that it has the key by signing, and the private key stays where it is.
Checked<void> check_cross_possession(const crmf::CertReqMsg& message) {
    const auto& popo = message.popo();
    const bool by_signature = popo && std::holds_alternative<crmf::PopoSigningKey>(*popo) && !crmf::is_agreement_possession(message);
    if (!by_signature) return refuse(PkiFailure::bad_pop, "the key of a CA proves its possession by a signature (RFC 9810 D.6)");
    return {};
}

}  // namespace

//= https://www.rfc-editor.org/rfc/rfc9810#section-6.6.1
//# The ccr message must contain a "complete" certification request; that is, all fields except the serial number (including, e.g.,
//# a BasicConstraints extension) must be specified by the requester CA.
Checked<void> Server::Impl::check_cross_request(const crmf::CertReqMsg& message) const {
    const auto& wanted = message.cert_req().cert_template;
    const auto missing = [](std::string_view what) {
        return refuse(PkiFailure::bad_cert_template, fmt::format("the request of a CA is complete; certTemplate has no {} (RFC 9810 6.6.1)", what));
    };
    if (!wanted.version) return missing("version");
    if (!wanted.subject || wanted.subject->empty()) return missing("subject");
    if (!wanted.issuer || wanted.issuer->empty()) return missing("issuer");
    if (!wanted.validity || !wanted.validity->not_before || !wanted.validity->not_after) return missing("validity with both its ends");
    CMP_TRY(const auto key, or_failure(PkiFailure::bad_cert_template, message.public_key()));
    if (!key) return missing("publicKey");
    const auto* extension = x509::find(wanted.extensions, x509::oid::basic_constraints);
    if (extension == nullptr) return missing("basicConstraints");
    CMP_TRY(const auto constraints, or_failure(PkiFailure::bad_cert_template, x509::parse_basic_constraints(extension->value)));
    if (!constraints.ca) return refuse(PkiFailure::bad_cert_template, "basicConstraints says that it is no CA: ask by ir or cr");
    return check_cross_possession(message);
}

Checked<Reply> Server::Impl::cross_certify(Exchange& exchange) {
    if (exchange.label.config.cross_certification.empty()) return refuse(PkiFailure::not_authorized, "no CA is certified here");
    const auto protection = exchange.sender.protection;
    if (protection != Protection::mac && protection != Protection::signature)
        return refuse(PkiFailure::wrong_integrity, "ccr is signed, or has a MAC made with the authorization code (RFC 9810 6.6.1)");
    const auto& requests = exchange.message.as<CertReqMessages>().messages;
    if (requests.size() != 1)
        return refuse(PkiFailure::bad_request, "ccr has one request: several cross-certificates are asked for by several messages (RFC 9810 D.6)");
    CMP_CHECK(check_cross_request(requests.front()));
    return enroll(exchange);
}

/// RFC 4211 5 leaves it to the CA, RFC 9810 D.6 has the requesting CA name what it knows the other to sign with.
Bytes Server::Impl::signing_alg_for(const Exchange& exchange, BodyType type) const {
    const auto* ca = authority_.ca(exchange.label.ca);
    if (type != BodyType::ccr || ca == nullptr || !ca->key) return {};
    const auto algorithm = ca->key->signature_algorithm();
    return algorithm ? Bytes{(*algorithm)->identifier} : Bytes{};
}

}  // namespace estuary::cmp
