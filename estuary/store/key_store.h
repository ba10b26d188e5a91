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
