#include "world.h"

namespace estuary::test {
namespace {

std::vector<x509::Extension> extensions_of(const Wanted& wanted) {
    auto extensions = wanted.extensions;
    if (wanted.ca) extensions.push_back(x509::make_basic_constraints({true, std::nullopt}));
    if (wanted.key_usage) extensions.push_back(x509::make_key_usage(*wanted.key_usage));
    if (wanted.ocsp_signing) extensions.push_back(x509::make_ext_key_usage({x509::oid::kp_ocsp_signing}));
    if (wanted.nocheck) extensions.push_back(x509::make_ocsp_no_check());
    if (!wanted.ocsp_uri.empty()) extensions.push_back(x509::make_authority_info_access({wanted.ocsp_uri}, {}));
    return extensions;
}

}  // namespace

Identity issue(const Wanted& wanted, const Identity* issuer) {
    const auto key = crypto::PrivateKey::generate(wanted.key_type).value();
    const auto& signing_key = issuer == nullptr ? key : issuer->key;
    const auto subject = x509::Name::from_text(wanted.subject).value();
    const auto algorithm = signing_key.signature_algorithm().value()->identifier;
    const auto spki = key.public_key().spki();
    auto extensions = extensions_of(wanted);
    extensions.push_back(x509::make_subject_key_identifier(x509::key_identifier(spki).value()));
    const auto issuer_spki = issuer == nullptr ? to_vec(spki) : to_vec(issuer->certificate.spki());
    extensions.push_back(x509::make_authority_key_identifier(x509::key_identifier(issuer_spki).value()));
    const auto tbs = x509::encode_tbs({wanted.serial, algorithm, issuer == nullptr ? subject : issuer->certificate.subject(),
                                       wanted.not_before, wanted.not_after, subject, to_vec(spki), extensions});
    const auto der = x509::encode_certificate(tbs, algorithm, signing_key.sign(tbs).value());
    return {x509::Certificate::parse(der).value(), key};
}

Identity make_ca(const std::string& subject, const std::string& key_type) {
    return issue({.subject = subject,
                  .key_type = key_type,
                  .serial = hex("01"),
                  .not_after = now + 3650 * day,
                  .ca = true,
                  .key_usage = x509::key_cert_sign | x509::crl_sign});
}

Identity make_responder(const Identity& ca, Wanted wanted) {
    if (wanted.subject == Wanted{}.subject) wanted.subject = "CN=Test Responder";
    wanted.serial = hex("02");
    wanted.ocsp_signing = wanted.nocheck = true;
    wanted.key_usage = x509::digital_signature;
    return issue(wanted, &ca);
}

Result<std::optional<ocsp::CertificateState>> States::status(std::string_view issuer, Bytes serial_number) {
    ++asked;
    if (error) return fail(*error);
    const auto found = known.find({std::string{issuer}, to_hex(serial_number)});
    const auto state = found == known.end() ? std::nullopt : std::optional{found->second};
    before_answering();
    return state;
}

World::World(std::function<void(ocsp::ResponderConfig&)> change) {
    states.known[{"ca", "1234"}] = {};
    ocsp::ResponderConfig config;
    config.issuers.push_back({"ca", ca.certificate, {delegate.signer()}, false});
    change(config);
    responder = ocsp::Responder::create(std::move(config), states, clock).value();
}

void World::revoke(const x509::Certificate& certificate, store::RevocationReason reason) {
    store::Revocation revocation;
    revocation.at = clock.now();
    revocation.reason = reason;
    states.known[{"ca", certificate.serial_hex()}] = {revocation};
}

ocsp::CertId World::id(ocsp::Hash hash) const { return ocsp::CertId::of(device.certificate, ca.certificate, hash).value(); }

ocsp::CertId World::id_of(std::string_view serial_hex, ocsp::Hash hash) const {
    const auto hashes = ocsp::issuer_hashes(ca.certificate.subject(), ca.certificate.spki(), hash).value();
    return ocsp::CertId::make(hash, hashes, hex(serial_hex));
}

ByteVec World::request(std::optional<Bytes> nonce, ocsp::Hash hash) const {
    return ocsp::make_request(device.certificate, ca.certificate, nonce, hash).value();
}

ByteVec request_for(std::vector<ocsp::CertId> ids, std::optional<ByteVec> nonce) {
    ocsp::Request request;
    request.certificates = std::move(ids);
    request.nonce = std::move(nonce);
    return ocsp::encode_request(request);
}

ocsp::BasicResponse parsed(const ocsp::AnswerPtr& answer) {
    auto response = ocsp::Response::parse(answer->der).value();
    return std::move(response.basic).value();
}

}  // namespace estuary::test
