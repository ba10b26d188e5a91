#pragma once
// Durable records behind one interface. SQLite here (WAL, synchronous=FULL, group commit); PostgreSQL fits the same shape.
#include <filesystem>
#include <functional>
#include <memory>
#include <variant>

#include "estuary/base/result.h"
#include "estuary/store/keys.h"
#include "estuary/store/packages.h"
#include "estuary/store/records.h"

namespace estuary::store {

// The writes that there are. Each has a guard: if it does not hold, the whole unit of work fails with `conflict` and
// leaves nothing behind, while others in the same group commit go on.

struct InsertCertificate {
    CertificateRecord record;               ///< guard: (ca, serial_number) is new
    std::optional<RequestKey> request_key;  ///< guard: new; later found by certificate_of_request
};
struct RevokeCertificate {
    std::int64_t id;                        ///< guard: exists and is not revoked (or on hold, and the reason is another)
    Revocation revocation;                  ///< remove_from_crl lifts a hold: the certificate is valid again
};
struct InsertCredential {
    CredentialRecord record;                ///< guard: the name is new
};
struct SpendCredential {
    std::int64_t id;                        ///< guard: exists and has uses left
    Time at{};                              ///< when; tidy keeps spent credentials for a while after it
};
struct RemoveCredential {
    std::string name;                       ///< guard: exists
};
struct InsertPendingRequest {
    PendingRequest record;                  ///< guard: its key is new
};
struct DecideRequest {
    std::int64_t id;                        ///< guard: exists and is pending
    PendingRequest::State state;            ///< approved or denied
    std::string decided_by, reason;
    Time at;
};
struct CompleteRequest {
    RequestKey key;                         ///< guard: exists and is approved; becomes issued, with the certificate inserted
};                                          ///< earlier in the same unit
struct AwaitConfirmation {
    Time until;                             ///< of the certificate inserted earlier in the same unit
};
struct SettleConfirmation {
    std::int64_t id;                        ///< guard: this certificate waits for its confirmation
};
struct PutTransaction {
    TransactionRecord record;               ///< guard: `revision` is the stored one (0: there is none); the new one is one more
};
struct RemoveTransaction {
    std::string protocol;
    RequestKey key;                         ///< guard: exists
};
struct AppendAudit {
    AuditEvent event;
};
struct PublishCrl {
    CrlRecord record;                       ///< guard: its number is larger than that of any CRL of the shard; replaces
};
struct PutSetting {
    std::string name, value;                ///< small server state that must survive (CA generations …); replaces
};

using Write = std::variant<InsertCertificate, RevokeCertificate, InsertCredential, SpendCredential, RemoveCredential,
                           InsertPendingRequest, DecideRequest, CompleteRequest, AwaitConfirmation, SettleConfirmation,
                           PutTransaction, RemoveTransaction, AppendAudit, PublishCrl, PutSetting, InsertPackage,
                           RemovePackage, RecordDownload, InsertReceipt, ArchiveKey, NameEncryptionKey, RequestKeyRecovery,
                           ApproveKeyRecovery, DenyKeyRecovery, RecoverKey, InsertDecryptionKey, RemoveDecryptionKey>;

/// Everything that one request writes: all of it or nothing. `leases` are held until the outcome is known (claims on single
/// uses and on request keys; see authority/).
struct UnitOfWork {
    std::vector<Write> writes;
    std::vector<std::shared_ptr<void>> leases;
    bool empty() const noexcept { return writes.empty(); }
};

/// Called once when the unit is durable, or with why it is not. The leases are gone by then. On a thread of the store's
/// (too_busy: from within submit): be brief, do not throw.
using Committed = std::function<void(Result<void>)>;

struct Options {
    std::size_t batch_max = 512;                    ///< units in one transaction
    std::chrono::microseconds linger{700};          ///< waits for company only while more than one unit was in the last batch
    std::size_t queue_max = 16'384;                 ///< waiting units; past this too_busy at once
    std::size_t cache_bytes = 32u << 20;            ///< SQLite page cache of the writer; each reader may have an eighth
    std::chrono::milliseconds busy_timeout{5'000};  ///< another process (estuaryd's commands) holds the write lock
};

struct RevokedQuery {
    std::string_view ca;
    unsigned shard = 0;
    Time not_expired_at{};
    std::optional<std::int64_t> since{};
};

class Store {
public:
    virtual ~Store() = default;

