// Proof of possession checked (RFC 4211 4), and requests handed to policy.
#include "estuary/x509/crmf_parts.h"
#include "estuary/x509/crmf_request.h"

namespace estuary::x509::crmf {
namespace {

using der::Reader;
using der::Tag;

tl::unexpected<Error> no_proof(std::string detail) { return fail(Code::bad_proof, "proof of possession: " + std::move(detail)); }

/// A SubjectPublicKeyInfo of zero key bits says only which kind of key is wished for (RFC 9483 4.1.6).
bool is_algorithm_only(Bytes spki) {
    auto fields = der::enter_only(spki, Tag::sequence, "SubjectPublicKeyInfo");
    if (!fields || !fields->skip()) return false;
    const auto bits = fields->bit_string_octets();
    return bits && bits->empty();
}

bool has_key(const CertTemplate& wanted) { return wanted.public_key && !is_algorithm_only(*wanted.public_key); }

/// Who stands behind poposkInput: a name that was authenticated, or the knowledge of a secret.
Result<void> check_auth_info(const PopoSigningKeyInput& input, const PossessionContext& context) {
    if (const auto* sender = std::get_if<GeneralName>(&input.auth_info)) {
        if (std::ranges::find(context.authenticated_names, *sender) == context.authenticated_names.end())
            return no_proof("the sender in poposkInput is not who was authenticated");
        return {};
    }
    if (context.shared_secret == nullptr) return no_proof("publicKeyMAC, but no secret is shared with the sender");
    const auto& mac = std::get<PkMacValue>(input.auth_info);
    return crypto::verify_password_mac(mac.algorithm, *context.shared_secret, input.public_key, mac.value, context.mac_limits);
}

/// RFC 4211 appendix B: with both subject and publicKey in the template the signature is over certReq and poposkInput is absent,
/// otherwise it is over poposkInput. Anything else would leave part of the request unsigned.
Result<Bytes> signed_octets(const CertReqMsg& message, const PopoSigningKey& proof) {
    const auto& wanted = message.cert_req().cert_template;
    if (!has_key(wanted)) return no_proof("the request has no key that could have signed it");
    if (wanted.subject && proof.input) return no_proof("poposkInput in a request that has both subject and publicKey");
    if (!wanted.subject && !proof.input) return no_proof("poposkInput is missing in a request without subject");
    if (!proof.input) return message.cert_req_der();
    if (!same(proof.input->public_key, *wanted.public_key)) return no_proof("poposkInput is for another key");
    return message.popo_input_der();
}

/// The identifier to verify with. RFC 5758 3.2 has no parameters beside ECDSA's, but Dogtag's client writes NULL.
Bytes usual_identifier(Bytes identifier) {
    constexpr std::uint8_t null[] = {0x05, 0x00};
    auto fields = der::enter_only(identifier, Tag::sequence, "AlgorithmIdentifier");
    if (!fields) return identifier;
    const auto type = fields->oid();
    const auto* algorithm = type && same(fields->rest(), null) ? crypto::signature_algorithm(*type) : nullptr;
    return algorithm != nullptr && algorithm->kind == crypto::KeyKind::ec ? Bytes{algorithm->identifier} : identifier;
}

}  // namespace

Result<std::optional<crypto::PublicKey>> CertReqMsg::public_key() const {
    const auto& wanted = cert_req().cert_template;
    if (!has_key(wanted)) return std::optional<crypto::PublicKey>{};
    ESTUARY_TRY(auto key, crypto::PublicKey::from_spki(*wanted.public_key));
    return std::optional<crypto::PublicKey>{std::move(key)};
}

Result<crypto::PublicKey> verify_signature_possession(const CertReqMsg& message, const PossessionContext& context) {
    const auto* proof = message.popo() ? std::get_if<PopoSigningKey>(&*message.popo()) : nullptr;
    if (proof == nullptr) return no_proof("there is no signature");
    ESTUARY_TRY(const auto octets, signed_octets(message, *proof));
    ESTUARY_TRY(auto key, crypto::PublicKey::from_spki(*message.cert_req().cert_template.public_key));
    // The signature first: it costs less than a MAC with many iterations.
    ESTUARY_CHECK(key.verify(usual_identifier(proof->algorithm_identifier), octets, proof->signature));
    if (proof->input) ESTUARY_CHECK(check_auth_info(*proof->input, context));
    return key;
}

bool is_ra_verified(const CertReqMsg& message) noexcept {
    return message.popo() && std::holds_alternative<RaVerified>(*message.popo());
}

std::optional<SubsequentMessage> subsequent_message(const CertReqMsg& message) noexcept {
    if (!message.popo()) return std::nullopt;
    const PopoPrivKey* proof = nullptr;
    if (const auto* encipherment = std::get_if<KeyEncipherment>(&*message.popo())) proof = &encipherment->proof;
    if (const auto* agreement = std::get_if<KeyAgreementProof>(&*message.popo())) proof = &agreement->proof;
    const auto* subsequent = proof == nullptr ? nullptr : std::get_if<SubsequentMessage>(proof);
    return subsequent == nullptr ? std::nullopt : std::optional{*subsequent};
}

bool has_replacement(const CertReqMsg& message) noexcept { return find(message.reg_info(), oid::cert_req) != nullptr; }

Result<CertRequest> effective_request(const CertReqMsg& message) {
    const auto& original = message.cert_req();
    const auto* replacement = find(message.reg_info(), oid::cert_req);
    if (replacement == nullptr) return original;
    if (std::ranges::count(message.reg_info(), oid::cert_req, &Control::type) != 1)
        return fail(Code::malformed, "regInfo: certReq more than once");  // RFC 4211 7.2
    Reader value{replacement->value};
    ESTUARY_TRY(auto request, CertRequest::read(value));
    // Possession was shown of the original's key, and of no other.
    if (request.cert_template.public_key != original.cert_template.public_key)
        return fail(Code::malformed, "regInfo: certReq is for another key");
    request.cert_req_id = original.cert_req_id;  // answers go by this
    return request;
}

namespace {

/// How possession is shown, once it is.
Result<Possession> check_possession(const CertReqMsg& message, const Receiver& receiver) {
    const bool with_key = has_key(message.cert_req().cert_template);
    if (!receiver.generated_spki.empty()) {
        if (with_key || message.popo()) return no_proof("a key was to be made for a request that has one");
        return Possession::generated_here;
    }
    if (!with_key) return no_proof("the request has no key");
    if (is_ra_verified(message)) {
        //= https://www.rfc-editor.org/rfc/rfc4211#section-4
        //# A requestor MUST NOT set this field and an RA/CA MUST NOT accept a ProofOfPossession where the requestor sets this field.
        if (!receiver.from_registration_authority)
            return fail(Code::not_authorised, "raVerified is for registration authorities");
        return Possession::registration_authority;
    }
    if (subsequent_message(message)) return Possession::decryption;
    if (is_agreement_possession(message)) {
        ESTUARY_CHECK(verify_agreement_possession(message, receiver.possession));
        return Possession::key_agreement;
    }
    if (message.popo() && !std::holds_alternative<PopoSigningKey>(*message.popo()))
        return fail(Code::unsupported, "proof of possession by giving the private key, or by dhMAC, is not supported");
    ESTUARY_CHECK(verify_signature_possession(message, receiver.possession));
    return Possession::signature;
}

}  // namespace

Result<CertificationRequest> to_certification_request(const CertReqMsg& message, const Receiver& receiver) {
    if (has_replacement(message) && !receiver.from_registration_authority)
        return fail(Code::not_authorised, "regInfo: certReq is for registration authorities");
    ESTUARY_TRY(auto request, effective_request(message));
    if (find(request.controls, oid::alt_cert_template) != nullptr)
        return fail(Code::unsupported, "altCertTemplate: only X.509 certificates are issued");
    auto& wanted = request.cert_template;
    ESTUARY_CHECK(check_requestable(wanted, receiver.signing_alg));
    CertificationRequest::Parts parts;
    ESTUARY_TRY(parts.possession, check_possession(message, receiver));
    parts.der = to_vec(message.der());
    if (wanted.subject) parts.subject = std::move(*wanted.subject);
    parts.spki = receiver.generated_spki.empty() ? std::move(*wanted.public_key) : to_vec(receiver.generated_spki);
    parts.extensions = std::move(wanted.extensions);
    if (wanted.validity) {
        parts.not_before = wanted.validity->not_before;
        parts.not_after = wanted.validity->not_after;
    }
    return CertificationRequest::make(std::move(parts));
}

}  // namespace estuary::x509::crmf
