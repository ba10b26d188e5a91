// Proof of possession by key agreement in certificate request messages (RFC 4211 4.2 and 4.3, RFC 9810 5.2.8.2).
#include "estuary/crypto/agreement_mac.h"
#include "estuary/x509/agreement_proof.h"
#include "estuary/x509/crmf.h"

namespace estuary::x509::crmf {
namespace {

/// agreeMAC is for keyAgreement only.
const PkMacValue* agree_mac(const CertReqMsg& message) {
    const auto* agreement = message.popo() ? std::get_if<KeyAgreementProof>(&*message.popo()) : nullptr;
    const auto* proof = agreement == nullptr ? nullptr : std::get_if<AgreeMac>(&agreement->proof);
    return proof == nullptr ? nullptr : &proof->mac;
}

const PopoSigningKey* mac_as_signature(const CertReqMsg& message) {
    const auto* proof = message.popo() ? std::get_if<PopoSigningKey>(&*message.popo()) : nullptr;
    return proof != nullptr && crypto::is_agreement_mac(proof->algorithm_identifier) ? proof : nullptr;
}

tl::unexpected<Error> no_agreement(std::string detail) { return fail(Code::bad_proof, "proof of possession: " + std::move(detail)); }

}  // namespace

bool is_agreement_possession(const CertReqMsg& message) noexcept {
    return agree_mac(message) != nullptr || mac_as_signature(message) != nullptr;
}

//= https://www.rfc-editor.org/rfc/rfc4211#section-4.2
//# a MAC (over the DER-encoded value of the certReq parameter in CertReqMsg, which must include both subject and publicKey)
Result<crypto::PublicKey> verify_agreement_possession(const CertReqMsg& message, const PossessionContext& context) {
    const auto* mac = agree_mac(message);
    const auto* signature = mac_as_signature(message);
    if (mac == nullptr && signature == nullptr) return no_agreement("there is no MAC by key agreement");
    if (context.agreement_key == nullptr) return no_agreement("there is no agreement key here that could check it");
    const auto& wanted = message.cert_req().cert_template;
    if (!wanted.subject) return no_agreement("a MAC by key agreement needs a subject in the request");
    if (signature != nullptr && signature->input) return no_agreement("poposkInput in a request that has both subject and publicKey");
    ESTUARY_TRY(auto key, message.public_key());
    if (!key) return no_agreement("the request has no key that could have agreed");
    ESTUARY_CHECK(verify_agreement_proof(mac != nullptr ? mac->algorithm : signature->algorithm_identifier, message.cert_req_der(),
                                         mac != nullptr ? mac->value : signature->signature, *context.agreement_key, *key));
    return std::move(*key);
}

}  // namespace estuary::x509::crmf
