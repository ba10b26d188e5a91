#pragma once
// Every read as SQL, on connections of its own: readers never wait for the writer.
#include <mutex>

#include "estuary/store/database_file.h"

namespace estuary::store::sqlite {

/// One reading connection with its prepared statements; used by one thread at a time.
class Reads {
public:
    static Result<Reads> connect(const std::filesystem::path& path, const Options& options);

    Result<std::optional<CertificateRecord>> certificate(std::string_view ca, Bytes serial_number) const;
    Result<std::optional<CertificateRecord>> certificate(std::int64_t id) const;
    Result<std::optional<CertificateStatus>> certificate_status(std::string_view ca, Bytes serial_number) const;
    Result<std::optional<CertificateRecord>> certificate_of_request(const RequestKey& key) const;
    Result<std::vector<CertificateRecord>> certificates(const CertificateFilter& filter) const;
    Result<std::int64_t> count_certificates() const;
    Result<std::optional<CredentialRecord>> credential(std::string_view name) const;
    Result<std::vector<CredentialRecord>> credentials() const;
    Result<std::optional<PendingRequest>> pending_request(const RequestKey& key) const;
    Result<std::optional<PendingRequest>> pending_request(std::int64_t id) const;
    Result<std::vector<PendingRequest>> pending_requests(std::optional<PendingRequest::State> state) const;
    Result<std::vector<PendingRequest>> decided_requests(std::string_view requester, std::string_view label, Time now) const;
    Result<std::vector<AuditEvent>> audit(std::int64_t after_id, std::size_t count_max) const;
    Result<std::optional<std::string>> setting(std::string_view name) const;
    Result<void> check() const;
    const Connection& connection() const noexcept { return connection_; }
    const Statement& transaction() const noexcept { return sql_.transaction; }
    const Statement& unconfirmed() const noexcept { return sql_.unconfirmed; }

private:
    struct Statements {
        Statement certificate_by_serial, certificate_by_id, status, certificate_by_key, count, credential, pending_by_key,
            pending_by_id, setting, transaction, unconfirmed;
    };
    Reads(Connection connection, Statements statements)
        : connection_{std::move(connection)}, sql_{std::move(statements)} {}

    Connection connection_;
    Statements sql_;
};

/// Reading connections, lent for one read at a time; as many as there were threads reading at once.
class ReaderPool {
public:
    ReaderPool(std::filesystem::path path, Options options) : path_{std::move(path)}, options_{std::move(options)} {}

    /// read(reads) on some connection. One that failed is not used again.
    template <class Read>
    auto with(const Read& read) -> decltype(read(std::declval<const Reads&>())) {
        auto reads = take();
        if (!reads) return tl::unexpected<Error>(std::move(reads).error());
        auto result = read(**reads);
        if (result || result.error().code != Code::unavailable) give_back(std::move(*reads));
        return result;
    }

private:
    Result<std::unique_ptr<Reads>> take();
    void give_back(std::unique_ptr<Reads> reads);

    std::filesystem::path path_;
    Options options_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Reads>> idle_;  // guarded by mutex_
};

}  // namespace estuary::store::sqlite
