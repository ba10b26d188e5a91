#pragma once
// Packages that wait for clients (RFC 8295): what was put there, who fetched it, and the receipts that came back.
#include <memory>

#include "estuary/store/records.h"

namespace estuary::store {

struct PackageRecord {
    std::int64_t id = 0;                    ///< given by the store; never used twice
    std::string type;                       ///< PAL package type: "0026" (RFC 8295 2.1.1)
    std::optional<std::string> label;       ///< under which it waits; nothing: under every label
    std::string recipient;                  ///< for people: "any", "subject:CN=a", "certificate:CA/SERIAL", "credential:NAME"
    std::string recipient_key;              ///< what its clients are found by; made by the authority
    std::string media_type;                 ///< Content-Type of the answer, with parameters
    bool encrypted = false;                 ///< its content is for the recipient's eyes only
    bool receipt_wanted = false;
    std::array<std::uint8_t, 32> digest{};  ///< SHA-256 of the content
    std::int64_t size = 0;                  ///< octets of the content
    std::string note;                       ///< of the operator, for the operator
    Time created_at{}, available_from{};
    std::optional<Time> available_until;
    ByteVec content;                        ///< DER; not read into lists
};

/// When one client fetched a package.
struct PackageDownload {
    std::int64_t package = 0;
    std::string client;
    Time first_at{}, last_at{};
    std::int64_t count = 0;
};

/// A receipt, response, confirm or error that a client returned.
struct PackageReceipt {
    std::int64_t id = 0;
    std::optional<std::int64_t> package;    ///< nothing: the client did not say for which
    std::string operation;                  ///< "symmetrickeys", "firmware", "tamp", "serverkeygen"
    std::string client, requester, label;   ///< requester: who was authenticated, as in CertificateRecord
    std::string content_type;               ///< "keyPackageReceipt"
    std::string signer;                     ///< subject of the verified signer's certificate; empty: not signed
    std::array<std::uint8_t, 32> digest{};
    std::int64_t size = 0;
    Time received_at{};
    ByteVec content;                        ///< DER as it came; not read into lists
};

/// What a client may see, and from where on.
struct PackageQuery {
    std::string label, client;
    std::vector<std::string> recipient_keys;
    std::vector<std::string> types;         ///< empty: all
    std::optional<std::int64_t> id;         ///< only this one
    std::optional<Time> available_at;       ///< nothing: whenever that was or will be
    std::optional<bool> downloaded;         ///< by this client; nothing: both
    std::int64_t after_id = 0;
    std::size_t count_max = 1000;
    bool newest_first = false;
};
struct WaitingPackage {
    PackageRecord record;                   ///< without content
    std::optional<Time> downloaded_at;      ///< last, by this client
    bool receipted = false;                 ///< a receipt or error of this client is there
};

struct ReceiptFilter {
    std::optional<std::int64_t> package;
    std::int64_t after_id = 0;
    std::size_t count_max = 1000;
};

// The writes; as all of them, each with its guard (store.h).

struct InsertPackage {
    PackageRecord record;                   ///< guard: these octets do not wait for this recipient and label already
};
struct RemovePackage {
    std::int64_t id;                        ///< guard: exists. The downloads go, receipts stay
};
struct RecordDownload {
    std::int64_t package;                   ///< guard: exists
    std::string client;
    Time at{};
};
struct InsertReceipt {
    PackageReceipt record;                  ///< guard: this client has not returned these octets before
};

/// The reads, from any thread.
class PackageReads {
public:
    virtual ~PackageReads() = default;
    /// All, without content, oldest first.
    virtual Result<std::vector<PackageRecord>> packages() = 0;
    virtual Result<std::optional<PackageRecord>> package(std::int64_t id) = 0;
    /// In the order of their numbers, without content.
    virtual Result<std::vector<WaitingPackage>> waiting_packages(const PackageQuery& query) = 0;
    virtual Result<std::vector<PackageDownload>> package_downloads(std::int64_t package) = 0;
    /// Oldest first, without content.
    virtual Result<std::vector<PackageReceipt>> package_receipts(const ReceiptFilter& filter) = 0;
    virtual Result<std::optional<PackageReceipt>> package_receipt(std::int64_t id) = 0;
    virtual Result<bool> has_receipt(std::string_view client, Bytes digest) = 0;
    virtual Result<std::int64_t> count_receipts(std::string_view client, std::optional<std::int64_t> package) = 0;
    /// Requests of this requester under this label that were approved or denied, oldest first.
    virtual Result<std::vector<PendingRequest>> decided_requests(std::string_view requester, std::string_view label, Time now) = 0;
};

}  // namespace estuary::store
