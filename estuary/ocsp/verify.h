#pragma once
// OCSP from the requester's side: requests made, responses judged (RFC 6960 3.2, 4.2.2.2; RFC 9654; RFC 9919).
#include "estuary/http/message.h"
#include "estuary/ocsp/messages.h"

namespace estuary::ocsp {

inline constexpr std::size_t nonce_octets = 32;  ///< what RFC 9654 has requesters use

/// A request for one certificate. SHA-256 as RFC 9919 3.1.1 has it; SHA-1 for responders that know only that (RFC 5019).
Result<ByteVec> make_request(const x509::Certificate& certificate, const x509::Certificate& issuer,
                             std::optional<Bytes> nonce = std::nullopt, Hash hash = Hash::sha256);
ByteVec make_nonce_octets(crypto::Entropy& entropy);

/// GET if the whole URL keeps within 255 octets (RFC 5019 section 5), POST otherwise. `url` is the responder's, without the
/// request; the target is its path. malformed: not an http or https URL.
Result<http::Request> make_http_request(std::string_view url, Bytes request_der);
/// The octets of an OCSPResponse from an HTTP answer: unavailable for 5xx, unsupported for other statuses and media types.
Result<Bytes> response_octets(const http::Response& response);

/// The http and https URIs of id-ad-ocsp in authorityInfoAccess (RFC 5280 4.2.2.1), in order; empty if there are none. malformed.
Result<std::vector<std::string>> responder_uris(const x509::Certificate& certificate);

struct VerifyOptions {
    Time now{};
    Seconds clock_skew{300};
    /// How old thisUpdate may be if there is no nextUpdate; nothing: such answers are refused (RFC 5019 section 4).
    std::optional<Seconds> age_max{86'400};
    bool nonce_required = false;  ///< an answer without the nonce that was sent is refused
    /// Responders that answer for this issuer by local configuration (RFC 6960 4.2.2.2, criterion 1).
    std::vector<x509::Certificate> trusted_responders = {};
};

struct CertificateStatus {
    CertStatus status;
    Time this_update{}, produced_at{};
    std::optional<Time> next_update;
    std::optional<Time> archive_cutoff;
    bool nonce_matched = false;
    x509::Certificate signer;
    /// The signer was delegated and bears no id-pkix-ocsp-nocheck: whether to check its own revocation is for local policy to say
    /// (RFC 6960 4.2.2.2.1).
    bool signer_to_be_checked = false;
};

/// What a response says of `certificate`, if it may be believed. `nonce` is what was sent. The path of `certificate` through
/// `issuer` is for the caller to validate, and that before asking (RFC 5019 3.2). The detail says what to do:
/// malformed, too_large, unsupported: not a response that we can read;
/// too_busy: tryLater; unavailable: internalError; not_authorised: unauthorized, sigRequired; conflict: malformedRequest;
/// not_found: it is about other certificates; not_authenticated: whoever signed may not answer for this issuer;
/// bad_proof: signature or nonce wrong; bad_key: signed with an algorithm too weak; policy: too old, or from the future.
Result<CertificateStatus> verify(const x509::Certificate& certificate, const x509::Certificate& issuer, Bytes response_der,
                                 std::optional<Bytes> nonce, const VerifyOptions& options);

}  // namespace estuary::ocsp
