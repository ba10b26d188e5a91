// Requests and how they travel.
#include <fmt/format.h>

#include "estuary/http/grammar.h"
#include "estuary/ocsp/server.h"
#include "estuary/ocsp/verify.h"
#include "estuary/x509/distribution_point.h"

namespace estuary::ocsp {
namespace {

constexpr std::size_t get_url_octets_max = 255;  // RFC 5019 section 5

}  // namespace

Result<ByteVec> make_request(const x509::Certificate& certificate, const x509::Certificate& issuer, std::optional<Bytes> nonce,
                             Hash hash) {
    if (nonce && (nonce->empty() || nonce->size() > nonce_octets_max))
        return fail(Code::malformed, "a nonce has 1 to 128 octets");
    Request request;
    ESTUARY_TRY(auto id, CertId::of(certificate, issuer, hash));
    request.certificates.push_back(std::move(id));
    if (nonce) request.nonce = to_vec(*nonce);
    return encode_request(request);
}

ByteVec make_nonce_octets(crypto::Entropy& entropy) {
    ByteVec nonce(nonce_octets);
    entropy.fill(nonce);
    return nonce;
}

Result<http::Request> make_http_request(std::string_view url, Bytes request_der) {
    ESTUARY_TRY(const auto parsed, http::Url::parse(url));
    const auto path = parsed.path.empty() ? std::string{"/"} : parsed.path;
    const auto encoded = encode_get_path(request_der);
    const std::string slash = path.ends_with('/') ? "" : "/";
    http::Request request;
    request.headers.add("Accept", std::string{media_response});
    const auto base = parsed.to_string();
    // A query cannot be gone on with.
    const bool fits = base.size() + slash.size() + encoded.size() <= get_url_octets_max && path.find('?') == std::string::npos;
    request.method = fits ? "GET" : "POST";
    request.target = fits ? path + slash + encoded : path;
    if (!fits) {
        request.headers.add("Content-Type", std::string{media_request});
        request.body = as_text(request_der);
    }
    return request;
}

Result<Bytes> response_octets(const http::Response& response) {
    if (response.status >= 500)
        return fail(Code::unavailable, fmt::format("the OCSP responder answers {}: try again later", response.status));
    if (response.status != 200)
        return fail(Code::unsupported, fmt::format("the OCSP responder answers {}, not 200", response.status));
    const auto value = response.headers.find("Content-Type");
    const auto type = value ? http::MediaType::parse(*value) : fail(Code::malformed, "no Content-Type");
    if (!type || type->type != media_response)
        return fail(Code::unsupported, fmt::format("the answer is not {}", media_response));
    return as_bytes(response.body);
}

Result<std::vector<std::string>> responder_uris(const x509::Certificate& certificate) {
    std::vector<std::string> uris;
    ESTUARY_TRY(const auto access, x509::authority_info_access(certificate.extensions()));
    std::ranges::copy_if(access.ocsp_uris, std::back_inserter(uris),
                         [](const std::string& uri) { return uri.starts_with("http://") || uri.starts_with("https://"); });
    return uris;
}

}  // namespace estuary::ocsp
