// OCSP requests made by OpenSSL, sent over plain HTTP.
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include "cases.h"
#include "estuary/base/encoding.h"

namespace estuary::load {
namespace {

using Bio = Handle<BIO, BIO_free_all>;
using Cert = Handle<X509, X509_free>;
using Request = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;

Cert certificate_of(const std::string& pem) {
    const Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    Cert certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!certificate) throw std::runtime_error{"not a certificate"};
    return certificate;
}

std::string ocsp_request(const X509& certificate, const X509& issuer, bool nonce) {
    const Request request{OCSP_REQUEST_new()};
    OCSP_request_add0_id(request.get(), OCSP_cert_to_id(EVP_sha1(), &certificate, &issuer));
    if (nonce) OCSP_request_add1_nonce(request.get(), nullptr, 32);
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request.get(), &der);
    std::string octets{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return octets;
}

/// Base64 in a path: "+", "/" and "=" percent-encoded.
std::string in_path(const std::string& base64) {
    std::string text;
    for (const char c : base64) text += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string{c};
    return text;
}

Measured exchange_all(const Target& target, const Address& status, std::string name, const std::vector<std::string>& requests, unsigned count) {
    return run(target, std::move(name), count, [&] {
        auto connection = std::make_shared<Connection>(status);
        return [&requests, connection](unsigned i) { expect_200(connection->exchange(requests[i % requests.size()])); };
    });
}

}  // namespace

std::vector<std::string> ocsp_requests(const Target& target, const std::string& issuer_pem, unsigned count) {
    const auto issuer = certificate_of(issuer_pem);
    const auto certificate = certificate_of(enrolled(target, "CN=load-ocsp"));
    std::vector<std::string> prepared;
    for (unsigned i = 0; i < count; ++i) {
        const auto body = ocsp_request(*certificate, *issuer, true);
        prepared.push_back(fmt::format("POST /ocsp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/ocsp-request\r\n"
                                       "Content-Length: {}\r\n\r\n{}",
                                       body.size(), body));
    }
    return prepared;
}

Measured ocsp_on_demand(const Target& target, const Address& status, const std::string& issuer_pem, const Floor& floor, unsigned requests) {
    auto measured = exchange_all(target, status, "ocsp on demand", ocsp_requests(target, issuer_pem, requests), requests);
    measured.floor_us = floor.sign_us;
    return measured;
}

Measured ocsp_presigned(const Target& target, const Address& status, const std::string& issuer_pem, unsigned certificates, unsigned requests) {
    const auto issuer = certificate_of(issuer_pem);
    std::vector<std::string> prepared;
    Connection first{status};
    for (unsigned i = 0; i < certificates; ++i) {
        const auto certificate = certificate_of(enrolled(target, fmt::format("CN=load-ocsp-{}", i)));
        const auto octets = ocsp_request(*certificate, *issuer, false);
        prepared.push_back(fmt::format("GET /ocsp/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", in_path(to_base64(as_bytes(octets)))));
        expect_200(first.exchange(prepared.back()));  // signed now
    }
    return exchange_all(target, status, "ocsp presigned (GET)", prepared, requests);
}

}  // namespace estuary::load
