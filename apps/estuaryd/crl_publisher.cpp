#include "apps/estuaryd/crl_publisher.h"

#include <algorithm>

#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {
namespace {

using authority::CrlKind;
using namespace std::chrono_literals;

constexpr std::size_t changes_page = 1000;
constexpr auto look_interval = 60s;      // for files that somebody removed, and records that another node wrote
constexpr auto storm_pause = 1s;         // between lists of one shard while revocations come in
constexpr unsigned storm_share = 4;      // and large lists take at most a fifth of the time
constexpr auto failure_pause_max = 60s;
constexpr unsigned failure_doublings_max = 6;

bool is_of(const PublishedCrl& published, const authority::CaConfig& ca) {
    const auto key = ca.certificate.subject_key_id();
    const auto named = published.list.authority_key_id();
    return published.list.issuer() == ca.certificate.subject() && (!key || !named || same(*key, *named));
}

/// What it issued has expired with it: nobody asks any more.
bool has_ended(const StatusIssuer& issuer, Time now) { return issuer.former && issuer.config().certificate.not_after() <= now; }

/// Whether the file is what the record tells of, or newer.
bool has_file(CrlFiles& files, const StatusIssuer& issuer, const store::CrlRecord& record) {
    const auto published = files.find(crl_file_name(issuer.base, record.shard, record.delta));
    if (!published || !is_of(**published, issuer.config())) return false;
    const auto& number = (*published)->list.crl_number();
    return number && *number >= x509::CrlNumber{static_cast<std::uint64_t>(record.number)};
}

/// Nothing for what no list of ours has.
std::optional<std::int64_t> value_of(const std::optional<x509::CrlNumber>& number) {
    constexpr std::size_t octets_max = 7;
    if (!number || number->octets.size() > octets_max) return {};
    std::int64_t value = 0;
    for (const auto octet : number->octets) value = value << 8 | octet;
    return value;
}

/// The number of a list that lies in the directory, where the store does not know of it: a database that was restored is older
/// than what relying parties have. 0 otherwise.
Result<std::int64_t> forgotten_number(const StatusIssuer& issuer, unsigned shard, CrlFiles& files, store::Store& store) {
    std::int64_t recorded = 0, released = 0;
    for (const bool delta : {false, true}) {
        ESTUARY_TRY(const auto record, store.crl(issuer.base, shard, delta));
        if (record) recorded = std::max(recorded, record->number);
    }
    for (const bool delta : {false, true}) {
        const auto published = files.find(crl_file_name(issuer.base, shard, delta));
        const auto number = published ? value_of((*published)->list.crl_number()) : std::nullopt;
        if (number.value_or(0) > std::max(recorded, released) && (*published)->list.verify_issued_by(issuer.config().certificate))
            released = *number;
    }
    return released;
}

}  // namespace

Result<PublishedList> publish_crl(const StatusIssuer& issuer, unsigned shard, CrlKind kind, CrlFiles& files, store::Store& store) {
    const auto file_name = crl_file_name(issuer.base, shard, kind == CrlKind::delta);
    ESTUARY_TRY(const auto lock, files.lock());
    ESTUARY_TRY(const auto above, forgotten_number(issuer, shard, files, store));
    store::UnitOfWork work;
    ESTUARY_TRY(auto made, issuer.authority->make_crl(issuer.ca, shard, kind, work, above));
    ESTUARY_CHECK(files.stage(file_name, made.der));
    if (auto stored = store.commit(std::move(work)); !stored) {
        files.abandon(file_name);
        return fail(std::move(stored).error());
    }
    ESTUARY_CHECK(files.release(file_name));
    return PublishedList{std::move(made.record), file_name};
}

Result<std::vector<store::RevocationChange>> RevocationWatch::news() {
    std::vector<store::RevocationChange> all;
    ESTUARY_TRY(const auto last, store_.last_revocation_change());
    while (position_ < last) {
        ESTUARY_TRY(auto page, store_.revocation_changes(position_, changes_page));
        if (page.empty()) {
            position_ = last;
            break;
        }
        position_ = page.back().position;
        std::ranges::move(page, std::back_inserter(all));
    }
    return all;
}

const StatusIssuer* CrlPublisher::issuer_of(const Key& key) const {
    for (const auto& issuer : service_->issuers())
        if (issuer.base == key.base && !has_ended(issuer, clock_.now())) return &issuer;
    return nullptr;
}

void CrlPublisher::step(const std::shared_ptr<StatusService>& service, CrlFiles& files, Moment now,
                        const std::stop_token& stop) {
    if (service != service_) {
        service_ = service;
        next_look_ = now;
    }
    if (now >= next_look_) {
        next_look_ = now + look_interval;
        if (auto looked = look_at_all(files, now); !looked) return trouble(looked.error());
    }
    if (auto taken = take_news(); !taken) return trouble(taken.error());
    trouble_.clear();
    for (auto& [key, shard] : shards_) {
        if (stop.stop_requested()) return;
        if (now < shard.not_before) continue;
        const auto* issuer = issuer_of(key);
        if (issuer == nullptr) continue;
        if (const auto kind = due(*issuer, shard)) publish(*issuer, key, shard, *kind, files, now);
    }
}