    /// Queues a unit for the next group commit. Errors arrive through `committed`: conflict (a guard failed; the detail names
    /// which), unavailable (disk full, read-only, I/O error; works again by itself), too_busy.
    virtual void submit(UnitOfWork work, Committed committed) = 0;
    /// submit and wait.
    Result<void> commit(UnitOfWork work);

    // Reads: from any thread; they see everything committed before the call.
    virtual Result<std::optional<CertificateRecord>> certificate(std::string_view ca, Bytes serial_number) = 0;
    virtual Result<std::optional<CertificateRecord>> certificate(std::int64_t id) = 0;
    virtual Result<std::optional<CertificateStatus>> certificate_status(std::string_view ca, Bytes serial_number) = 0;
    virtual Result<std::optional<CertificateRecord>> certificate_of_request(const RequestKey& key) = 0;
    /// Visits, ordered by serial number, what a CRL of this shard tells: every revoked certificate that had not expired at
    /// `not_expired_at`, or with `since` every one whose state was changed after that position. Returns the position
    /// that was reached; all of one moment.
    virtual Result<std::int64_t> visit_revoked(const RevokedQuery& query,
                                               const std::function<void(const RevokedCertificate&)>& visit) = 0;
    /// Oldest first.
    virtual Result<std::vector<RevocationChange>> revocation_changes(std::int64_t after, std::size_t count_max) = 0;
    virtual Result<std::int64_t> last_revocation_change() = 0;
    virtual Result<std::optional<CrlRecord>> crl(std::string_view ca, unsigned shard, bool delta) = 0;
    virtual Result<std::vector<CrlRecord>> crls() = 0;
    virtual Result<std::vector<CertificateRecord>> certificates(const CertificateFilter& filter) = 0;
    virtual Result<std::int64_t> count_certificates() = 0;
    virtual Result<std::optional<CredentialRecord>> credential(std::string_view name) = 0;
    virtual Result<std::vector<CredentialRecord>> credentials() = 0;
    virtual Result<std::optional<PendingRequest>> pending_request(const RequestKey& key) = 0;
    virtual Result<std::optional<PendingRequest>> pending_request(std::int64_t id) = 0;
    /// Newest first; nothing: every state.
    virtual Result<std::vector<PendingRequest>> pending_requests(std::optional<PendingRequest::State> state) = 0;
    virtual Result<std::optional<TransactionRecord>> transaction(std::string_view protocol, const RequestKey& key) = 0;
    virtual Result<std::optional<UnconfirmedCertificate>> unconfirmed(std::string_view ca, Bytes serial_number) = 0;
    /// Those whose time was over before `before`, oldest first.
    virtual Result<std::vector<UnconfirmedCertificate>> unconfirmed(Time before, std::size_t count_max) = 0;
    virtual Result<std::vector<AuditEvent>> audit(std::int64_t after_id, std::size_t count_max) = 0;
    virtual Result<std::optional<std::string>> setting(std::string_view name) = 0;
    /// Null: this store keeps no packages.
    virtual PackageReads* package_reads() noexcept { return nullptr; }
    /// Null: this store keeps nothing of keys.
    virtual KeyReads* key_reads() noexcept { return nullptr; }

    /// Deletes what has no more use: request keys and pending requests past `before`, spent or expired credentials older than
    /// it. In small steps that let others write in between; returns how many rows went. May be stopped at any step and
    /// begun again.
    virtual Result<std::size_t> tidy(Time before) = 0;
    /// Deletes transactions that expired before `now`; in small steps, too.
    virtual Result<std::size_t> end_transactions(Time now) = 0;
    /// A consistent copy of the whole database into a new file while it is in use (backup).
    virtual Result<void> backup(const std::filesystem::path& target) = 0;
    /// PRAGMA quick_check, or the like: the first fault found.
    virtual Result<void> check() = 0;
};

/// Opens (mode 0600) or creates a database and brings its schema up to date. Newer schemas than known are refused.
Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& path, Options options = {}, bool create = true);

}  // namespace estuary::store
