// Whether an answer may be believed.
#include "estuary/ocsp/verify.h"

#include <fmt/format.h>

#include "estuary/ocsp/oids.h"
#include "estuary/x509/path.h"

namespace estuary::ocsp {
namespace {

Result<void> check_response_status(ResponseStatus status) {
    switch (status) {
        case ResponseStatus::successful: return {};
        case ResponseStatus::malformed_request:
            return fail(Code::conflict,
                        "malformedRequest: the responder could not read the request; try without nonce or with SHA-1");
        case ResponseStatus::internal_error:
            return fail(Code::unavailable, "internalError: the responder is in trouble; ask again or elsewhere");
        case ResponseStatus::try_later: return fail(Code::too_busy, "tryLater: ask again later");
        case ResponseStatus::sig_required:
            return fail(Code::not_authorised, "sigRequired: the responder answers signed requests only; use a CRL");
        case ResponseStatus::unauthorized:
            return fail(Code::not_authorised,
                        "unauthorized: the responder does not answer for this issuer or certificate; "
                        "check its URL, or use a CRL");
    }
    return fail(Code::malformed, "unknown response status");
}

bool is_of(const ResponderId& id, const x509::Certificate& candidate) {
    if (const auto* name = std::get_if<x509::Name>(&id)) return name->matches(candidate.subject());
    const auto key = x509::key_identifier(candidate.spki());
    return key && same(*key, std::get<crypto::Sha1>(id));
}

/// Who could have signed by the ResponderID: the issuer, those trusted by configuration, and who came along.
enum class Role : std::uint8_t { issuer, trusted, delegated };
struct Candidate {
    x509::Certificate certificate;
    Role role{};
};
std::vector<Candidate> candidates(const BasicResponse& response, const x509::Certificate& issuer,
                                  const std::vector<x509::Certificate>& trusted) {
    std::vector<Candidate> all;
    const auto add = [&](const x509::Certificate& certificate, Role role) {
        if (is_of(response.data.responder, certificate)) all.push_back({certificate, role});
    };
    add(issuer, Role::issuer);
    for (const auto& certificate : trusted) add(certificate, Role::trusted);
    for (const auto& der : response.certificates)
        if (const auto certificate = x509::Certificate::parse(der)) add(*certificate, Role::delegated);
    return all;
}

/// RFC 6960 4.2.2.2: issued directly by the issuer of the certificate in question, by the same key, for this purpose, and valid.
Result<void> check_delegated(const x509::Certificate& signer, const x509::Certificate& issuer, Time now) {
    if (!(signer.issuer().matches(issuer.subject())))
        return fail(Code::not_authenticated, "the responder's certificate is not of the certificate's own issuer");
    if (!signer.has_ext_key_usage(x509::oid::kp_ocsp_signing))
        return fail(Code::not_authenticated, "the responder's certificate lacks id-kp-OCSPSigning");
    const auto usage = signer.key_usage();
    if (usage && (*usage & (x509::digital_signature | x509::non_repudiation)) == 0)
        return fail(Code::not_authenticated, "the responder's key usage does not allow signatures");
    const auto path = x509::validate_path(signer, {}, {issuer}, {.at = now, .required_ext_key_usage = {}, .depth_max = 1});
    if (!path)
        return fail(Error{Code::not_authenticated, "the responder's certificate: " + path.error().detail, path.error().cause});
    return {};
}

Result<Candidate> find_signer(const BasicResponse& response, const x509::Certificate& issuer, const VerifyOptions& options) {
    Error last{Code::not_authenticated, "the responder's certificate is neither the issuer's nor in the response", {}, 0};
    for (auto& candidate : candidates(response, issuer, options.trusted_responders)) {
        // Judged before its key is used: cheap refusals first, and a key is only worth trying if it may sign.
        if (candidate.role == Role::delegated) {
            if (auto entitled = check_delegated(candidate.certificate, issuer, options.now); !entitled) {
                last = std::move(entitled).error();
                continue;
            }
        }
        const auto key = candidate.certificate.public_key();
        auto verified =
            key ? key->verify(response.signature_algorithm, response.tbs, response.signature) : Result<void>{fail(key.error())};
        if (verified) return candidate;
        last = in_context("the response's signature", std::move(verified).error());
    }
    return fail(std::move(last));
}

/// The single response about the certificate. A responder may give one for each hash algorithm: if they differ, the worst counts.
Result<const SingleResponse*> find_single(const ResponseData& data, const x509::Certificate& certificate,
                                          const x509::Certificate& issuer) {
    const SingleResponse* found = nullptr;
    for (const auto& single : data.responses) {
        const auto hash = single.id.hash();
        if (!hash) continue;
        ESTUARY_TRY(const auto wanted, CertId::of(certificate, issuer, *hash));
        if (!(single.id == wanted)) continue;
        if (found == nullptr || single.status.kind == CertStatus::Kind::revoked) found = &single;
    }
    if (found == nullptr) return fail(Code::not_found, "the response is not about this certificate");
    return found;
}

Result<void> check_fresh(const SingleResponse& single, const VerifyOptions& options) {
    if (single.this_update > options.now + options.clock_skew)
        return fail(Code::policy,
                    fmt::format("the answer is of the future (thisUpdate {}): check the clock", to_iso8601(single.this_update)));
    if (single.next_update) {
        if (*single.next_update < single.this_update) return fail(Code::malformed, "nextUpdate is before thisUpdate");
        if (options.now > *single.next_update + options.clock_skew)
            return fail(Code::policy, fmt::format("the answer is stale (nextUpdate {}): ask again past caches",
                                                  to_iso8601(*single.next_update)));
        return {};
    }
    if (!options.age_max) return fail(Code::policy, "the answer has no nextUpdate (RFC 5019 section 4)");
    if (options.now - single.this_update > *options.age_max + options.clock_skew)
        return fail(Code::policy, fmt::format("the answer is old (thisUpdate {}, no nextUpdate): ask again past caches",
                                              to_iso8601(single.this_update)));
    return {};
}

/// Whether the nonce that was sent came back. A nonce that was not asked for is ignored (RFC 5019 section 4).
Result<bool> check_nonce(const ResponseData& data, std::optional<Bytes> sent, bool required) {
    if (!sent) return false;
    ESTUARY_TRY(const auto received, read_nonce(data.extensions));
    if (!received && required) return fail(Code::bad_proof, "the answer has no nonce: the responder may be replaying");
    if (received && !same(*received, *sent)) return fail(Code::bad_proof, "the answer has another nonce: it is a replay");
    return received.has_value();
}

}  // namespace

Result<CertificateStatus> verify(const x509::Certificate& certificate, const x509::Certificate& issuer, Bytes response_der,
                                 std::optional<Bytes> nonce, const VerifyOptions& options) {
    if (!certificate.issuer().matches(issuer.subject())) return fail(Code::not_found, "the certificate is not of this issuer");
    ESTUARY_TRY(const auto response, Response::parse(response_der));
    ESTUARY_CHECK(check_response_status(response.status));
    const auto& basic = *response.basic;
    ESTUARY_TRY(const auto* single, find_single(basic.data, certificate, issuer));
    ESTUARY_TRY(const auto nonce_matched, check_nonce(basic.data, nonce, options.nonce_required));
    ESTUARY_CHECK(check_fresh(*single, options));
    ESTUARY_TRY(const auto signer, find_signer(basic, issuer, options));
    ESTUARY_TRY(const auto cutoff, read_archive_cutoff(single->extensions));
    const bool nocheck = x509::find(signer.certificate.extensions(), x509::oid::ocsp_no_check) != nullptr;
    return CertificateStatus{
        single->status, single->this_update, basic.data.produced_at, single->next_update,
        cutoff,         nonce_matched,       signer.certificate,     signer.role == Role::delegated && !nocheck};
}

}  // namespace estuary::ocsp
