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

struct Principal {
    std::optional<CertificateProof> certificate;
    std::optional<CredentialProof> credential;
    std::string address;
    bool operator_ = false;         ///< a command of estuaryd on the data directory itself

    bool anonymous() const { return !certificate && !credential && !operator_; }
    bool is_registration_authority() const { return certificate && certificate->registration_authority; }
    /// "credential:NAME", "certificate:CA/SERIAL", "manufacturer:NAME/SERIAL", "operator": for records and audit.
    std::string describe() const;
};

}  // namespace estuary::authority
