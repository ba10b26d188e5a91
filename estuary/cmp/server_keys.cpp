// Keys that are made here (RFC 9483 4.1.6): the request has no public key, and the answer has a private one, for its requester only.
#include "estuary/authority/key_generation.h"
#include "estuary/cmp/server_envelope.h"
#include "estuary/cmp/server_impl.h"

namespace estuary::cmp {
namespace {

namespace crmf = x509::crmf;

}  // namespace

Checked<std::variant<Server::Impl::Made, Seconds>> Server::Impl::make_key(Exchange& exchange, const PkiMessage& original, const Asked& asked,
                                                                         bool implicit) {
    const auto& label = exchange.label;
    const auto& wanted = asked.message->cert_req().cert_template;
    if (!label.config.generate_keys) return refuse(PkiFailure::bad_cert_template, "the request has no public key, and keys are not made here");
    if (asked.message->popo()) return refuse(PkiFailure::bad_pop, "possession is claimed of a key that is yet to be made");
    if (original.header().pvno < cmp2021) return refuse(PkiFailure::bad_request, "a request for a key says pvno 3 (RFC 9483 4.1.6)");
    CMP_CHECK(check_template(exchange, *asked.message));
    // The private key is for who asked first, not for who stands in between (RFC 9483 5.2.3).
    const auto& proof = exchange.sender.principal.certificate;
    if (proof && proof->registration_authority && !exchange.sender.approved)
        return refuse(PkiFailure::not_authorized, "keys are made for the requester itself, not for a registration authority");
    CMP_CHECK(check_recipient(exchange.sender));

    const bool update = original.type() == BodyType::kur;
    authority::KeyRequest request;
    request.verb = update ? authority::Verb::renew : authority::Verb::enroll;
    request.profile = asked.profile;
    request.label = label.recorded;
    request.request.der = to_vec(asked.message->der());
    request.request.subject = *wanted.subject;
    if (wanted.public_key) request.request.spki = *wanted.public_key;
    request.request.extensions = wanted.extensions;
    if (wanted.validity) {
        request.request.not_before = wanted.validity->not_before;
        request.request.not_after = wanted.validity->not_after;
    }
    request.principal = exchange.sender.principal;
    if (!implicit) request.confirm_within = label.config.confirm_wait;
    request.transaction_id = *original.header().transaction_id;
    ByteVec envelope;
    request.deliver = [&](const crypto::PrivateKey& key) -> Result<void> {
        ESTUARY_TRY(envelope, envelope_with_key(key, *label.key_generator, exchange.sender));
        return {};
    };
    CMP_TRY(auto outcome, authority_.enroll_with_new_key(request, exchange.work));
    if (const auto* pending = std::get_if<authority::Pending>(&outcome))
        return std::variant<Made, Seconds>{std::max(pending->retry_after, Seconds{1})};
    auto& issued = std::get<authority::NewKey>(outcome);
    Made made{issued.certificate, issued.ca, {}, false};
    made.pair.cert_or_enc_cert = CmpCertificate{issued.certificate};
    made.pair.private_key = crmf::EncryptedKey{crmf::EnvelopedKey{std::move(envelope)}};
    return std::variant<Made, Seconds>{std::move(made)};
}

}  // namespace estuary::cmp
