#pragma once
// Private keys that the authority made for others (RFC 7030 4.4): archived ones, who gets them back, and the keys that
// requesters may name to have theirs encrypted with. No private key is here that the store's reader could open.
#include <memory>

#include "estuary/store/records.h"

namespace estuary::store {

/// An archived private key, as only its recovery agents can open it.
struct ArchivedKey {
    std::int64_t certificate = 0;        ///< CertificateRecord::id
    std::string ca;
    ByteVec serial_number;
    std::string subject;
    std::string agents;                  ///< for people: who can open it
    Time archived_at{};
    ByteVec envelope;                    ///< EnvelopedData (RFC 5652 6), DER
};

/// Somebody asks for an archived key. Enough operators have to approve; then it is handed out, once.
struct KeyRecovery {
    struct Approval {
        std::string by;
        Time at{};
    };
    std::int64_t id = 0;                 ///< given by the store; never used twice
    std::int64_t certificate = 0;
    std::string ca;                      ///< of the certificate; given by the store, as what follows
    ByteVec serial_number;
    std::string subject;
    std::string requested_by, reason;
    Time requested_at{}, expires_at{};
    std::int64_t approvals_needed = 0;
    std::vector<Approval> approvals;     ///< oldest first
    std::string recovered_by;            ///< empty: nobody yet
    std::optional<Time> recovered_at;
    std::string denied_by, denial;       ///< who said no, or withdrew it, and why; empty: nobody
    std::optional<Time> denied_at;
};

/// A key that a requester may name (DecryptKeyIdentifier, AsymmetricDecryptKeyIdentifier).
struct DecryptionKey {
    std::int64_t id = 0;
    ByteVec identifier;
    std::string credential;              ///< who may name it; empty: it does not matter
    std::string subject_pattern;         ///< for which subjects; empty: all
    ByteVec sealed_key;                  ///< a shared key, encrypted by the authority; empty: it is the certificate's
    ByteVec certificate;                 ///< DER; empty: it is a shared key
    Time created_at{};
};

// The writes; as all of them, each with its guard (store.h).

struct ArchiveKey {
    ArchivedKey record;                  ///< of the certificate inserted earlier in the same unit
};
struct NameEncryptionKey {
    ByteVec key_identifier;              ///< of the certificate inserted earlier in the same unit: to be found by it
};
struct RequestKeyRecovery {
    KeyRecovery record;                  ///< guard: the key of this certificate is archived, and no recovery of it is open
};
struct ApproveKeyRecovery {
    std::int64_t id;                     ///< guard: exists, is open at `at`, and neither asked for nor approved by the same
    std::string by;
    Time at{};
};
struct DenyKeyRecovery {
    std::int64_t id;                     ///< guard: exists and is open at `at`; closes it
    std::string by, reason;
    Time at{};
};
struct RecoverKey {
    std::int64_t id;                     ///< guard: exists, is open at `at`, and has the approvals that it needs; closes it
    std::string by;
    Time at{};
};
struct InsertDecryptionKey {
    DecryptionKey record;                ///< guard: no other of its kind has this identifier
};
struct RemoveDecryptionKey {
    ByteVec identifier;                  ///< guard: exists
};

/// The reads, from any thread.
class KeyReads {
public:
    virtual ~KeyReads() = default;
    virtual Result<std::optional<ArchivedKey>> archived_key(std::string_view ca, Bytes serial_number) = 0;
    virtual Result<std::optional<KeyRecovery>> key_recovery(std::int64_t id) = 0;
    /// Newest first.
    virtual Result<std::vector<KeyRecovery>> key_recoveries() = 0;
    virtual Result<std::optional<DecryptionKey>> shared_decryption_key(Bytes identifier) = 0;
    virtual Result<std::optional<DecryptionKey>> certified_decryption_key(Bytes identifier) = 0;
    virtual Result<std::vector<DecryptionKey>> decryption_keys() = 0;
    /// Certificates of this CA and label whose keys are archived, newest first: those that `requester` asked for, and those of this
    /// subject (as CertificateRecord has it; empty: nobody's).
    virtual Result<std::vector<CertificateRecord>> archived_certificates(std::string_view ca, std::string_view label, std::string_view requester,
                                                                         std::string_view subject, std::size_t count_max) = 0;
    /// The newest certificate of this CA whose key was named so.
    virtual Result<std::optional<CertificateRecord>> certificate_of_key(std::string_view ca, Bytes key_identifier) = 0;
};

}  // namespace estuary::store
