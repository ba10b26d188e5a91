#include "estuary/est/client.h"

#include <algorithm>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/cms/certs_only.h"
#include "estuary/est/client_answer.h"

namespace estuary::est {
namespace {

using Certificates = std::vector<x509::Certificate>;

/// "application/x-pkcs7-mime" is what older servers call it.
Result<Certificates> read_certificates(const http::Response& response) {
    ESTUARY_CHECK(check_media_type(response, {media_pkcs7, "application/x-pkcs7-mime"}));
    ESTUARY_TRY(const auto der, decode_body(response.body, pem_pkcs7));
    ESTUARY_TRY(auto certificates, cms::parse_certs_only(der));
    if (certificates.empty()) return fail(Code::malformed, "the server's answer holds no certificate");
    return certificates;
}

}  // namespace

Client::Client(Exchange exchange, std::string host, std::string base_path, const Clock& clock)
    : exchange_{std::move(exchange)}, host_{std::move(host)}, base_path_{std::move(base_path)}, clock_{clock} {
    while (base_path_.ends_with('/')) base_path_.pop_back();
}

void Client::set_credentials(HttpCredentials credentials) {
    credentials_ = std::move(credentials);
    challenge_.reset();
    nonce_count_ = 0;
}

http::Request Client::request_for(std::string_view path) const {
    http::Request request;
    request.target = base_path_ + "/" + std::string{path};
    request.headers.add("Host", host_);
    request.method = "GET";
    return request;
}

Result<Answer<Certificates>> Client::ca_certificates() {
    auto request = request_for(to_string(Operation::cacerts));
    request.headers.add("Accept", std::string{media_pkcs7});
    ESTUARY_TRY(const auto response, send(std::move(request)));
    ESTUARY_TRY(const auto reply, read_reply(response, false, clock_.now()));
    if (reply.wait) return Answer<Certificates>{*reply.wait};
    if (reply.redirect) return Answer<Certificates>{*reply.redirect};
    if (reply.nothing) return fail(Code::malformed, "the server answered 204 where CA certificates were expected");
    auto certificates = read_certificates(response);
    if (!certificates) return fail(in_answer(std::move(certificates).error()));
    return Answer<Certificates>{std::move(*certificates)};
}

Result<Answer<CsrAttrs>> Client::csr_attributes() {
    auto request = request_for(to_string(Operation::csrattrs));
    request.headers.add("Accept", std::string{media_csrattrs});
    ESTUARY_TRY(const auto response, send(std::move(request)));
    // RFC 7030 4.5.2: 204 and 404 both say that there is nothing to ask.
    if (response.status == 404) return Answer<CsrAttrs>{CsrAttrs{}};
    ESTUARY_TRY(const auto reply, read_reply(response, false, clock_.now()));
    if (reply.wait) return Answer<CsrAttrs>{*reply.wait};
    if (reply.redirect) return Answer<CsrAttrs>{*reply.redirect};
    if (reply.nothing || text::trim(response.body).empty()) return Answer<CsrAttrs>{CsrAttrs{}};
    ESTUARY_CHECK(check_media_type(response, {media_csrattrs}));
    ESTUARY_TRY(const auto der, decode_body(response.body, "CSR ATTRIBUTES"));
    auto attributes = CsrAttrs::parse(der);
    if (!attributes) return fail(in_answer(std::move(attributes).error()));
    return Answer<CsrAttrs>{std::move(*attributes)};
}

Result<Answer<x509::Certificate>> Client::enroll(Bytes request_der, bool renew) {
    ESTUARY_TRY(const auto certification, x509::SignedRequest::parse(request_der));
    auto request = request_for(to_string(renew ? Operation::simplereenroll : Operation::simpleenroll));
    request.method = "POST";
    request.headers.add("Accept", std::string{media_pkcs7});
    request.headers.add("Content-Type", std::string{media_pkcs10});
    request.headers.add("Content-Transfer-Encoding", "base64");
    request.body = to_base64_lines(request_der);
    ESTUARY_TRY(const auto response, send(std::move(request)));
    ESTUARY_TRY(const auto reply, read_reply(response, true, clock_.now()));
    if (reply.wait) return Answer<x509::Certificate>{*reply.wait};
    if (reply.redirect) return Answer<x509::Certificate>{*reply.redirect};
    if (reply.nothing) return fail(Code::malformed, "the server answered 204 where a certificate was expected");
    auto certificates = read_certificates(response);
    if (!certificates) return fail(in_answer(std::move(certificates).error()));
    ESTUARY_TRY(auto issued, pick_issued(*certificates, certification.spki()));
    return Answer<x509::Certificate>{std::move(issued)};
}

}  // namespace estuary::est
