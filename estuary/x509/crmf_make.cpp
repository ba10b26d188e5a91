// Certificate request messages made by us.
#include "estuary/x509/agreement_proof.h"
#include "estuary/x509/crmf_parts.h"

namespace estuary::x509::crmf {
namespace {

/// What a signature is made over where the template has no subject (RFC 4211 4.1, cases 1 and 2).
Result<PopoSigningKeyInput> make_input(const WantedRequest& wanted, Bytes spki) {
    if (wanted.sender) return PopoSigningKeyInput{*wanted.sender, to_vec(spki)};
    if (wanted.shared_secret == nullptr)
        return fail(Code::malformed, "a request without subject needs the sender's name or a shared secret to prove possession");
    PkMacValue mac;
    ESTUARY_TRY(mac.algorithm, crypto::make_password_mac_algorithm(wanted.mac));
    ESTUARY_TRY(mac.value, crypto::compute_password_mac(mac.algorithm, *wanted.shared_secret, spki,
                                                        {.iterations_max = wanted.mac.iterations}));
    return PopoSigningKeyInput{std::move(mac), to_vec(spki)};
}

Result<ProofOfPossession> prove_by_signature(const WantedRequest& wanted, Bytes cert_req, const crypto::PrivateKey& key) {
    PopoSigningKey proof;
    ESTUARY_TRY(const auto* algorithm, key.signature_algorithm());
    proof.algorithm_identifier = algorithm->identifier;
    if (!wanted.request.cert_template.subject) {
        ESTUARY_TRY(proof.input, make_input(wanted, key.public_key().spki()));
    }
    ESTUARY_TRY(proof.signature, key.sign(proof.input ? Bytes{encode_signing_key_input(*proof.input)} : cert_req));
    return proof;
}

Result<ProofOfPossession> promise(const crypto::PrivateKey& key, SubsequentMessage message) {
    switch (key.kind()) {
        case crypto::KeyKind::rsa:
        case crypto::KeyKind::ml_kem: return KeyEncipherment{message};
        case crypto::KeyKind::ec:
        case crypto::KeyKind::other: return KeyAgreementProof{message};
        case crypto::KeyKind::ed25519:
        case crypto::KeyKind::ed448:
        case crypto::KeyKind::ml_dsa:
        case crypto::KeyKind::slh_dsa: break;
    }
    return fail(Code::bad_key, "a key of type " + key.public_key().type_name() + " cannot decrypt; let it sign");
}

Result<ProofOfPossession> prove_by_agreement(const WantedRequest& wanted, Bytes cert_req, const crypto::PrivateKey& key) {
    if (!wanted.request.cert_template.subject) return fail(Code::malformed, "possession by key agreement is shown with a subject (RFC 4211 4.2)");
    ESTUARY_TRY(auto proof, make_agreement_proof(AgreementAlgorithm::dh_based_mac, cert_req, key, *wanted.agreement_recipient));
    return KeyAgreementProof{AgreeMac{{std::move(proof.algorithm), std::move(proof.value)}}};
}

Result<ProofOfPossession> prove(const WantedRequest& wanted, Bytes cert_req, const crypto::PrivateKey& key) {
    if (wanted.agreement_recipient) return prove_by_agreement(wanted, cert_req, key);
    if (wanted.subsequent_message) return promise(key, *wanted.subsequent_message);
    return prove_by_signature(wanted, cert_req, key);
}

}  // namespace

Result<ByteVec> make_cert_req_msg(const WantedRequest& wanted, const crypto::PrivateKey& key) {
    auto request = wanted.request;
    request.cert_template.public_key = to_vec(key.public_key().spki());
    ESTUARY_CHECK(check_requestable(request.cert_template));
    const auto cert_req = request.encode();
    ESTUARY_TRY(const auto popo, prove(wanted, cert_req, key));
    return encode_cert_req_msg(cert_req, popo, wanted.reg_info);
}

Result<ByteVec> make_cert_req_msg_without_key(const WantedRequest& wanted) {
    ESTUARY_CHECK(check_requestable(wanted.request.cert_template));
    return encode_cert_req_msg(wanted.request.encode(), std::nullopt, wanted.reg_info);
}

ByteVec make_ra_verified(Bytes cert_req, const std::vector<Control>& reg_info) {
    return encode_cert_req_msg(cert_req, RaVerified{}, reg_info);
}

}  // namespace estuary::x509::crmf
