#pragma once
// What was learnt of the status of others' certificates, for a while: reports that were believed, lists, and hosts that did not
// answer. For those who ask again and again, a server above all.
#include <list>
#include <map>
#include <mutex>

#include "estuary/crypto/digest.h"
#include "estuary/ocsp/status_check.h"

namespace estuary::ocsp {

/// Bounded in everything, safe to use from several threads, never waits for the network while it is locked.
class StatusMemory {
public:
    struct Limits {
        std::size_t reports_max = 10'000;               ///< about a kilobyte each
        std::size_t list_octets_max = std::size_t{128} << 20;
        std::size_t hosts_max = 1'000;
        Seconds good_for_max{3600};                     ///< a report or list holds until its nextUpdate, but no longer than this
        Seconds trouble_for{60};                        ///< what could not be learnt is not tried again before
    };
    StatusMemory() : StatusMemory{Limits{}} {}
    explicit StatusMemory(const Limits& limits) : limits_{limits} {}

    /// Nothing: never asked, or too long ago.
    std::optional<StatusReport> find(const x509::Certificate& certificate, const x509::Certificate& issuer, Time now);
    void keep(const x509::Certificate& certificate, const x509::Certificate& issuer, const StatusReport& report, Time now);

    /// check_status through this memory: reports, lists and silent hosts. `fetch` is called for what it does not know.
    StatusReport check(const Subject& subject, StatusOptions options, const Fetch& fetch, Time now);

    std::size_t report_count() const;
    std::size_t list_octets() const;

private:
    using Key = crypto::Sha256;
    struct Report {
        Key key{};
        StatusReport report;
        Time since{}, until{};
    };
    struct List {
        std::string uri;
        x509::RevocationList list;
        Time since{}, until{};
    };
    struct Silence {
        Error error;
        Time since{}, until{};
    };

    static Key key_of(const x509::Certificate& certificate, const x509::Certificate& issuer);
    Result<x509::RevocationList> list_at(const std::string& uri, const Fetch& fetch, std::size_t bytes_max, Time now);
    /// `fetch`, but hosts that were silent a moment ago are not waited for again.
    Result<http::Response> fetch_from(const http::Url& url, const http::Request& request, std::size_t bytes_max, const Fetch& fetch,
                                      Time now);
    void keep_list(const std::string& uri, const x509::RevocationList& list, Time now);

    Limits limits_;
    mutable std::mutex mutex_;
    std::list<Report> reports_;  // asked for last comes first
    std::map<Key, std::list<Report>::iterator> by_key_;
    std::list<List> lists_;      // the same; few, so looked through
    std::size_t list_octets_ = 0;
    std::map<std::string, Silence> silent_;  // by "host:port"
};

}  // namespace estuary::ocsp
