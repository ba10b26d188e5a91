#pragma once
// The reads of packages over the pool of reading connections.
#include "estuary/store/package_tables.h"
#include "estuary/store/sqlite_reads.h"

namespace estuary::store::sqlite {

class PackagesOfPool final : public PackageReads {
public:
    explicit PackagesOfPool(ReaderPool& readers) : readers_{readers} {}

    Result<std::vector<PackageRecord>> packages() override {
        return readers_.with([](const Reads& reads) { return sqlite::packages(reads.connection()); });
    }
    Result<std::optional<PackageRecord>> package(std::int64_t id) override {
        return readers_.with([&](const Reads& reads) { return sqlite::package(reads.connection(), id); });
    }
    Result<std::vector<WaitingPackage>> waiting_packages(const PackageQuery& query) override {
        return readers_.with([&](const Reads& reads) { return sqlite::waiting_packages(reads.connection(), query); });
    }
    Result<std::vector<PackageDownload>> package_downloads(std::int64_t package) override {
        return readers_.with([&](const Reads& reads) { return sqlite::package_downloads(reads.connection(), package); });
    }
    Result<std::vector<PackageReceipt>> package_receipts(const ReceiptFilter& filter) override {
        return readers_.with([&](const Reads& reads) { return sqlite::package_receipts(reads.connection(), filter); });
    }
    Result<std::optional<PackageReceipt>> package_receipt(std::int64_t id) override {
        return readers_.with([&](const Reads& reads) { return sqlite::package_receipt(reads.connection(), id); });
    }
    Result<bool> has_receipt(std::string_view client, Bytes digest) override {
        return readers_.with([&](const Reads& reads) { return sqlite::has_receipt(reads.connection(), client, digest); });
    }
    Result<std::int64_t> count_receipts(std::string_view client, std::optional<std::int64_t> package) override {
        return readers_.with([&](const Reads& reads) { return sqlite::count_receipts(reads.connection(), client, package); });
    }
    Result<std::vector<PendingRequest>> decided_requests(std::string_view requester, std::string_view label, Time now) override {
        return readers_.with([&](const Reads& reads) { return reads.decided_requests(requester, label, now); });
    }

private:
    ReaderPool& readers_;
};

}  // namespace estuary::store::sqlite
