#include "tests/unit/ocsp/status_world.h"

namespace estuary::ocsp::test {

Party issue(Wanted wanted, const Party* issuer) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto& signing_key = issuer == nullptr ? key : issuer->key;
    const auto subject = x509::Name::from_text(wanted.subject).value();
    const auto algorithm = signing_key.signature_algorithm().value()->identifier;
    const auto key_id = [](Bytes spki) { return x509::key_identifier(spki).value(); };
    wanted.extensions.push_back(x509::make_subject_key_identifier(key_id(key.public_key().spki())));
    wanted.extensions.push_back(x509::make_authority_key_identifier(key_id(signing_key.public_key().spki())));
    const auto tbs = x509::encode_tbs({wanted.serial, algorithm, issuer == nullptr ? subject : issuer->certificate.subject(),
                                       wanted.not_before, wanted.not_after, subject, to_vec(key.public_key().spki()), wanted.extensions});
    const auto der = x509::encode_certificate(tbs, algorithm, signing_key.sign(tbs).value());
    return {x509::Certificate::parse(der).value(), key};
}

Party make_ca(const std::string& subject) {
    return issue({.subject = subject,
                  .serial = hex("01"),
                  .not_after = now + 3650 * day,
                  .extensions = {x509::make_basic_constraints({true, std::nullopt}),
                                 x509::make_key_usage(x509::key_cert_sign | x509::crl_sign)}});
}

std::vector<x509::Extension> pointers(bool ocsp, bool crl) {
    std::vector<x509::Extension> out;
    if (ocsp) out.push_back(x509::make_authority_info_access({ocsp_url}, {}));
    if (crl) out.push_back(x509::make_crl_distribution_points({crl_url}));
    return out;
}

ByteVec make_list(const Party& ca, const ListWanted& wanted) {
    x509::CrlTemplate list;
    list.issuer = ca.certificate.subject();
    list.signature_algorithm = ca.key.signature_algorithm().value()->identifier;
    list.this_update = wanted.this_update;
    list.next_update = wanted.next_update;
    list.number = x509::CrlNumber{wanted.number};
    list.authority_key_id = x509::key_identifier(ca.key.public_key().spki()).value();
    if (wanted.delta_base) list.delta_base = x509::CrlNumber{*wanted.delta_base};
    list.freshest_crl_uris = wanted.freshest;
    if (wanted.reasons) {
        list.scope.emplace();
        list.scope->only_some_reasons = wanted.reasons;
    }
    x509::CrlEncoder encoder{std::move(list)};
    for (const auto& [serial, reason] : wanted.entries) {
        const auto invalid = reason == x509::CrlReason::key_compromise ? std::optional{now - 3 * day} : std::nullopt;
        if (const auto added = encoder.add(hex(serial), now - 2 * day, reason, invalid); !added) ADD_FAILURE() << added.error().detail;
    }
    auto to_sign = std::move(encoder).finish();
    const auto signature = ca.key.sign(to_sign.tbs()).value();
    return std::move(to_sign).assemble(signature);
}

World::World() : device{issue({.extensions = pointers()}, &ca)} {
    issued["1234"] = {};
    put(crl_url, make_list(ca, {}));
    set_responder(ca);
}

void World::put(const std::string& url, Bytes octets, const std::string& type) {
    http::Response file;
    file.headers.add("Content-Type", type);
    file.body = as_text(octets);
    files[url] = std::move(file);
}

void World::set_responder(const Party& signer, bool echo_nonce) {
    ResponderConfig config;
    config.issuers.push_back({"ca", ca.certificate, {{signer.certificate, signer.key}}, true});
    config.echo_nonce = echo_nonce;
    responder_ = Responder::create(std::move(config), *this, clock).value();
    server_ = std::make_unique<Server>(ServerConfig{}, *responder_, clock);
}

Result<std::optional<CertificateState>> World::status(std::string_view, Bytes serial_number) {
    const auto found = issued.find(to_hex(serial_number));
    return found == issued.end() ? std::nullopt : std::optional{found->second};
}

Fetch World::fetch() {
    return [this](const http::Url& url, const http::Request& request, std::size_t body_bytes_max) -> Result<http::Response> {
        const bool to_responder = server_ && url.to_string() == ocsp_url;
        asked.push_back(request.method + " " + url.to_string());
        const auto file = files.find(url.to_string());
        if (file == files.end() && !to_responder) return fail(Code::unavailable, url.authority() + " refused the connection");
        auto response = file != files.end() ? file->second : server_->serve(request);
        if (response.body.size() > body_bytes_max) return fail(Code::too_large, "the answer cannot be used: too large");
        return response;
    };
}

}  // namespace estuary::ocsp::test
