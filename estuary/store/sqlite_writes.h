#pragma once
// Every Write as SQL: applied within the transaction of whoever calls.
#include <map>

#include "estuary/store/key_tables.h"
#include "estuary/store/package_tables.h"
#include "estuary/store/sqlite.h"
#include "estuary/store/store.h"

namespace estuary::store::sqlite {

/// The prepared statements of one connection. Errors: `conflict` (a guard) and others that are the unit's own fault, after
/// which the transaction goes on; `unavailable`, after which it cannot.
class Writes {
public:
    static Result<Writes> prepare(const Connection& connection);

    /// Applies the writes of a unit in order. On failure, `changed` tells whether something had been written by then: the
    /// caller rolls it back.
    Result<void> apply(const UnitOfWork& work, bool& changed);
    /// After a rollback: what was remembered of the transaction may not be so.
    void forget() { authorities_.clear(); }

private:
    struct Statements {
        Statement find_authority, insert_authority, insert_certificate, insert_request_key, find_request_key, revoke,
            lift_hold, log_revocation, newest_crl, publish_crl, insert_credential, find_uses, spend, remove_credential,
            insert_pending, decide, complete, await_confirmation, settle_confirmation, insert_transaction, change_transaction,
            remove_transaction, audit, setting;
    };
    /// What later writes of a unit want to know of earlier ones.
    struct Unit {
        std::optional<std::int64_t> certificate;
    };

    Writes(sqlite3* database, Statements statements, PackageWrites packages, KeyWrites keys)
        : database_{database}, sql_{std::move(statements)}, packages_{std::move(packages)}, keys_{std::move(keys)} {}
    Result<std::int64_t> authority(const std::string& name);
    Result<void> remember(const RequestKey& key, std::int64_t certificate);
    Result<void> write(const InsertCertificate& insert, Unit& unit);
    Result<void> write(const RevokeCertificate& revoke, Unit&);
    Result<void> write(const InsertCredential& insert, Unit&);
    Result<void> write(const SpendCredential& spend, Unit&);
    Result<void> write(const RemoveCredential& remove, Unit&);
    Result<void> write(const InsertPendingRequest& insert, Unit&);
    Result<void> write(const DecideRequest& decide, Unit&);
    Result<void> write(const CompleteRequest& complete, Unit& unit);
    Result<void> write(const AwaitConfirmation& await, Unit& unit);
    Result<void> write(const SettleConfirmation& settle, Unit&);
    Result<void> write(const PutTransaction& put, Unit&);
    Result<void> write(const RemoveTransaction& remove, Unit&);
    Result<void> write(const AppendAudit& append, Unit&);
    Result<void> write(const PublishCrl& publish, Unit&);
    Result<void> write(const PutSetting& put, Unit&);
    Result<void> write(const InsertPackage& insert, Unit&) { return packages_.write(insert); }
    Result<void> write(const RemovePackage& remove, Unit&) { return packages_.write(remove); }
    Result<void> write(const RecordDownload& record, Unit&) { return packages_.write(record); }
    Result<void> write(const InsertReceipt& insert, Unit&) { return packages_.write(insert); }
    Result<void> write(const ArchiveKey& archive, Unit& unit) { return keys_.write(archive, unit.certificate); }
    Result<void> write(const NameEncryptionKey& name, Unit& unit) { return keys_.write(name, unit.certificate); }
    Result<void> write(const RequestKeyRecovery& request, Unit&) { return keys_.write(request); }
    Result<void> write(const ApproveKeyRecovery& approve, Unit&) { return keys_.write(approve); }
    Result<void> write(const DenyKeyRecovery& deny, Unit&) { return keys_.write(deny); }
    Result<void> write(const RecoverKey& recover, Unit&) { return keys_.write(recover); }
    Result<void> write(const InsertDecryptionKey& insert, Unit&) { return keys_.write(insert); }
    Result<void> write(const RemoveDecryptionKey& remove, Unit&) { return keys_.write(remove); }
    /// Runs an update or delete whose WHERE is a guard: no row was changed means that it does not hold.
    Result<void> change_one(Query&& query, std::string_view conflict);

    sqlite3* database_;
    Statements sql_;
    PackageWrites packages_;
    KeyWrites keys_;
    std::map<std::string, std::int64_t, std::less<>> authorities_;
};

}  // namespace estuary::store::sqlite
