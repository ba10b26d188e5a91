#include "issuer.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "estuary/base/file.h"
#include "estuary/cms/certs_only.h"
#include "estuary/x509/distribution_point.h"
#include "estuary/x509/path.h"

namespace estuary::client {
namespace {

using x509::Certificate;

constexpr int fetched_path_max = 4;     // CAs that are fetched on the way to an anchor
constexpr std::size_t addresses_max = 4;  // of one certificate

/// RFC 5280 4.2.2.1: one certificate in DER, or a "certs-only" CMS message; PEM is found too.
Result<std::vector<Certificate>> certificates_in(Bytes octets) {
    if (auto certificates = x509::parse_certificates(octets)) return certificates;
    return cms::parse_certs_only(octets);
}

Result<std::vector<Certificate>> fetch_certificates(const std::string& uri, const ocsp::Fetch& fetch) {
    ESTUARY_TRY(const auto url, http::Url::parse(uri));
    ESTUARY_TRY(const auto answer, fetch(url, {"GET", {}, {}, {}}, ca_issuers_bytes_max));
    if (answer.status != 200)
        return fail(answer.status >= 500 ? Code::unavailable : Code::not_found, fmt::format("the server answers {}", answer.status));
    return certificates_in(as_bytes(answer.body));
}

Result<Certificate> choose(const Certificate& certificate, const std::vector<Certificate>& candidates) {
    Error last{Code::not_found, "the issuer's certificate is not at hand", {}, 0};
    for (const auto& candidate : candidates) {
        if (!candidate.subject().matches(certificate.issuer())) continue;
        auto issued = check_issued_by(certificate, candidate);
        if (issued) return candidate;
        last = std::move(issued).error();
    }
    return fail(std::move(last));
}

}  // namespace

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
    ESTUARY_TRY(const auto content, file::read(path));
    auto certificates = x509::parse_certificates(content);
    if (!certificates) return fail(in_context(path, std::move(certificates).error()));
    if (certificates->empty()) return fail(Code::malformed, path + " holds no certificate");
    return certificates;
}

Result<CertificateInput> read_certificate(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const bool is_directory = fs::is_directory(path, ignored);
    CertificateInput input;
    ESTUARY_TRY(auto chain, read_certificates(is_directory ? (fs::path{path} / "chain.pem").string() : path));
    input.certificate = chain.front();
    input.others.assign(chain.begin() + 1, chain.end());
    if (is_directory) {
        ESTUARY_TRY(input.anchors, read_certificates((fs::path{path} / "anchors.pem").string()));
    }
    return input;
}

Result<void> check_issued_by(const Certificate& certificate, const Certificate& issuer) {
    const auto name = issuer.subject().to_text();
    if (!issuer.subject().matches(certificate.issuer()))
        return fail(Code::not_found, fmt::format("the certificate was issued by {}, not by {}", certificate.issuer().to_text(), name));
    const auto usage = issuer.key_usage();
    const bool is_root_v1 = issuer.extensions().empty() && issuer.is_self_issued();
    if ((!issuer.is_ca() && !is_root_v1 && !(issuer == certificate)) || (usage && (*usage & x509::key_cert_sign) == 0 && issuer.is_ca()))
        return fail(Code::bad_proof, fmt::format("{} is no CA that may sign certificates", name));
    ESTUARY_TRY(const auto key, issuer.public_key());
    if (auto signed_by = certificate.verify_signed_by(key); !signed_by)
        return fail(Code::bad_proof, fmt::format("{} has the issuer's name, but did not sign the certificate", name),
                    signed_by.error().detail);
    return {};
}

Result<Certificate> find_issuer(const Certificate& certificate, std::vector<Certificate>& candidates, const ocsp::Fetch& fetch) {
    auto issuer = choose(certificate, candidates);
    if (issuer) return issuer;
    ESTUARY_TRY(const auto access, x509::authority_info_access(certificate.extensions()));
    std::string why;
    bool trouble = false;
    for (const auto& uri : std::span{access.ca_issuer_uris}.first(std::min(addresses_max, access.ca_issuer_uris.size()))) {
        auto fetched = fetch_certificates(uri, fetch);
        if (fetched) {
            candidates.insert(candidates.end(), fetched->begin(), fetched->end());
            if (auto found = choose(certificate, *fetched)) return found;
            else issuer = std::move(found);
            why += fmt::format("; {}: {}", uri, issuer.error().detail);
        } else {
            trouble = trouble || fetched.error().code == Code::unavailable;
            why += fmt::format("; {}: {}", uri, fetched.error().detail);
        }
    }
    if (why.empty()) why = issuer.error().code == Code::not_found ? ", and the certificate does not say where it is (caIssuers)" : "";
    return fail(Error{trouble ? Code::unavailable : issuer.error().code,
                      fmt::format("{}{}; give the certificate of {} with --issuer FILE", issuer.error().detail, why,
                                  certificate.issuer().to_text()),
                      issuer.error().cause, 0});
}

Result<Certificate> find_trusted_issuer(const Certificate& certificate, std::vector<Certificate>& candidates,
                                        const std::vector<Certificate>& anchors, const ocsp::Fetch& fetch, Time now) {
    const auto validate = [&] {
        return x509::validate_path(certificate, candidates, anchors, {.at = now, .required_ext_key_usage = {}});
    };
    auto path = validate();
    auto below = certificate;
    for (int fetched = 0; !path && fetched < fetched_path_max && !below.is_self_issued(); ++fetched) {
        const auto known = candidates.size();
        auto above = find_issuer(below, candidates, fetch);
        if (!above) break;
        below = *above;
        if (candidates.size() > known) path = validate();
    }
    if (!path) return fail(Error{Code::not_authenticated, "the certificate is not to be trusted: " + path.error().detail, path.error().cause, 0});
    // An anchor that is asked about itself has issued itself.
    return path->size() > 1 ? (*path)[1] : path->front();
}

}  // namespace estuary::client
