#pragma once
// OCSP's messages (RFC 6960 section 4): octets <-> values. Strict DER; every count and size is bounded.
#include <variant>

#include "estuary/crypto/digest.h"
#include "estuary/ocsp/cert_id.h"
#include "estuary/store/records.h"

namespace estuary::ocsp {

inline constexpr std::size_t nonce_octets_max = 128;  ///< RFC 9654 section 2.1

/// A requester's wish (RFC 6960 4.4.7.1).
struct PreferredAlgorithm {
    der::Oid signature;  ///< sigIdentifier's algorithm
    ByteVec identifier;  ///< sigIdentifier, whole
    ByteVec public_key;  ///< pubKeyAlgIdentifier, whole; empty: any
};

struct RequestLimits {
    std::size_t certificates_max = 64;
    std::size_t octets_max = 16'384;  ///< a signed request carries certificates
};

/// OCSPRequest. The signature and the requestor's name are read and ignored, for everybody may ask.
struct Request {
    std::vector<CertId> certificates;                           ///< requestList, in order
    std::optional<ByteVec> nonce;                               ///< 1 to 128 octets
    std::vector<PreferredAlgorithm> preferred_algorithms;       ///< most preferred first
    std::optional<std::vector<der::Oid>> acceptable_responses;  ///< nothing: any
    bool is_signed = false;

    /// malformed: not an OCSPRequest of version 1, no certificate, a nonce of 0 or more than 128 octets; too_large;
    /// unsupported: a critical extension that we do not know (RFC 6960 4.1.2).
    static Result<Request> parse(Bytes der, const RequestLimits& limits = {});
};
/// Without a signature.
ByteVec encode_request(const Request& request);

enum class ResponseStatus : std::uint8_t {
    successful = 0,
    malformed_request = 1,
    internal_error = 2,
    try_later = 3,
    sig_required = 5,
    unauthorized = 6,
};
/// "malformedRequest" as RFC 6960 4.2.1 spells it.
std::string_view to_string(ResponseStatus status) noexcept;

struct CertStatus {
    enum class Kind : std::uint8_t { good, revoked, unknown } kind = Kind::unknown;
    Time revoked_at{};                              ///< revoked only
    std::optional<store::RevocationReason> reason;  ///< revoked only
    bool operator==(const CertStatus&) const = default;
};

struct SingleResponse {
    CertId id;
    CertStatus status;
    Time this_update{};
    std::optional<Time> next_update;
    std::vector<x509::Extension> extensions;
};

/// SHA-1 of the responder's subjectPublicKey, or its name.
using ResponderId = std::variant<x509::Name, crypto::Sha1>;

struct ResponseData {
    ResponderId responder;
    Time produced_at{};
    std::vector<SingleResponse> responses;
    std::vector<x509::Extension> extensions;
};

struct BasicResponse {
    ResponseData data;
    ByteVec tbs;                  ///< ResponseData as signed
    ByteVec signature_algorithm;  ///< whole AlgorithmIdentifier
    ByteVec signature;
    std::vector<ByteVec> certificates;  ///< as sent, not judged: at most 16
};

/// OCSPResponse.
struct Response {
    ResponseStatus status{};
    std::optional<BasicResponse> basic;  ///< present exactly if the status is successful

    /// malformed; too_large (256 KiB, 256 single responses); unsupported: a response type other than id-pkix-ocsp-basic, or a
    /// critical extension that we do not know.
    static Result<Response> parse(Bytes der);
};

/// ResponseData, to be signed.
ByteVec encode_response_data(const ResponseData& data);
/// A successful OCSPResponse of its parts in DER; `certificates` is the whole [0] of BasicOCSPResponse, or empty.
ByteVec encode_response(Bytes tbs, Bytes signature_algorithm, Bytes signature, Bytes certificates);
/// [0] EXPLICIT SEQUENCE OF Certificate; empty if there are none.
ByteVec encode_certificates(const std::vector<Bytes>& certificates);
/// An OCSPResponse that is only a status (not successful).
ByteVec encode_error(ResponseStatus status);

/// Parts of ResponseData, for those who write it from prepared pieces.
ByteVec encode_responder_id(const ResponderId& id);
/// `extensions` is the whole Extensions SEQUENCE, or empty.
void write_single_response(der::Writer& writer, Bytes cert_id, const CertStatus& status, Time this_update,
                           std::optional<Time> next_update, Bytes extensions);

// Extensions (RFC 6960 4.4). Readers give nothing if the extension is absent, and malformed if it cannot be read.

Result<std::optional<ByteVec>> read_nonce(const std::vector<x509::Extension>& extensions);
x509::Extension make_nonce(Bytes nonce);
Result<std::optional<Time>> read_archive_cutoff(const std::vector<x509::Extension>& extensions);
x509::Extension make_archive_cutoff(Time cutoff);
/// Whether it is there; its value is NULL.
Result<bool> read_extended_revoke(const std::vector<x509::Extension>& extensions);
x509::Extension make_extended_revoke();
struct CrlReference {
    std::string url;                ///< empty: absent
    std::optional<ByteVec> number;  ///< INTEGER content octets
    std::optional<Time> time;
};
Result<std::optional<CrlReference>> read_crl_reference(const std::vector<x509::Extension>& extensions);
x509::Extension make_crl_reference(const CrlReference& reference);

}  // namespace estuary::ocsp
