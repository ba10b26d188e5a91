// The store over SQLite: puts its parts together.
#include "estuary/store/key_store.h"
#include "estuary/store/package_store.h"
#include "estuary/store/revocation_reads.h"
#include "estuary/store/transaction_reads.h"
#include "estuary/store/upkeep.h"

namespace estuary::store {
namespace {

using sqlite::Reads;

class SqliteStore final : public Store {
public:
    static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path, const Options& options) {
        std::unique_ptr<SqliteStore> store{new SqliteStore{path, options}};
        ESTUARY_TRY(store->writer_, sqlite::Writer::start(path, options, store->checkpointer_));
        return store;
    }

    void submit(UnitOfWork work, Committed committed) override { writer_->submit(std::move(work), std::move(committed)); }

    Result<std::optional<CertificateRecord>> certificate(std::string_view ca, Bytes serial_number) override {
        return readers_.with([&](const Reads& reads) { return reads.certificate(ca, serial_number); });
    }
    Result<std::optional<CertificateRecord>> certificate(std::int64_t id) override {
        return readers_.with([&](const Reads& reads) { return reads.certificate(id); });
    }
    Result<std::optional<CertificateStatus>> certificate_status(std::string_view ca, Bytes serial_number) override {
        return readers_.with([&](const Reads& reads) { return reads.certificate_status(ca, serial_number); });
    }
    Result<std::optional<CertificateRecord>> certificate_of_request(const RequestKey& key) override {
        return readers_.with([&](const Reads& reads) { return reads.certificate_of_request(key); });
    }
    Result<std::int64_t> visit_revoked(const RevokedQuery& query,
                                       const std::function<void(const RevokedCertificate&)>& visit) override {
        return readers_.with([&](const Reads& reads) { return sqlite::visit_revoked(reads.connection(), query, visit); });
    }
    Result<std::vector<RevocationChange>> revocation_changes(std::int64_t after, std::size_t count_max) override {
        return readers_.with([&](const Reads& reads) { return sqlite::revocation_changes(reads.connection(), after, count_max); });
    }
    Result<std::int64_t> last_revocation_change() override {
        return readers_.with([](const Reads& reads) { return sqlite::last_revocation_change(reads.connection()); });
    }
    Result<std::optional<CrlRecord>> crl(std::string_view ca, unsigned shard, bool delta) override {
        return readers_.with([&](const Reads& reads) { return sqlite::crl(reads.connection(), ca, shard, delta); });
    }
    Result<std::vector<CrlRecord>> crls() override {
        return readers_.with([](const Reads& reads) { return sqlite::crls(reads.connection()); });
    }
    Result<std::vector<CertificateRecord>> certificates(const CertificateFilter& filter) override {
        return readers_.with([&](const Reads& reads) { return reads.certificates(filter); });
    }
    Result<std::int64_t> count_certificates() override {
        return readers_.with([](const Reads& reads) { return reads.count_certificates(); });
    }
    Result<std::optional<CredentialRecord>> credential(std::string_view name) override {
        return readers_.with([&](const Reads& reads) { return reads.credential(name); });
    }
    Result<std::vector<CredentialRecord>> credentials() override {
        return readers_.with([](const Reads& reads) { return reads.credentials(); });
    }
    Result<std::optional<PendingRequest>> pending_request(const RequestKey& key) override {
        return readers_.with([&](const Reads& reads) { return reads.pending_request(key); });
    }
    Result<std::optional<PendingRequest>> pending_request(std::int64_t id) override {
        return readers_.with([&](const Reads& reads) { return reads.pending_request(id); });
    }
    Result<std::vector<PendingRequest>> pending_requests(std::optional<PendingRequest::State> state) override {
        return readers_.with([&](const Reads& reads) { return reads.pending_requests(state); });
    }
    Result<std::optional<TransactionRecord>> transaction(std::string_view protocol, const RequestKey& key) override {
        return readers_.with([&](const Reads& reads) { return sqlite::transaction(reads.transaction(), protocol, key); });
    }
    Result<std::optional<UnconfirmedCertificate>> unconfirmed(std::string_view ca, Bytes serial_number) override {
        return readers_.with([&](const Reads& reads) { return sqlite::unconfirmed(reads.unconfirmed(), ca, serial_number); });
    }
    Result<std::vector<UnconfirmedCertificate>> unconfirmed(Time before, std::size_t count_max) override {
        return readers_.with([&](const Reads& reads) { return sqlite::unconfirmed(reads.connection(), before, count_max); });
    }
    Result<std::vector<AuditEvent>> audit(std::int64_t after_id, std::size_t count_max) override {
        return readers_.with([&](const Reads& reads) { return reads.audit(after_id, count_max); });
    }
    Result<std::optional<std::string>> setting(std::string_view name) override {
        return readers_.with([&](const Reads& reads) { return reads.setting(name); });
    }
    PackageReads* package_reads() noexcept override { return &packages_; }
    KeyReads* key_reads() noexcept override { return &keys_; }
    Result<std::size_t> tidy(Time before) override { return sqlite::tidy(readers_, *writer_, before); }
    Result<std::size_t> end_transactions(Time now) override {
        std::size_t gone = 0;
        for (;;) {
            // Nothing to do is found without the writer's lock.
            ESTUARY_TRY(const bool any, readers_.with([&](const Reads& reads) { return sqlite::any_transaction_ended(reads.connection(), now); }));
            if (!any) return gone;
            ESTUARY_TRY(const auto count, writer_->run([&](const sqlite::Connection& connection) { return sqlite::end_some_transactions(connection, now); }));
            gone += count;
        }
    }
    Result<void> backup(const std::filesystem::path& target) override { return sqlite::backup(path_, options_, target); }
    Result<void> check() override {
        return readers_.with([](const Reads& reads) { return reads.check(); });
    }

private:
    SqliteStore(const std::filesystem::path& path, const Options& options)
        : path_{path}, options_{options}, readers_{path, options}, checkpointer_{path, options} {}

    std::filesystem::path path_;
    Options options_;
    // Destroyed from below: the writer first, which commits what is queued.
    sqlite::ReaderPool readers_;
    sqlite::PackagesOfPool packages_{readers_};
    sqlite::KeysOfPool keys_{readers_};
    sqlite::Checkpointer checkpointer_;
    std::unique_ptr<sqlite::Writer> writer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& path, Options options, bool create) {
    ESTUARY_CHECK(sqlite::prepare_file(path, options, create));
    return SqliteStore::open(path, options);
}

}  // namespace estuary::store
