#pragma once
// Who asks: what was proved, and how.
#include <optional>
#include <string>

#include "estuary/store/records.h"
#include "estuary/x509/certificate.h"

namespace estuary::authority {

/// A verified client certificate and what it means here.
struct CertificateProof {
    x509::Certificate certificate;
    std::string issued_by_ca;       ///< name of our CA, if it is one of ours; then it is in the store and not revoked
    std::string manufacturer;       ///< name of the configured anchor set otherwise
    std::string profile, label;     ///< of our own record, if ours
    bool registration_authority = false;   ///< ours, with id-kp-cmcRA (RFC 7030 3.7)
};

struct CredentialProof {
    std::int64_t id = 0;
    std::string name;
    std::string scheme;             ///< "basic", "digest"
    std::optional<std::int64_t> uses_left;
    std::string profile;            ///< binds to one profile; empty: any
    std::vector<std::string> subject_patterns, san_patterns;
};

/// A secret by which certificates are revoked once their keys are lost (RFC 9810 B, "revocation passphrase"). It proves that to
/// revoke(), and nothing to anybody else.
struct PassphraseProof {
    std::string holder;             ///< Principal::describe() of who conveyed it: what was issued to it may be revoked
    std::string ca, label;          ///< of these certificates
    ByteVec subject;                ///< DER of a Name: certificates of the very same may be revoked, too; empty: none
    ByteVec serial_number;          ///< of the certificate of `ca` that conveyed it; empty: another kind of credential did
    std::string credential_name;    ///< of the credential that conveyed it; empty: a certificate did
    std::int64_t credential = 0;    ///< its CredentialRecord::id
};

struct Principal {
    std::optional<CertificateProof> certificate;
    std::optional<CredentialProof> credential;
    std::string address;
    bool operator_ = false;         ///< a command of estuaryd on the data directory itself
    std::optional<PassphraseProof> passphrase{};

    /// Also who has shown no more than a revocation passphrase: only revoke() knows of these.
    bool anonymous() const { return !certificate && !credential && !operator_; }
    bool is_registration_authority() const { return certificate && certificate->registration_authority; }
    /// "credential:NAME", "certificate:CA/SERIAL", "manufacturer:NAME/SERIAL", "operator",
    /// "passphrase of …": for records and audit.
    std::string describe() const;
};

}  // namespace estuary::authority
