#pragma once
// Archived keys, recoveries and decryption keys as SQL: their writes within the transaction of whoever calls, and their reads on a
// reading connection.
#include "estuary/store/keys.h"
#include "estuary/store/sqlite.h"

namespace estuary::store::sqlite {

/// Writes of one connection. Errors as Writes has them. `certificate`: the one inserted earlier in the unit.
class KeyWrites {
public:
    static Result<KeyWrites> prepare(const Connection& connection);

    Result<void> write(const ArchiveKey& archive, std::optional<std::int64_t> certificate) const;
    Result<void> write(const NameEncryptionKey& name, std::optional<std::int64_t> certificate) const;
    Result<void> write(const RequestKeyRecovery& request) const;
    Result<void> write(const ApproveKeyRecovery& approve) const;
    Result<void> write(const DenyKeyRecovery& deny) const;
    Result<void> write(const RecoverKey& recover) const;
    Result<void> write(const InsertDecryptionKey& insert) const;
    Result<void> write(const RemoveDecryptionKey& remove) const;

private:
    struct Statements {
        Statement archive, name, request, approve, deny, recover, insert, remove;
    };
    KeyWrites(sqlite3* database, Statements statements) : database_{database}, sql_{std::move(statements)} {}
    Result<void> change_one(Query&& query, std::string_view conflict) const;

    sqlite3* database_;
    Statements sql_;
};

Result<std::optional<ArchivedKey>> archived_key(const Connection& connection, std::string_view ca, Bytes serial_number);
Result<std::optional<KeyRecovery>> key_recovery(const Connection& connection, std::int64_t id);
Result<std::vector<KeyRecovery>> key_recoveries(const Connection& connection);
Result<std::optional<DecryptionKey>> decryption_key(const Connection& connection, Bytes identifier, bool shared);
Result<std::vector<DecryptionKey>> decryption_keys(const Connection& connection);
/// CertificateRecord::id of each.
Result<std::vector<std::int64_t>> archived_certificates(const Connection& connection, std::string_view ca, std::string_view label,
                                                        std::string_view requester, std::string_view subject, std::size_t count_max);
Result<std::optional<std::int64_t>> certificate_of_key(const Connection& connection, std::string_view ca, Bytes key_identifier);

}  // namespace estuary::store::sqlite
