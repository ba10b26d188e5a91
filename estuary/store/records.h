#pragma once
// What is stored. Plain values; the store knows neither who asks nor why.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "estuary/base/bytes.h"
#include "estuary/base/clock.h"
#include "estuary/base/result.h"

namespace estuary::store {

/// Identifies a request for idempotency: a SHA-256 that the authority makes of operation, principal, profile and request.
using RequestKey = std::array<std::uint8_t, 32>;

/// CRLReason of RFC 5280 5.3.1 (7 is not used).
enum class RevocationReason : std::uint8_t {
    unspecified = 0, key_compromise = 1, ca_compromise = 2, affiliation_changed = 3, superseded = 4,
    cessation_of_operation = 5, certificate_hold = 6, remove_from_crl = 8, privilege_withdrawn = 9, aa_compromise = 10,
};
/// "keyCompromise" as RFC 5280 spells it.
std::string_view to_string(RevocationReason reason) noexcept;
Result<RevocationReason> revocation_reason(std::string_view name);

struct Revocation {
    Time at{};
    RevocationReason reason{};
    std::optional<Time> invalidity_date{};  ///< since when the key may have been in wrong hands (RFC 5280 5.3.2)
};

struct CertificateRecord {
    std::int64_t id = 0;              ///< given by the store
    std::string ca;                   ///< name of the issuing CA in the configuration
    ByteVec serial_number;            ///< big-endian, without leading zero octets
    ByteVec der;
    std::string subject;              ///< RFC 4514 text
    std::string subject_alt_names;    ///< "dns:a.example ip:192.0.2.1"
    Time not_before{}, not_after{};
    std::string profile, label;
    std::string requester;            ///< who asked: "credential:NAME", "certificate:SERIAL", "operator"
    Time issued_at{};
    unsigned shard = 0;               ///< which of its CA's CRLs tells of it; written into it when it was issued
    std::optional<Revocation> revocation;
};

/// What a status check needs; cheaper than the whole record.
struct CertificateStatus {
    std::int64_t id = 0;
    Time not_after{};
    std::optional<Revocation> revocation;  ///< without invalidity date
};

/// What a CRL needs of a certificate.
struct RevokedCertificate {
    Bytes serial_number;                   ///< valid during the visit
    std::optional<Revocation> revocation;  ///< nothing: it was on hold, and is good again
};

/// A certificate whose revocation state was changed: positions grow with time, and none is used twice.
struct RevocationChange {
    std::int64_t position = 0;
    std::string ca;
    unsigned shard = 0;
    ByteVec serial_number;
};

/// The newest CRL of its kind. Its octets are a file's: they can be many, and a database has no use for them.
struct CrlRecord {
    std::string ca;
    unsigned shard = 0;
    bool delta = false;
    std::int64_t number = 0;       ///< one sequence for the complete and delta CRLs of a shard (RFC 5280 5.2.3)
    std::int64_t base_number = 0;  ///< of a delta: the complete CRL's that it goes with
    std::int64_t position = 0;     ///< every RevocationChange up to here is in it
    std::int64_t entries = 0;
    Time this_update{}, next_update{};
};

struct CertificateFilter {
    std::optional<ByteVec> serial_number;
    std::string subject_contains, san_contains, requester_contains, ca;
    enum class Status : std::uint8_t { any, valid, expired, revoked } status = Status::any;  ///< revoked ones are only revoked
    std::optional<Time> expires_before;
    std::int64_t after_id = 0;        ///< paging: only records with a larger id
    std::size_t count_max = 1000;
    std::optional<Time> now;          ///< for valid and expired; nothing: the system's clock
};

/// A name and a secret, for enrollment.
struct CredentialRecord {
    std::int64_t id = 0;
    std::string name;
    std::string password_hash;                   ///< PHC string (crypto/password.h)
    std::string digest_ha1;                      ///< empty: no Digest authentication
    std::optional<std::int64_t> uses_left;       ///< nothing: unlimited; 0: spent
    std::optional<Time> expires_at;
    std::string profile;                         ///< empty: any that the label gives
    std::vector<std::string> subject_patterns;   ///< empty: any that the profile allows
    std::vector<std::string> san_patterns;
    Time created_at{};
    std::string protocol = "http";               ///< which protocol it is for: "http", "cmp", "cmc" (bug class 2)
    ByteVec sealed_secret;                       ///< of a protocol with MACs: the secret, encrypted by the authority
};

/// What a protocol has to know from one message of a transaction to the next, in a form of its own.
struct TransactionRecord {
    std::string protocol;
    RequestKey key{};
    std::int64_t revision = 0;     ///< of the stored state; 0: it is new
    ByteVec state;
    Time expires_at{};             ///< afterwards tidy takes it away
};

/// A certificate that its requester has not confirmed yet.
struct UnconfirmedCertificate {
    std::int64_t id = 0;           ///< CertificateRecord::id
    std::string ca;
    ByteVec serial_number;
    std::string requester;
    Time until{};                  ///< afterwards it is to be revoked
};

/// A request that waits, or waited, for a person's decision.
/// What is to become of a certificate once a person agrees.
struct WantedRevocation {
    RevocationReason reason{};
    std::optional<Time> invalidity_date{};
};

struct PendingRequest {
    enum class State : std::uint8_t { pending, approved, denied, issued };
    std::int64_t id = 0;
    RequestKey key{};
    ByteVec request;                  ///< the certification request, DER; of a revocation: the certificate
    std::string operation;            ///< "enroll", "renew", "revoke: keyCompromise"
    std::string profile, label, requester, subject, subject_alt_names;
    Time created_at{}, expires_at{};
    State state = State::pending;
    std::string decided_by, reason;
    std::optional<Time> decided_at;
    std::optional<std::int64_t> certificate_id;     ///< issued, or to be revoked
    std::optional<WantedRevocation> revocation{};   ///< set: this is asked for, not a certificate
};
std::string_view to_string(PendingRequest::State state) noexcept;

/// One line of the audit trail: append-only, written in the transaction of what it tells of.
struct AuditEvent {
    std::int64_t id = 0;
    Time at{};
    std::string event;        ///< "certificate.issued", "request.refused", "credential.added" …
    std::string actor;        ///< who: as CertificateRecord::requester, or "operator:USER"
    std::string object;       ///< what: serial number, credential name, request id
    std::string outcome;      ///< "ok" or the refusal's code
    std::string detail;       ///< short text; no secrets
};

}  // namespace estuary::store
