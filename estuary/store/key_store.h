#pragma once
// The reads of keys over the pool of reading connections.
#include "estuary/store/key_tables.h"
#include "estuary/store/sqlite_reads.h"

namespace estuary::store::sqlite {

class KeysOfPool final : public KeyReads {
public:
    explicit KeysOfPool(ReaderPool& readers) : readers_{readers} {}

    Result<std::optional<ArchivedKey>> archived_key(std::string_view ca, Bytes serial_number) override {
        return readers_.with([&](const Reads& reads) { return sqlite::archived_key(reads.connection(), ca, serial_number); });
    }
    Result<std::optional<KeyRecovery>> key_recovery(std::int64_t id) override {
        return readers_.with([&](const Reads& reads) { return sqlite::key_recovery(reads.connection(), id); });
    }
    Result<std::vector<KeyRecovery>> key_recoveries() override {
        return readers_.with([](const Reads& reads) { return sqlite::key_recoveries(reads.connection()); });
    }
    Result<std::optional<DecryptionKey>> shared_decryption_key(Bytes identifier) override {
        return readers_.with([&](const Reads& reads) { return sqlite::decryption_key(reads.connection(), identifier, true); });
    }
    Result<std::optional<DecryptionKey>> certified_decryption_key(Bytes identifier) override {
        return readers_.with([&](const Reads& reads) { return sqlite::decryption_key(reads.connection(), identifier, false); });
    }
    Result<std::vector<DecryptionKey>> decryption_keys() override {
        return readers_.with([](const Reads& reads) { return sqlite::decryption_keys(reads.connection()); });
    }
    Result<std::vector<CertificateRecord>> archived_certificates(std::string_view ca, std::string_view label, std::string_view requester,
                                                                 std::string_view subject, std::size_t count_max) override {
        return readers_.with([&](const Reads& reads) -> Result<std::vector<CertificateRecord>> {
            ESTUARY_TRY(const auto ids, sqlite::archived_certificates(reads.connection(), ca, label, requester, subject, count_max));
            std::vector<CertificateRecord> records;
            for (const auto id : ids) {
                ESTUARY_TRY(auto record, reads.certificate(id));
                if (record) records.push_back(std::move(*record));
            }
            return records;
        });
    }
    Result<std::optional<CertificateRecord>> certificate_of_key(std::string_view ca, Bytes key_identifier) override {
        return readers_.with([&](const Reads& reads) -> Result<std::optional<CertificateRecord>> {
            ESTUARY_TRY(const auto id, sqlite::certificate_of_key(reads.connection(), ca, key_identifier));
            if (!id) return std::nullopt;
            return reads.certificate(*id);
        });
    }

private:
    ReaderPool& readers_;
};

}  // namespace estuary::store::sqlite
