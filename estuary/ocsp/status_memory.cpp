#include "estuary/ocsp/status_memory.h"

#include <algorithm>

namespace estuary::ocsp {
namespace {

/// A clock that was set back must not make the past last.
template <class Entry>
bool holds(const Entry& entry, Time now) {
    return entry.since <= now && now < entry.until;
}

}  // namespace

StatusMemory::Key StatusMemory::key_of(const x509::Certificate& certificate, const x509::Certificate& issuer) {
    der::Writer writer;
    writer.octet_string(certificate.der()).octet_string(issuer.der());
    return crypto::sha256(writer.bytes());
}

std::optional<StatusReport> StatusMemory::find(const x509::Certificate& certificate, const x509::Certificate& issuer, Time now) {
    const auto key = key_of(certificate, issuer);
    const std::lock_guard lock{mutex_};
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || !holds(*found->second, now)) return std::nullopt;
    reports_.splice(reports_.begin(), reports_, found->second);
    return found->second->report;
}

void StatusMemory::keep(const x509::Certificate& certificate, const x509::Certificate& issuer, const StatusReport& report, Time now) {
    Report entry{key_of(certificate, issuer), report, now, now + limits_.trouble_for};
    if (report.standing != Standing::unknown) {
        const auto until = now + limits_.good_for_max;
        entry.until = std::max(entry.until, std::min(until, report.finding->next_update.value_or(now)));
    }
    const std::lock_guard lock{mutex_};
    if (const auto former = by_key_.find(entry.key); former != by_key_.end()) {
        reports_.erase(former->second);
        by_key_.erase(former);
    }
    while (!reports_.empty() && reports_.size() >= limits_.reports_max) {
        by_key_.erase(reports_.back().key);
        reports_.pop_back();
    }
    reports_.push_front(std::move(entry));
    by_key_.emplace(reports_.front().key, reports_.begin());
}

StatusReport StatusMemory::check(const Subject& subject, StatusOptions options, const Fetch& fetch, Time now) {
    if (auto known = find(subject.certificate, subject.issuer, now)) return std::move(*known);
    const Fetch through = [&](const http::Url& url, const http::Request& request, std::size_t bytes_max) {
        return fetch_from(url, request, bytes_max, fetch, now);
    };
    options.list_source = [&](const std::string& uri) { return list_at(uri, through, options.crl_bytes_max, now); };
    auto report = check_status(subject, options, through, now);
    keep(subject.certificate, subject.issuer, report, now);
    return report;
}

Result<http::Response> StatusMemory::fetch_from(const http::Url& url, const http::Request& request, std::size_t bytes_max,
                                                const Fetch& fetch, Time now) {
    const auto host = url.authority();
    {
        const std::lock_guard lock{mutex_};
        const auto found = silent_.find(host);
        if (found != silent_.end() && holds(found->second, now)) return fail(found->second.error);
    }
    auto response = fetch(url, request, bytes_max);
    const std::lock_guard lock{mutex_};
    if (response) {
        silent_.erase(host);
    } else if (response.error().code == Code::unavailable) {
        std::erase_if(silent_, [&](const auto& entry) { return !holds(entry.second, now); });
        if (silent_.size() < limits_.hosts_max) silent_.insert_or_assign(host, Silence{response.error(), now, now + limits_.trouble_for});
    }
    return response;
}

Result<x509::RevocationList> StatusMemory::list_at(const std::string& uri, const Fetch& fetch, std::size_t bytes_max, Time now) {
    {
        const std::lock_guard lock{mutex_};
        const auto found = std::ranges::find(lists_, uri, &List::uri);
        if (found != lists_.end() && holds(*found, now)) {
            lists_.splice(lists_.begin(), lists_, found);
            return found->list;
        }
    }
    ESTUARY_TRY(auto list, fetch_list(uri, fetch, bytes_max));
    keep_list(uri, list, now);
    return list;
}

/// Whether it is signed, and fresh, is looked at whenever it is used.
void StatusMemory::keep_list(const std::string& uri, const x509::RevocationList& list, Time now) {
    const auto until = std::min(list.next_update().value_or(now + limits_.trouble_for), now + limits_.good_for_max);
    const auto octets = list.der().size();
    const std::lock_guard lock{mutex_};
    const auto drop = [this](std::list<List>::iterator entry) {
        list_octets_ -= entry->list.der().size();
        lists_.erase(entry);
    };
    if (const auto former = std::ranges::find(lists_, uri, &List::uri); former != lists_.end()) drop(former);
    if (octets > limits_.list_octets_max || until <= now) return;
    while (list_octets_ + octets > limits_.list_octets_max) drop(std::prev(lists_.end()));
    lists_.push_front({uri, list, now, until});
    list_octets_ += octets;
}

std::size_t StatusMemory::report_count() const {
    const std::lock_guard lock{mutex_};
    return reports_.size();
}

std::size_t StatusMemory::list_octets() const {
    const std::lock_guard lock{mutex_};
    return list_octets_;
}

}  // namespace estuary::ocsp
