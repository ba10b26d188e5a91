// First messages: ir, cr, kur, ccr, p10cr, rr, genm (RFC 9483 4), krr (RFC 9810 5.3.7).
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "estuary/cmp/client_impl.h"
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/server.h"
#include "estuary/x509/agreement_proof.h"

namespace estuary::cmp {
namespace {

namespace crmf = x509::crmf;

InfoTypeAndValues info_of_header(bool implicit, const std::vector<std::string>& profiles) {
    InfoTypeAndValues info;
    if (implicit) info.push_back(make_implicit_confirm());
    if (!profiles.empty()) info.push_back(make_cert_profile(profiles));
    return info;
}

InfoTypeAndValues info_of_header(bool implicit, const std::string& profile) {
    return info_of_header(implicit, profile.empty() ? std::vector<std::string>{} : std::vector{profile});
}

/// An SPKI that has an algorithm and no key (RFC 9483 4.1.6).
Result<ByteVec> spki_without_key(std::string_view key_type) {
    ESTUARY_TRY(const auto* type, crypto::key_type(key_type));
    der::Writer writer;
    writer.sequence([&] {
        writer.raw(crypto::key_algorithm_identifier(*type));
        writer.bit_string({});
    });
    return std::move(writer).take();
}

std::string_view operation_of(BodyType type) {
    if (type == BodyType::ccr) return {};   // it has none
    if (type == BodyType::ir) return to_string(Operation::initialization);
    return to_string(type == BodyType::cr ? Operation::certification : Operation::keyupdate);
}

/// What the update of a certificate has to say (RFC 9483 4.1.3): which one it is, and the names that it keeps.
Result<void> describe_update(const CertificateWish& wish, const ClientConfig& config, crmf::WantedRequest& wanted) {
    const auto* signer = std::get_if<ClientSigner>(&config.credentials);
    if (signer == nullptr) return fail(Code::policy, "kur is signed by the certificate that it updates, not made with a secret (RFC 9483 4.1.3)");
    const auto& old = wish.old_certificate ? *wish.old_certificate : signer->chain.front();
    auto& request = wanted.request;
    if (wish.subject.empty()) request.cert_template.subject = old.subject();
    const auto* names = x509::find(old.extensions(), x509::oid::subject_alt_name);
    if (names != nullptr && x509::find(request.cert_template.extensions, x509::oid::subject_alt_name) == nullptr)
        request.cert_template.extensions.push_back(*names);
    if (crmf::find(request.controls, crmf::oid::old_cert_id) == nullptr)
        request.controls.push_back(crmf::make_old_cert_id({directory_name(old.issuer()), to_vec(old.serial_number())}));
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-6.6.1
//# all fields except the serial number (including, e.g., a BasicConstraints extension) must be specified by the requester CA.
/// signingAlg is left out all the same: RFC 4211 5 leaves it to the issuer.
Result<void> describe_ca(const CertificateWish& wish, crmf::WantedRequest& wanted) {
    constexpr std::int64_t version_3 = 2;
    const auto wrong = [](std::string what) { return fail(Code::policy, "ccr: " + std::move(what)); };
    if (wish.subject.empty()) return wrong("the CA has no name");
    if (!wish.issuer || wish.issuer->empty()) return wrong("it is not said which CA is asked");
    if (!wish.validity || !wish.validity->not_before || !wish.validity->not_after) return wrong("the validity needs both its ends");
    if (!wish.key || !wish.key->signature_algorithm() || wish.subsequent_message) return wrong("the CA's own key signs the request");
    const auto* constraints = x509::find(wish.extensions, x509::oid::basic_constraints);
    if (constraints == nullptr) return wrong("basicConstraints is missing");
    ESTUARY_TRY(const auto parsed, x509::parse_basic_constraints(constraints->value));
    if (!parsed.ca) return wrong("basicConstraints is that of no CA");
    wanted.request.cert_template.version = version_3;
    wanted.request.cert_template.issuer = wish.issuer;
    return {};
}

Result<ByteVec> make_message(const CertificateWish& wish, crmf::WantedRequest& wanted) {
    if (wish.key) return crmf::make_cert_req_msg(wanted, *wish.key);
    if (!wish.key_type.empty()) {
        ESTUARY_TRY(wanted.request.cert_template.public_key, spki_without_key(wish.key_type));
    }
    return crmf::make_cert_req_msg_without_key(wanted);
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.1.1.4
//# […] the number of elements in the sequence MUST NOT be more than the number of CertReqMsg […] elements
std::vector<std::string> profiles_of(std::span<const CertificateWish> wishes) {
    std::vector<std::string> names;
    for (const auto& wish : wishes) names.push_back(wish.profile);
    while (!names.empty() && names.back().empty()) names.pop_back();
    return names;
}

Result<crmf::WantedRequest> wanted_request(const CertificateWish& wish, std::size_t index, const ClientConfig& config) {
    crmf::WantedRequest wanted;
    wanted.request.cert_req_id = static_cast<std::int64_t>(index);
    wanted.request.cert_template.subject = wish.subject;
    wanted.request.cert_template.extensions = wish.extensions;
    wanted.request.cert_template.validity = wish.validity;
    wanted.request.controls = wish.controls;
    wanted.reg_info = wish.reg_info;
    if (wish.type == BodyType::kur) ESTUARY_CHECK(describe_update(wish, config, wanted));
    if (wish.type == BodyType::ccr) ESTUARY_CHECK(describe_ca(wish, wanted));
    wanted.subsequent_message = wish.subsequent_message;
    wanted.agreement_recipient = wish.agreement_recipient;
    if (wish.key && !wish.key->signature_algorithm() && !wanted.subsequent_message && !wanted.agreement_recipient)
        wanted.subsequent_message = crmf::SubsequentMessage::encr_cert;
    return wanted;
}

Result<FirstRequest> first_of(std::span<const CertificateWish> wishes, const ClientConfig& config) {
    const auto type = wishes.front().type;
    if (type != BodyType::ir && type != BodyType::cr && type != BodyType::kur && type != BodyType::ccr)
        return fail(Code::policy, fmt::format("a certificate is asked for by ir, cr, kur or ccr, not by {}", to_string(type)));
    if (type == BodyType::ccr && wishes.size() > 1)
        return fail(Code::policy, "cross-certificates are asked for by one message each (RFC 9810 D.6)");
    FirstRequest request;
    request.implicit_confirm = true;
    CertReqMessages content;
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        const auto& wish = wishes[i];
        if (wish.type != type) return fail(Code::policy, "certificates that are asked for by one message are asked for in one way");
        ESTUARY_TRY(auto wanted, wanted_request(wish, i, config));
        ESTUARY_TRY(const auto der, make_message(wish, wanted));
        ESTUARY_TRY(auto message, crmf::CertReqMsg::parse(der));
        content.messages.push_back(std::move(message));
        // An encrypted certificate shows possession by its confirmation, so that has to come.
        if (!wish.implicit_confirm || wanted.subsequent_message == crmf::SubsequentMessage::encr_cert) request.implicit_confirm = false;
        request.spkis.push_back(wish.key ? to_vec(wish.key->public_key().spki()) : ByteVec{});
        // EnvelopedData is to come back.
        if (!wish.key || wanted.subsequent_message) request.pvno = cmp2021;
    }
    request.body = {type, std::move(content)};
    request.pvno = std::max(request.pvno, needed_pvno({}, request.body));
    request.info = info_of_header(request.implicit_confirm, profiles_of(wishes));
    request.operation = operation_of(type);
    return request;
}

Result<FirstRequest> first(const CertificateWish& wish, const ClientConfig& config) { return first_of({&wish, 1}, config); }

Result<FirstRequest> first(const CertificatesWish& wish, const ClientConfig& config) {
    if (wish.requests.empty()) return fail(Code::policy, "no certificate is asked for");
    if (wish.requests.size() > config.limits.requests_max)
        return fail(Code::policy, fmt::format("{} certificates by one message; {} is the most", wish.requests.size(), config.limits.requests_max));
    return first_of(wish.requests, config);
}

Result<FirstRequest> first(const Pkcs10Wish& wish, const ClientConfig&) {
    // A MAC in place of its signature (RFC 6955) only the authority can check.
    if (!x509::is_agreement_request(wish.request)) ESTUARY_CHECK(x509::SignedRequest::parse(wish.request));
    ESTUARY_TRY(const auto given, x509::parse_unproven(wish.request));
    FirstRequest request;
    request.body = {BodyType::p10cr, P10CertificationRequest{wish.request}};
    request.implicit_confirm = wish.implicit_confirm;
    request.info = info_of_header(wish.implicit_confirm, wish.profile);
    request.spkis.push_back(given.parts.spki);
    request.operation = to_string(Operation::pkcs10);
    return request;
}

Result<FirstRequest> first(const RelayedWish& wish, const ClientConfig&) {
    if (wish.request.cert_req().cert_req_id != 0) return fail(Code::policy, "certReqId of the only request must be 0 (RFC 9483 4.1.1)");
    ESTUARY_TRY(const auto key, wish.request.public_key());
    if (!key) return fail(Code::policy, "a request without a key is made by whoever gets the key, not relayed (RFC 9483 5.2.3)");
    FirstRequest request;
    request.body = {BodyType::cr, CertReqMessages{{wish.request}}};
    request.implicit_confirm = wish.implicit_confirm;
    request.info = info_of_header(wish.implicit_confirm, wish.profile);
    request.pvno = needed_pvno({}, request.body);
    request.spkis.push_back(to_vec(key->spki()));
    request.operation = operation_of(BodyType::cr);
    return request;
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.2
//# The revocation reason […] reasonCode extension […] MUST be present and have exactly one value
Result<FirstRequest> first(const RevocationWish& wish, const ClientConfig& config) {
    if (const auto* secret = std::get_if<ClientSecret>(&config.credentials); secret != nullptr && !secret->revocation_passphrase)
        return fail(Code::policy, "rr is signed by the certificate itself or a registration authority, or made with a revocation passphrase "
                                  "(RFC 9483 4.2, RFC 9810 B)");
    RevDetails details;
    details.cert_details.issuer = wish.issuer;
    details.cert_details.serial_number = wish.serial_number;
    der::Writer reason;
    reason.primitive(der::Tag::enumerated, {&wish.reason, 1});
    details.crl_entry_details.push_back({.id = x509::oid::crl_reason, .critical = false, .value = std::move(reason).take()});
    FirstRequest request;
    request.body = {BodyType::rr, RevReqContent{{std::move(details)}}};
    request.operation = to_string(Operation::revocation);
    return request;
}

/// The certificate that a template with a key asks for; without one it says nothing.
Result<ByteVec> make_message(const KeyRecoveryWish& wish, crmf::WantedRequest& wanted) {
    if (!wish.key) return crmf::make_cert_req_msg_without_key(wanted);
    if (!wish.key->signature_algorithm()) return fail(Code::policy, "the new key of a krr is one that signs");
    wanted.request.cert_template.subject = wish.subject;
    wanted.request.cert_template.extensions = wish.extensions;
    return crmf::make_cert_req_msg(wanted, *wish.key);
}

Result<FirstRequest> first(const KeyRecoveryWish& wish, const ClientConfig&) {
    if (!wish.keys && !wish.key) return fail(Code::policy, "a krr asks for keys, for a certificate, or for both");
    if (!wish.keys && (wish.certificate || wish.encryption_key)) return fail(Code::policy, "no keys are asked for: there is nothing to encrypt");
    //= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.7
    //# […] if a key history is required, the requester must supply a Protocol Encryption Key control in the request message.
    if (wish.keys && wish.key && !wish.certificate && !wish.encryption_key)
        return fail(Code::policy, "who asks for all keys and for a certificate names a key to encrypt the keys with (RFC 9810 5.3.7)");
    crmf::WantedRequest wanted;
    if (wish.certificate) wanted.request.controls.push_back(crmf::make_old_cert_id(*wish.certificate));
    if (wish.encryption_key) wanted.request.controls.push_back(crmf::make_protocol_encr_key(wish.encryption_key->public_key().spki()));
    ESTUARY_TRY(const auto der, make_message(wish, wanted));
    ESTUARY_TRY(auto message, crmf::CertReqMsg::parse(der));
    FirstRequest request;
    request.body = {BodyType::krr, CertReqMessages{{std::move(message)}}};
    request.implicit_confirm = wish.key && wish.implicit_confirm;
    request.info = info_of_header(request.implicit_confirm, wish.profile);
    if (wish.keys) request.pvno = cmp2021;   // EnvelopedData is to come back
    if (wish.key) request.spkis.push_back(to_vec(wish.key->public_key().spki()));
    return request;
}

std::string_view operation_of(const der::Oid& asked) {
    if (asked == oid::ca_certs) return to_string(Operation::getcacerts);
    if (asked == oid::root_ca_cert) return to_string(Operation::getrootupdate);
    if (asked == oid::cert_req_template) return to_string(Operation::getcertreqtemplate);
    if (asked == oid::crl_status_list) return to_string(Operation::getcrls);
    return {};
}

Result<FirstRequest> first(const InformationWish& wish, const ClientConfig&) {
    FirstRequest request;
    request.body = {BodyType::genm, GenContent{{wish.question}}};
    request.info = info_of_header(false, wish.profile);
    request.pvno = needed_pvno({}, request.body);
    request.operation = operation_of(wish.question.info_type);
    return request;
}

}  // namespace

Result<FirstRequest> make_first_request(const Wish& wish, const ClientConfig& config) {
    if (const auto* secret = std::get_if<ClientSecret>(&config.credentials);
        secret != nullptr && secret->revocation_passphrase && !std::holds_alternative<RevocationWish>(wish))
        return fail(Code::policy, "a revocation passphrase revokes, and authenticates nothing else");
    return std::visit([&](const auto& one) { return first(one, config); }, wish);
}

der::Oid info_answer_to(const der::Oid& asked) {
    if (asked == oid::root_ca_cert) return oid::root_ca_key_update;
    if (asked == oid::crl_status_list) return oid::crls;
    if (asked == oid::key_pair_param_req) return oid::key_pair_param_rep;
    return asked;
}

}  // namespace estuary::cmp
