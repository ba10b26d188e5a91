// Certificate request messages: what is read is written back the same, and whoever proved possession proved it of these octets.
#include <cstdlib>

#include "agreement_key.h"
#include "estuary/x509/crmf_controls.h"
#include "estuary/x509/crmf_request.h"

using namespace estuary;
namespace crmf = x509::crmf;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void read_controls(const std::vector<crmf::Control>& controls) {
    (void)crmf::reg_token(controls);
    (void)crmf::authenticator(controls);
    if (const auto info = crmf::publication_info(controls); info && *info)
        check(crmf::make_publication_info(**info) == *crmf::find(controls, crmf::oid::pki_publication_info));
    if (const auto options = crmf::archive_options(controls); options && *options)
        check(crmf::make_archive_options(**options) == *crmf::find(controls, crmf::oid::pki_archive_options));
    if (const auto id = crmf::old_cert_id(controls); id && *id)
        check(crmf::make_old_cert_id(**id) == *crmf::find(controls, crmf::oid::old_cert_id));
    if (const auto key = crmf::protocol_encr_key(controls); key && *key)
        check(crmf::make_protocol_encr_key(**key) == *crmf::find(controls, crmf::oid::protocol_encr_key));
    if (const auto pairs = crmf::utf8_pairs(controls)) check(crmf::utf8_pairs({crmf::make_utf8_pairs(*pairs)}) == *pairs);
}

/// Dogtag's empty lists of controls are read, but not written.
bool has_empty_list(const crmf::CertReqMsg& message) {
    auto request = *der::enter_only(message.cert_req_der(), der::Tag::sequence, "CertRequest");
    auto whole = *der::enter_only(message.der(), der::Tag::sequence, "CertReqMsg");
    const auto ends_empty = [](der::Reader reader, bool empty) {
        while (!reader.empty()) {
            const auto element = *reader.any();
            empty = reader.empty() && element.tag == der::Tag::sequence && element.content.empty();
        }
        return empty;
    };
    (void)request.any();
    (void)request.any();
    (void)whole.any();
    return ends_empty(request, false) || ends_empty(whole, false);
}

void check_message(const crmf::CertReqMsg& message) {
    const auto& request = message.cert_req();
    const auto again = crmf::encode_cert_req_msg(request.encode(), message.popo(), message.reg_info());
    check(same(again, message.der()) || has_empty_list(message));
    check(crmf::CertReqMsg::parse(again).has_value());
    read_controls(request.controls);
    read_controls(message.reg_info());
    (void)message.public_key();
    (void)crmf::effective_request(message);
    const crypto::Secret secret{std::string_view{"fuzz"}};
    const crmf::PossessionContext context{.shared_secret = &secret, .mac_limits = {.iterations_max = 200},
                                          .agreement_key = &fuzz::agreement_key()};
    const auto proved = crmf::verify_signature_possession(message, context);
    if (proved) check(same(proved->spki(), *request.cert_template.public_key));
    const auto wished = crmf::to_certification_request(message, {.possession = context});
    if (wished) check(same(wished->der(), message.der()) && !crmf::is_ra_verified(message) && !crmf::has_replacement(message));
    if (wished && wished->possession() == x509::Possession::signature) check(proved.has_value());
    const auto agreed = crmf::verify_agreement_possession(message, context);
    if (agreed) check(!proved && same(agreed->spki(), *request.cert_template.public_key) && request.cert_template.subject.has_value());
    if (wished && wished->possession() == x509::Possession::key_agreement) check(agreed.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    if (const auto messages = crmf::parse_cert_req_messages(input))
        for (const auto& message : *messages) check_message(message);
    if (const auto message = crmf::CertReqMsg::parse(input)) check_message(*message);
    if (const auto value = crmf::EncryptedValue::parse(input)) check(same(value->encode(), input));
    return 0;
}
