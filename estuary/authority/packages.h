#pragma once
// Packages that wait for clients (RFC 8295): who may see, fetch and acknowledge which. What is in them is not looked at here.
// Synchronous; thread-safe. As with every verb, nothing may be told to the peer before `work` is committed.
#include "estuary/authority/principal.h"
#include "estuary/store/store.h"

namespace estuary::authority {

/// Whom a package is for.
struct PackageRecipient {
    std::string text;  ///< as the operator wrote it
    std::string key;   ///< what clients are found by

    /// "any"; "subject:CN=a,O=b" (certificates of ours with this subject), "certificate:CA/SERIAL" and "manufacturer:NAME/SERIAL"
    /// (serial number in hexadecimal), "credential:NAME". malformed.
    static Result<PackageRecipient> parse(std::string_view text);
    bool is_subject() const { return key.starts_with("subject:"); }
};

/// Who asks, under which label.
struct PackageClient {
    Principal principal;
    std::string label, ca, profile;
};

/// What a client returns.
struct ReturnedReceipt {
    std::string operation;                ///< "firmware"
    std::vector<std::string> types;       ///< PAL types of the packages that such a receipt can be for
    std::optional<std::int64_t> package;  ///< nothing: the one whose receipt is due, if it is only one
    std::string content_type;             ///< "firmwareLoadReceipt"
    std::string signer;                   ///< subject of the verified signer; empty: not signed
    Bytes der;
};

class Packages {
public:
    /// Both outlive it.
    Packages(store::PackageReads& reads, const Clock& clock) : reads_{reads}, clock_{clock} {}

    /// Those that wait for this client, fetched before or not, in the order of their numbers; none for a password that is used
    /// up. not_authenticated; not_authorised: a certificate of another label or CA, a password for another profile.
    Result<std::vector<store::WaitingPackage>> waiting(const PackageClient& client, bool downloaded, std::int64_t after_id,
                                                       std::size_t count_max) const;
    /// One package with its content; `work` records the download. Without `id`: the oldest of these types that was not fetched
    /// yet, or else the newest. not_found: nothing waits, or it waits for somebody else (bug class 7);
    /// not_authorised: also a password that is used up. With `look_only`, nothing
    /// is recorded, and the content must not leave.
    Result<store::PackageRecord> fetch(const PackageClient& client, std::optional<std::int64_t> id,
                                       const std::vector<std::string>& types, bool look_only, store::UnitOfWork& work) const;
    /// Records a receipt. The same octets again change nothing (bug class 25). not_found: no such package of this client;
    /// policy: it has returned too many.
    Result<void> give_back(const PackageClient& client, const ReturnedReceipt& receipt, store::UnitOfWork& work) const;

    /// Requests of this client that a person has approved or denied since it asked, oldest first; also for a password that this
    /// very request has used up.
    Result<std::vector<store::PendingRequest>> decided(const PackageClient& client) const;

private:
    Result<store::PackageQuery> query_of(const PackageClient& client) const;
    Result<std::optional<std::int64_t>> package_of(store::PackageQuery query, const ReturnedReceipt& receipt) const;
    void audit(store::UnitOfWork& work, std::string event, const PackageClient& client, std::string object, std::string detail) const;

    store::PackageReads& reads_;
    const Clock& clock_;
};

}  // namespace estuary::authority
