// Who sent a PKIData: the certificate that it is signed with, a shared secret, or what the transport proved (RFC 10002 3.2, 6.2).
#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/cmc/server_impl.h"

namespace estuary::cmc {
namespace {


/// The key of a certification request, and the name that its signer has by it (3.2).
struct RequestKey {
    Bytes wanted;  ///< SubjectKeyIdentifier
    std::optional<ByteVec> spki = {};

    bool take(const std::vector<x509::Extension>& extensions, Bytes key) {
        const auto* extension = x509::find(extensions, x509::oid::subject_key_identifier);
        if (extension == nullptr) return false;
        const auto identifier = x509::parse_subject_key_identifier(extension->value);
        if (!identifier || !same(*identifier, wanted)) return false;
        spki = to_vec(key);
        return true;
    }

    void look_into(const TaggedRequest& request) {
        if (request.kind == TaggedRequest::Kind::tcr) {
            if (const auto unproven = x509::parse_unproven(request.der)) take(unproven->parts.extensions, unproven->parts.spki);
        } else if (request.kind == TaggedRequest::Kind::crm) {
            const auto message = x509::crmf::CertReqMsg::parse(request.der);
            if (message && message->cert_req().cert_template.public_key)
                take(message->cert_req().cert_template.extensions, *message->cert_req().cert_template.public_key);
        }
    }
};

//= https://www.rfc-editor.org/rfc/rfc5272#section-3.2
//# The value of the subjectKeyIdentifier form of SignerInfo MUST be the Subject Key Identifier specified in the corresponding
//# certification request.
std::optional<ByteVec> key_of_request(const PkiData& data, const cms::SignerInfo& signer) {
    if (!signer.identifier.is_by_key()) return {};
    RequestKey key{signer.identifier.key_identifier};
    for (const auto& request : data.requests) {
        key.look_into(request);
        if (key.spki) return key.spki;
    }
    return {};
}

tl::unexpected<Failure> bad_signature(const Error& error) {
    return tl::unexpected(Failure::of(error, FailInfo::bad_message_check));
}

tl::unexpected<Failure> bad_identity(std::string text, std::vector<BodyPartId> parts, std::string cause = {}) {
    return refuse(FailInfo::bad_identity, Code::not_authenticated, std::move(text), std::move(parts), std::move(cause));
}

}  // namespace

bool may_vouch(const Endpoint& endpoint, const Transport& transport) {
    return endpoint.transport || transport.principal.operator_;
}

/// badTime where the endpoint wants clocks to agree; badMessageCheck for anything wrong with the signature.
Checked<void> Processor::check_signer(const cms::SignedData& data, const cms::SignerInfo& signer, const crypto::PublicKey& key) {
    if (const auto verified = verify(data, signer, key); !verified) return bad_signature(verified.error());
    const auto& tolerance = endpoint_.config.signing_time_tolerance;
    if (!tolerance) return {};
    const auto stated = signer.signing_time();
    if (!stated) return bad_signature(stated.error());
    if (!*stated) return {};
    const auto off = **stated > now_ ? **stated - now_ : now_ - **stated;
    if (off > *tolerance)
        return refuse(FailInfo::bad_time, Code::policy, fmt::format("signingTime is {} seconds off", off.count()));
    return {};
}

/// From the message, or else from the store: a certificate of ours need not be sent.
std::optional<x509::Certificate> Processor::certificate_of(const cms::SignedData& data, const cms::SignerInfo& signer) {
    if (const auto* certificate = data.certificate_of(signer)) return *certificate;
    if (signer.identifier.is_by_key() || !is_own_ca(signer.identifier.issuer)) return {};
    const auto record =
        services_.store.certificate(endpoint_.ca, authority::without_leading_zeros(signer.identifier.serial_number));
    if (!record || !*record) return {};
    auto certificate = x509::Certificate::parse((*record)->der);
    if (!certificate || !signer.identifier.names(*certificate)) return {};
    return std::move(*certificate);
}

/// Whether a signer counts at this endpoint: its CA, its kind, its label (bug classes 2, 7, 8).
Checked<authority::CertificateProof> Processor::accept_signer(const x509::Certificate& certificate, const cms::SignedData& data) {
    auto proof = services_.authority.authenticate_signer(certificate, data.certificates());
    if (!proof) return bad_identity(proof.error().detail, {}, proof.error().cause);
    const auto& config = endpoint_.config;
    bool counts = false;
    if (!proof->manufacturer.empty()) {
        counts = std::ranges::find(config.manufacturers, proof->manufacturer) != config.manufacturers.end();
    } else if (proof->issued_by_ca == endpoint_.ca) {
        const bool of_label = std::ranges::find(config.ra_labels, proof->label) != config.ra_labels.end();
        counts = proof->registration_authority ? config.registration_authority && of_label : config.certificate;
    }
    if (!counts) return bad_identity("the signer's certificate is valid, but not of a kind that is accepted here", {});
    return std::move(*proof);
}

Checked<Identity> Processor::identify(const Unwrapped& message, const Layer& layer) {
    for (const auto& outer : message.outer) {
        for (const auto& signer : outer.signers()) {
            const auto certificate = certificate_of(outer, signer);
            if (!certificate)
                return refuse(FailInfo::bad_message_check, Code::bad_proof, "the outer signer's certificate is missing");
            const auto key = certificate->public_key();
            if (!key) return bad_signature(key.error());
            if (auto checked = check_signer(outer, signer, *key); !checked) return tl::unexpected(std::move(checked).error());
        }
    }
    Identity identity;
    identity.principal.address = transport_.principal.address;
    const auto& data = message.signed_data;
    bool key_of_its_own = false, no_signature = false;
    for (const auto& signer : data.signers()) {
        if (const auto certificate = certificate_of(data, signer)) {
            const auto key = certificate->public_key();
            if (!key) return bad_signature(key.error());
            if (auto checked = check_signer(data, signer, *key); !checked) return tl::unexpected(std::move(checked).error());
            signature_holds_ = true;
            auto proof = accept_signer(*certificate, data);
            if (!proof) return tl::unexpected(std::move(proof).error());
            if (identity.signer) continue;  // others vouch as well; the first one is who asks
            identity.signer = *certificate;
            identity.principal.certificate = std::move(*proof);
            identity.covers_controls = true;
            continue;
        }
        // "If the request key is used for signing, there MUST be only one SignerInfo" (3.2).
        const auto spki = key_of_request(layer.data, signer);
        if (!spki || data.signers().size() != 1)
            return refuse(FailInfo::bad_message_check, Code::bad_proof,
                          "the signer's certificate is missing, and no request in the message has its key identifier");
        if (has_no_signature(signer)) {
            no_signature = true;
            continue;
        }
        const auto key = crypto::PublicKey::from_spki(*spki);
        if (!key) return bad_signature(key.error());
        if (auto checked = check_signer(data, signer, *key); !checked) return tl::unexpected(std::move(checked).error());
        signature_holds_ = key_of_its_own = true;
    }
    if (auto proved = prove_by_secret(layer, identity); !proved) return tl::unexpected(std::move(proved).error());
    // The MAC is over the requests, the signer's key is in one of them, and its signature is over everything.
    if (identity.secret && key_of_its_own) identity.covers_controls = true;
    const bool signed_at_all = !data.signers().empty() && !no_signature;
    if (identity.principal.anonymous() && may_vouch(endpoint_.config, transport_)) {
        identity.principal = transport_.principal;
        identity.covers_controls = !identity.principal.anonymous() && transport_.covers_message;
    }
    if (!signed_at_all && !no_signature && !layer.data.requests.empty())
        return refuse(FailInfo::bad_message_check, Code::bad_proof, "the message is not signed");
    return identity;
}

/// Whether a registration authority around says that it checked this identity proof (6.20).
bool Processor::is_witnessed(const Layer& layer, BodyPartId control) const {
    return std::ranges::any_of(layer.assertions, [&](const Assertion& assertion) {
        return std::holds_alternative<RaIdentityWitness>(*assertion.control) &&
               (assertion.rest.empty() || assertion.rest == BodyPartPath{control});
    });
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.2.1
//# If a server fails the verification of an Identity Proof Version 2 control, the CMCFailInfo value MUST be present in the Full
//# PKI Response and MUST have a value of badIdentity.
Checked<void> Processor::prove_by_secret(const Layer& layer, Identity& identity) {
    const auto modern = layer.all<IdentityProofV2>();
    const auto old = layer.all<IdentityProof>();
    if (modern.empty() && old.empty()) return {};
    std::vector<BodyPartId> parts;
    for (const auto& [id, control] : modern) parts.push_back(id);
    for (const auto& [id, control] : old) parts.push_back(id);
    if (std::ranges::all_of(parts, [&](auto id) { return is_witnessed(layer, id); })) return {};
    if (!endpoint_.config.shared_secret) return bad_identity("shared secrets are not accepted here", parts);
    const auto* identification = layer.find<Identification>();
    if (identification == nullptr)
        return bad_identity("the identification control is missing, which names the shared secret", parts);
    const auto& name = identification->name;
    auto shared = services_.authority.shared_secret(name, protocol, transport_.principal.address);
    if (!shared) return tl::unexpected(Failure::of(shared.error()));
    const auto requests = layer.data.encode_requests();
    const SharedSecret with{shared->secret, name};
    const auto& limits = endpoint_.config.witnesses;
    const auto verified = [&]() -> Result<void> {
        for (const auto& [id, proof] : modern) ESTUARY_CHECK(verify(*proof, with, requests, limits));
        for (const auto& [id, proof] : old) ESTUARY_CHECK(verify(*proof, with, requests, limits));
        return {};
    }();
    if (!verified) {
        services_.authority.proof_failed(name, transport_.principal.address);
        return bad_identity("the identity proof is wrong", parts, verified.error().detail);
    }
    if (shared->proof.name.empty()) return bad_identity("the identity proof is wrong", parts);  // nobody has that secret
    identity.principal.credential = std::move(shared->proof);
    identity.secret = std::move(shared->secret);
    return {};
}

}  // namespace estuary::cmc
