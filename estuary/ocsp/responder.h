#pragma once
// OCSP's responder (RFC 6960, RFC 9654): request octets in, signed answer out. It asks a StatusSource what is known of a
// certificate; no sockets, no SQL.
#include <memory>

#include "estuary/ocsp/messages.h"

namespace estuary::ocsp {

struct CertificateState {
    std::optional<store::Revocation> revocation;  ///< nothing: not revoked (good); never removeFromCRL
};

/// Who knows the certificates. Called from several threads at once, while nothing of this room is locked.
class StatusSource {
public:
    virtual ~StatusSource() = default;
    /// `issuer` is Issuer::name; `serial_number` big-endian without leading zero octets. Nothing: never issued. unavailable and
    /// too_busy become tryLater, other errors internalError.
    virtual Result<std::optional<CertificateState>> status(std::string_view issuer, Bytes serial_number) = 0;
};

/// Who signs: the issuer itself, or whom it delegated to.
struct Signer {
    x509::Certificate certificate;
    crypto::PrivateKey key;
};

struct Issuer {
    std::string name;               ///< given to the StatusSource
    x509::Certificate certificate;  ///< the CA
    /// The first signs, unless a request prefers the algorithm of another (RFC 6960 4.4.7). Each is the CA itself, or issued
    /// directly by it with id-kp-OCSPSigning (4.2.2.2).
    std::vector<Signer> signers;
    /// The signers are trusted by the requesters' own configuration (RFC 6960 4.2.2.2 criterion 1): any certificate will do.
    bool trusted_locally = false;
};

/// What is said of a serial number that was never issued (RFC 6960 2.2).
enum class NeverIssued : std::uint8_t {
    unknown,
    revoked,  ///< certificateHold at 1970-01-01, with the extended revoked definition
};

/// Answers without nonce that are kept.
struct PresignedLimits {
    std::size_t count_max = 100'000;     ///< 0: none are kept
    std::size_t bytes_max = 128u << 20;  ///< octets of answers and what is kept beside them
    /// Asks the StatusSource also for an answer that is kept, and uses it only if the state is the same: for several nodes over
    /// one database, where a revocation elsewhere calls no forget() here.
    bool confirm_status = false;
};

struct ResponderConfig {
    std::vector<Issuer> issuers;
    Seconds validity{12 * 3600};               ///< from thisUpdate to nextUpdate; never past the signer's notAfter
    std::optional<Seconds> archive_retention;  ///< archive cutoff = producedAt minus this (RFC 6960 4.4.4)
    NeverIssued never_issued = NeverIssued::unknown;
    bool echo_nonce = true;  ///< false: nonces are ignored, answers stay cacheable (RFC 9919)
    RequestLimits limits;
    PresignedLimits presigned;
};

/// One answer, and what HTTP may say of it.
struct Answer {
    ResponseStatus status{};
    ByteVec der;             ///< OCSPResponse
    bool cacheable = false;  ///< signed, without nonce, of certificates that were issued
    Time this_update{}, next_update{};
    Time fresh_until{};  ///< a newer one is to be had from then on; between this_update and next_update
    std::string etag;    ///< SHA-256 of der in hexadecimal (RFC 9919 section 7.2); cacheable ones only
};
using AnswerPtr = std::shared_ptr<const Answer>;

struct RefreshReport {
    std::size_t renewed = 0;
    std::size_t dropped = 0;  ///< nobody asked since they were signed, no longer issued, or past their nextUpdate
    std::size_t failed = 0;   ///< could not be renewed now; they stay until they are too old
};

class Responder {
public:
    /// policy, naming the issuer: no signers, a key that is not its certificate's, a signer who is not entitled to answer, two
    /// issuers of the same name and key; bad_key for keys that do not sign. `source` and `clock` outlive this. To change a
    /// signer, make another Responder.
    static Result<std::unique_ptr<Responder>> create(ResponderConfig config, StatusSource& source, const Clock& clock);
    ~Responder();

    /// Always an answer; unsigned error answers are among them. From several threads at once.
    AnswerPtr answer(Bytes request_der);
    AnswerPtr answer(const Request& request);
    /// The answer if it is at hand without signing and without asking the StatusSource; null otherwise.
    AnswerPtr ready(Bytes request_der);
    /// Whether every certificate of the request is of an issuer that is known here.
    bool knows(const Request& request) const;

    /// Signs again what has lived half of its life and was asked for since it was signed; drops the rest of that age. A thread
    /// of the caller does this every few minutes, or more often with fewer signatures each. Answers that are due and not
    /// refreshed are signed on demand.
    RefreshReport refresh(Time now, std::size_t signatures_max = SIZE_MAX);
    /// To be called after a revocation, or its undoing, is recorded: what was kept is dropped, and what is being signed from the
    /// state before it will not be kept.
    void forget(std::string_view issuer, Bytes serial_number);
    std::size_t presigned_count() const;

    const RequestLimits& limits() const noexcept;

private:
    class Impl;
    explicit Responder(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace estuary::ocsp