/// Of the store as a whole; logged when it begins.
void CrlPublisher::trouble(const Error& error) {
    next_look_ = std::min(next_look_, std::chrono::steady_clock::now() + storm_pause);
    const auto text = error.detail + error.cause;
    if (trouble_ != text) log::error("revocations cannot be watched", {{"detail", error.detail}, {"cause", error.cause}});
    trouble_ = text;
}

Result<void> CrlPublisher::look_at_all(CrlFiles& files, Moment now) {
    std::map<Key, Shard> shards;
    std::optional<std::int64_t> told;  // what every list has told already
    for (const auto& issuer : service_->issuers()) {
        if (has_ended(issuer, clock_.now())) continue;
        ESTUARY_TRY(const auto count, issuer.authority->crl_shards(issuer.ca));
        for (unsigned number = 0; number < count; ++number) {
            const Key key{issuer.base, number};
            auto& shard = shards[key];
            if (const auto known = shards_.find(key); known != shards_.end()) shard = known->second;
            if (auto looked = look_at(issuer, number, shard, files); !looked) {
                failed(key, shard, looked.error(), now);
            } else if (shard.complete) {
                const auto position = std::max(shard.complete->position, shard.delta ? shard.delta->position : 0);
                told = told ? std::min(*told, position) : position;
            }
        }
    }
    shards_ = std::move(shards);
    if (watch_) return {};
    // Of what was revoked while nobody watched, too, each list has to tell.
    if (!told) {
        ESTUARY_TRY(told, store_.last_revocation_change());
    }
    watch_.emplace(store_, *told);
    return {};
}

Result<void> CrlPublisher::look_at(const StatusIssuer& issuer, unsigned number, Shard& shard, CrlFiles& files) {
    ESTUARY_TRY(shard.complete, store_.crl(issuer.base, number, false));
    ESTUARY_TRY(shard.delta, store_.crl(issuer.base, number, true));
    shard.complete_missing = shard.complete && !has_file(files, issuer, *shard.complete);
    shard.delta_missing = shard.delta && !has_file(files, issuer, *shard.delta);
    return {};
}

Result<void> CrlPublisher::take_news() {
    if (!watch_) return {};
    ESTUARY_TRY(const auto news, watch_->news());
    for (const auto& change : news) {
        // The log does not say which generation issued the certificate: each tells it.
        for (const auto& issuer : service_->issuers()) {
            if (issuer.ca != change.ca) continue;
            const auto found = shards_.find(Key{issuer.base, change.shard});
            if (found != shards_.end()) found->second.wanted = std::max(found->second.wanted, change.position);
        }
    }
    return {};
}

std::optional<CrlKind> CrlPublisher::due(const StatusIssuer& issuer, const Shard& shard) const {
    const auto& crl = issuer.section->crl;
    const auto now = clock_.now();
    const auto& complete = shard.complete;
    const auto& delta = shard.delta;
    if (!complete || shard.complete_missing || now >= std::min(complete->this_update + crl.interval, complete->next_update))
        return CrlKind::complete;
    const bool has_delta = delta && delta->base_number == complete->number;
    const auto told = std::max(complete->position, has_delta ? delta->position : 0);
    if (shard.wanted > told) return crl.deltas ? CrlKind::delta : CrlKind::complete;
    if (!crl.deltas) return {};
    if (!has_delta || shard.delta_missing || now >= std::min(delta->this_update + crl.delta_interval, delta->next_update))
        return CrlKind::delta;
    return {};
}

void CrlPublisher::publish(const StatusIssuer& issuer, const Key& key, Shard& shard, CrlKind kind, CrlFiles& files, Moment now) {
    const auto begun = std::chrono::steady_clock::now();
    const auto published = publish_crl(issuer, key.shard, kind, files, store_);
    if (!published) return failed(key, shard, published.error(), now);
    const auto& record = published->record;
    const auto took = std::chrono::steady_clock::now() - begun;
    log::info("CRL published", {{"file", published->file_name},
                                {"number", record.number},
                                {"entries", record.entries},
                                {"next_update", to_iso8601(record.next_update)},
                                {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
    shard.failures = 0;
    shard.trouble.clear();
    if (kind == CrlKind::delta) {
        shard.delta = record;
        shard.delta_missing = false;
    } else {
        shard.complete = record;
        shard.complete_missing = false;
        // A delta belongs to each complete list, at once: its base is that list's number.
        if (issuer.section->crl.deltas) return publish(issuer, key, shard, CrlKind::delta, files, now);
    }
    shard.not_before = now + std::max<std::chrono::steady_clock::duration>(storm_pause, took * storm_share);
}

void CrlPublisher::failed(const Key& key, Shard& shard, const Error& error, Moment now) {
    auto pause = std::chrono::seconds{1U << std::min(shard.failures, failure_doublings_max)};
    ++shard.failures;
    shard.not_before = now + std::min<std::chrono::seconds>(pause, failure_pause_max);
    if (const auto text = error.detail + error.cause; shard.trouble != text) {
        shard.trouble = text;
        log::error("CRL not published; trying on", {{"ca", key.base}, {"shard", key.shard}, {"detail", error.detail}, {"cause", error.cause}});
    }
    next_look_ = std::min(next_look_, shard.not_before);  // what does the store say, and the directory?
}

}  // namespace estuary::daemon
