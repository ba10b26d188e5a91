#include "tests/unit/ocsp/status_world.h"

namespace estuary::ocsp::relying_party {

std::vector<x509::Extension> pointers(bool ocsp, bool crl) {
    std::vector<x509::Extension> out;
    if (ocsp) out.push_back(x509::make_authority_info_access({ocsp_url}, {}));
    if (crl) out.push_back(x509::make_crl_distribution_points({crl_url}));
    return out;
}

ByteVec make_list(const Identity& ca, const ListWanted& wanted) {
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

void World::set_responder(const Identity& signer, bool echo_nonce) {
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

}  // namespace estuary::ocsp::relying_party
