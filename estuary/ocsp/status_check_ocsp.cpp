// What an OCSP responder says.
#include <algorithm>

#include <fmt/format.h>

#include "estuary/ocsp/status_check.h"
#include "estuary/ocsp/verify.h"
#include "estuary/x509/distribution_point.h"

namespace estuary::ocsp {
namespace {

/// Responders differ in what they understand: SHA-1 alone (RFC 5019), or no nonce.
struct Manner {
    Hash hash;
    bool nonce;
};
std::vector<Manner> manners(NonceUse use) {
    if (use == NonceUse::left_out) return {{Hash::sha256, false}, {Hash::sha1, false}};
    std::vector<Manner> all{{Hash::sha256, true}, {Hash::sha1, true}};
    if (use == NonceUse::offered) all.push_back({Hash::sha1, false});
    return all;
}

/// Errors that another manner of asking may avoid.
bool is_worth_another(Code code) {
    return code == Code::conflict || code == Code::not_authorised || code == Code::not_found;
}

Standing standing_of(const CertStatus& status) {
    switch (status.kind) {
        case CertStatus::Kind::good: return Standing::good;
        case CertStatus::Kind::revoked: return Standing::revoked;
        case CertStatus::Kind::unknown: return Standing::unknown;
    }
    return Standing::unknown;
}

/// invalidityDate, which is a CRL entry's but may stand in a single response (RFC 6960 4.4.5).
std::optional<Time> invalidity_date(Bytes response_der, const x509::Certificate& certificate) {
    const auto response = Response::parse(response_der);
    if (!response || !response->basic) return {};
    for (const auto& single : response->basic->data.responses) {
        const auto* extension = x509::find(single.extensions, x509::oid::invalidity_date);
        if (extension == nullptr || !same(single.id.serial_number(), certificate.serial_number())) continue;
        der::Reader reader{extension->value};
        if (const auto time = reader.generalized_time(); time && reader.empty()) return *time;
    }
    return {};
}

Finding finding_of(const CertificateStatus& said, const std::string& url) {
    Finding finding;
    finding.standing = standing_of(said.status);
    finding.revoked_at = said.status.revoked_at;
    if (said.status.reason)
        finding.reason = x509::crl_reason(static_cast<std::uint8_t>(*said.status.reason)).value_or(x509::CrlReason::unspecified);
    finding.by_ocsp = true;
    finding.source = url;
    finding.signer = said.signer.subject().to_text();
    finding.this_update = said.this_update;
    finding.next_update = said.next_update;
    finding.nonce_matched = said.nonce_matched;
    // RFC 6960 2.2: the way to say revoked of what was never issued.
    if (finding.standing == Standing::revoked && finding.revoked_at == Time{} &&
        finding.reason == x509::CrlReason::certificate_hold)
        finding.notes.push_back("revoked on hold since 1970 is what responders say of certificates that were never issued");
    return finding;
}

/// An expired certificate is good only as far back as the responder remembers (RFC 6960 4.4.4).
Result<void> check_remembered(const CertificateStatus& said, const x509::Certificate& certificate, Time now) {
    const bool expired = certificate.not_after() < now;
    if (said.status.kind != CertStatus::Kind::good || !expired) return {};
    if (said.archive_cutoff && *said.archive_cutoff <= certificate.not_after()) return {};
    return fail(Code::unsupported, "the certificate has expired, and the responder does not say that it remembers those");
}

/// RFC 6960 4.2.2.2.1: by CRL, since asking it about itself proves nothing.
Result<void> check_responder(const x509::Certificate& signer, const Subject& subject, const StatusOptions& options,
                             const Fetch& fetch, Time now, Finding& finding) {
    Subject responder{signer, subject.issuer, subject.others, subject.anchors};
    StatusOptions by_crl;
    by_crl.age_max = options.age_max;
    by_crl.crl_bytes_max = options.crl_bytes_max;
    by_crl.list_source = options.list_source;
    std::vector<Attempt> attempts;
    const auto found = ask_crls(responder, by_crl, fetch, now, attempts);
    if (found && found->standing == Standing::revoked)
        return fail(Code::not_authenticated, "the responder's own certificate is revoked");
    if (!found || found->standing != Standing::good)
        finding.notes.push_back("whether the responder's own certificate is revoked could not be told");
    return {};
}

Result<Finding> ask_once(const Subject& subject, const std::string& url, const Manner& manner, const StatusOptions& options,
                         const Fetch& fetch, Time now) {
    crypto::SystemEntropy entropy;
    const auto octets = manner.nonce ? std::optional{make_nonce_octets(entropy)} : std::nullopt;
    const auto nonce = octets ? std::optional<Bytes>{*octets} : std::nullopt;
    ESTUARY_TRY(const auto request, make_request(subject.certificate, subject.issuer, nonce, manner.hash));
    ESTUARY_TRY(const auto http_request, make_http_request(url, request));
    ESTUARY_TRY(const auto where, http::Url::parse(url));
    ESTUARY_TRY(const auto answer, fetch(where, http_request, ocsp_bytes_max));
    ESTUARY_TRY(const auto der, response_octets(answer));
    VerifyOptions how;
    how.now = now;
    how.nonce_required = options.nonce == NonceUse::required;
    if (options.age_max) how.age_max = options.age_max;
    ESTUARY_TRY(const auto said, verify(subject.certificate, subject.issuer, der, nonce, how));
    ESTUARY_CHECK(check_fresh(said.this_update, said.next_update, options.age_max, now));
    ESTUARY_CHECK(check_remembered(said, subject.certificate, now));
    auto finding = finding_of(said, url);
    if (finding.standing == Standing::revoked) finding.invalidity_date = invalidity_date(der, subject.certificate);
    if (said.signer_to_be_checked) ESTUARY_CHECK(check_responder(said.signer, subject, options, fetch, now, finding));
    return finding;
}

}  // namespace

Result<Finding> ask_responder(const Subject& subject, const std::string& url, const StatusOptions& options, const Fetch& fetch,
                              Time now) {
    std::optional<Result<Finding>> first;
    for (const auto& manner : manners(options.nonce)) {
        auto finding = ask_once(subject, url, manner, options, fetch, now);
        if (finding && finding->standing != Standing::unknown) return finding;
        const bool goes_on = finding || is_worth_another(finding.error().code);
        // An unknown that is proved tells more than an error.
        if (!first || (!*first && finding)) first = std::move(finding);
        if (!goes_on) break;
    }
    return std::move(*first);
}

}  // namespace estuary::ocsp
