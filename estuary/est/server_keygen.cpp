// /serverkeygen (RFC 7030 4.4).
#include <fmt/format.h>

#include "estuary/authority/key_generation.h"
#include "estuary/cms/key_package.h"
#include "estuary/est/keygen.h"
#include "estuary/est/linking.h"
#include "estuary/est/server_impl.h"

namespace estuary::est {
namespace {

using authority::Principal;

constexpr std::uint32_t receiving = x509::key_encipherment | x509::key_agreement;

/// Whom the private key is encrypted to, and how; neither: it leaves as it is, under TLS.
struct Recipient {
    std::optional<cms::SharedKey> shared;
    std::optional<x509::Certificate> certificate;
    cms::Encipherment encipherment;
};

Result<x509::CertificationRequest::Parts> read_request_without_key(const http::Request& request) {
    ESTUARY_TRY(const auto der, decode_body(request.body, pem_request));
    return x509::parse_request_without_key(der);
}

/// Who shows a certificate of this very label renews it; who comes with anything else enrolls (RFC 7030 4.4.1: as for any enroll or
/// re-enroll request). A registration authority enrolls others.
bool renews(const Principal& principal, const Label& label, std::string_view ca) {
    if (principal.credential || !principal.certificate) return false;
    const auto& proof = *principal.certificate;
    return proof.issued_by_ca == ca && proof.profile == label.profile && proof.label == label.name && !proof.registration_authority;
}

/// "If the server does not have [that key] … the request MUST be terminated" (RFC 7030 4.4.1.1, 4.4.1.2): all is settled before there
/// is a key to protect.
Result<Recipient> recipient_of(const KeyDelivery& delivery, const authority::KeyUser& user, authority::Authority& authority) {
    Recipient out;
    if (delivery.shared_key) {
        ESTUARY_TRY(auto key, authority.shared_decryption_key(*delivery.shared_key, user));
        ESTUARY_TRY(out.encipherment, cms::encipherment_for_shared_key(delivery.capabilities, key.reveal().size()));
        out.shared = cms::SharedKey{*delivery.shared_key, std::move(key)};
    }
    if (delivery.certified_key) {
        ESTUARY_TRY(auto certificate, authority.decryption_certificate(*delivery.certified_key, user));
        if (const auto usage = certificate.key_usage(); usage && (*usage & receiving) == 0)
            return fail(Code::bad_key, "the certificate of the key that the request names allows neither keyEncipherment nor keyAgreement");
        ESTUARY_TRY(const auto key, certificate.public_key());
        ESTUARY_TRY(out.encipherment, cms::encipherment_for(delivery.capabilities, key));
        out.certificate = std::move(certificate);
    }
    return out;
}

/// SignedData by who made the key, inside of EnvelopedData (RFC 7030 4.4.2, RFC 5958 4).
Result<crypto::Secret> encrypt(const crypto::PrivateKey& key, const KeyGenerator& generator, const Recipient& recipient) {
    std::vector<Bytes> certificates;
    for (const auto& certificate : generator.chain) certificates.push_back(certificate.der());
    const cms::Signer signer{generator.key, cms::Identifier::by_issuer(generator.chain.front())};
    ESTUARY_TRY(const auto package, cms::sign_key_package(key, signer, certificates));
    cms::EnvelopedDataBuilder message{cms::oid::signed_data, package.reveal()};
    message.cipher(recipient.encipherment.cipher);
    if (recipient.shared) message.recipient(*recipient.shared);
    if (recipient.certificate) message.recipient(*recipient.certificate, recipient.encipherment.padding);
    ESTUARY_TRY(auto der, message.build());
    return crypto::Secret{std::move(der)};
}

}  // namespace

/// What the request asks of the delivery, against what this label gives.
Result<KeyDelivery> Server::Impl::delivery_for(const LabelState& label, const std::vector<x509::Attribute>& attributes) const {
    ESTUARY_TRY(auto delivery, key_delivery_of(attributes));
    if (label.config.serverkeygen_encrypted && !delivery.encrypted())
        return fail(Code::policy, "private keys leave here encrypted only: name a key by DecryptKeyIdentifier or "
                                  "AsymmetricDecryptKeyIdentifier (RFC 7030 4.4.1)");
    if (delivery.encrypted() && !config_.key_generators.contains(label.ca))
        return fail(Code::unsupported, "private keys cannot be encrypted here", "no key generator for CA " + label.ca);
    return delivery;
}

Result<http::Response> Server::Impl::make_key(const LabelState& label, const Principal& who, const http::Request& request,
                                              const http::Peer& peer, store::UnitOfWork& work) {
    ESTUARY_TRY(auto asked, read_request_without_key(request));
    ESTUARY_TRY(const auto linking, linking_of(asked.attributes, peer.bindings));
    ESTUARY_CHECK(check_one_time_password(asked.attributes, who));
    ESTUARY_TRY(const auto delivery, delivery_for(label, asked.attributes));
    ESTUARY_TRY(const auto recipient, recipient_of(delivery, {who, label.ca, asked.subject}, authority_));
    authority::KeyRequest wanted;
    wanted.verb = renews(who, label.config, label.ca) ? authority::Verb::renew : authority::Verb::enroll;
    wanted.profile = label.config.profile;
    wanted.label = label.config.name;
    wanted.request = std::move(asked);
    wanted.principal = who;
    wanted.linking = linking;
    wanted.linking_required = label.config.linking_required;
    KeyPart part;
    part.encrypted = delivery.encrypted();
    wanted.deliver = [&](const crypto::PrivateKey& key) -> Result<void> {
        ESTUARY_TRY(part.der, part.encrypted ? encrypt(key, config_.key_generators.find(label.ca)->second, recipient)
                                             : cms::encode_private_key(key));
        return {};
    };
    ESTUARY_TRY(const auto outcome, authority_.enroll_with_new_key(wanted, work));
    if (const auto* pending = std::get_if<authority::Pending>(&outcome)) return pending_response(*pending);
    return write_key_answer(part, std::get<authority::NewKey>(outcome).certificate);
}

http::Response Server::Impl::serverkeygen(const LabelState& label, const http::Request& request, const http::Peer& peer,
                                          store::UnitOfWork& work) {
    const auto& allowed = label.config.serverkeygen;
    if (!allowed.anything()) return http::text_response(404, "serverkeygen is not offered here.");
    if (request.method != "POST") return wrong_method("POST");
    auto who = authenticator_.authenticate({allowed, label.config.name, label.ca}, request, peer);
    if (!who) {
        log_login(request, peer, label.config.name, who.error().status);
        return std::move(who).error();
    }
    if (auto wrong = wrong_media_type(request)) return std::move(*wrong);
    auto response = make_key(label, *who, request, peer, work);
    if (response) return std::move(*response);
    log_refusal("serverkeygen", label.config.name, *who, response.error());
    return authenticator_.refuse(allowed, response.error());
}

}  // namespace estuary::est
