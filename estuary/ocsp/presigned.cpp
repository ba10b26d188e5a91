#include "estuary/ocsp/presigned.h"

#include <functional>

namespace estuary::ocsp {
namespace {

constexpr std::size_t shards = 16;
constexpr std::size_t sharded_from = 1024;   // fewer answers are kept in one part, so that the limit is exact
constexpr std::size_t entry_overhead = 400;  // list and table nodes, control block, allocator

/// Octets that are the same exactly for the same issuer, certificate, form and signer.
std::string name_of(std::size_t issuer, Bytes serial_number, std::size_t signer, Hash hash, bool null_parameters) {
    std::string name{as_text(serial_number)};
    const auto form = static_cast<std::uint8_t>(static_cast<unsigned>(hash) << 1 | (null_parameters ? 1u : 0u));
    for (const auto number : {issuer >> 8, issuer, signer >> 8, signer, std::size_t{form}})
        name += static_cast<char>(number & 0xFF);
    return name;
}

std::string name_of(const PresignedKey& key) {
    return name_of(key.issuer, key.id.positive_serial_number(), key.signer, *key.id.hash(), key.id.has_null_parameters());
}

}  // namespace

std::size_t Presigned::Entry::octets() const {
    return name.size() + key.id.der().size() + hit.answer->der.size() + hit.answer->etag.size() + sizeof(Entry) + sizeof(Answer) +
           entry_overhead;
}

void Presigned::Shard::erase(Entries::iterator entry) {
    octets -= entry->octets();
    by_name.erase(entry->name);
    entries.erase(entry);
}

Presigned::Presigned(const PresignedLimits& limits) {
    const std::size_t count = limits.count_max < sharded_from ? 1 : shards;
    count_max_ = limits.count_max / count;
    octets_max_ = limits.bytes_max / count;
    for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>());
}

bool Presigned::takes(const CertId& id) const noexcept {
    return count_max_ != 0 && (id.hash() == Hash::sha1 || id.hash() == Hash::sha256) && !id.positive_serial_number().empty();
}

Presigned::Shard& Presigned::shard_of(std::size_t issuer, Bytes serial_number) {
    const auto hash = std::hash<std::string_view>{}(as_text(serial_number)) + issuer;
    return *shards_[hash % shards_.size()];
}

std::optional<Presigned::Hit> Presigned::find(const PresignedKey& key, Time now) {
    const auto name = name_of(key);
    auto& shard = shard_of(key.issuer, key.id.positive_serial_number());
    const std::lock_guard lock{shard.mutex};
    const auto found = shard.by_name.find(name);
    if (found == shard.by_name.end()) return std::nullopt;
    const auto entry = found->second;
    const auto& answer = *entry->hit.answer;
    // A clock that was set back must not serve answers from the future.
    if (now < answer.this_update || now >= answer.fresh_until) return std::nullopt;
    entry->asked_for = true;
    shard.entries.splice(shard.entries.begin(), shard.entries, entry);
    return entry->hit;
}

Presigned::Ticket Presigned::begin(std::size_t issuer, Bytes serial_number) {
    auto& shard = shard_of(issuer, serial_number);
    const std::lock_guard lock{shard.mutex};
    return {shard.forgotten};
}

void Presigned::keep(const PresignedKey& key, Hit made, Ticket ticket) {
    auto& shard = shard_of(key.issuer, key.id.positive_serial_number());
    Entry entry{name_of(key), key, std::move(made), false};
    const auto octets = entry.octets();
    const std::lock_guard lock{shard.mutex};
    if (ticket.forgotten != shard.forgotten || octets > octets_max_) return;
    if (const auto old = shard.by_name.find(entry.name); old != shard.by_name.end()) shard.erase(old->second);
    while (!shard.entries.empty() && (shard.entries.size() >= count_max_ || shard.octets + octets > octets_max_))
        shard.erase(std::prev(shard.entries.end()));
    shard.entries.push_front(std::move(entry));
    shard.octets += octets;
    shard.by_name.emplace(shard.entries.front().name, shard.entries.begin());
}

void Presigned::forget(std::size_t issuer, Bytes serial_number, std::size_t signers) {
    auto& shard = shard_of(issuer, serial_number);
    const std::lock_guard lock{shard.mutex};
    ++shard.forgotten;
    for (std::size_t signer = 0; signer < signers; ++signer)
        for (const auto hash : {Hash::sha1, Hash::sha256})
            for (const bool null_parameters : {false, true}) {
                const auto found = shard.by_name.find(name_of(issuer, serial_number, signer, hash, null_parameters));
                if (found != shard.by_name.end()) shard.erase(found->second);
            }
}

void Presigned::drop(const PresignedKey& key) {
    auto& shard = shard_of(key.issuer, key.id.positive_serial_number());
    const std::lock_guard lock{shard.mutex};
    if (const auto found = shard.by_name.find(name_of(key)); found != shard.by_name.end()) shard.erase(found->second);
}

std::vector<Presigned::Due> Presigned::due(std::size_t part, Time now) {
    auto& shard = *shards_[part];
    const std::lock_guard lock{shard.mutex};
    std::vector<Due> all;
    for (const auto& entry : shard.entries) {
        const auto& answer = *entry.hit.answer;
        if (now >= answer.this_update + (answer.next_update - answer.this_update) / 2 || now < answer.this_update)
            all.push_back({entry.key, entry.asked_for, answer.next_update});
    }
    return all;
}

std::size_t Presigned::count() const {
    std::size_t total = 0;
    for (const auto& shard : shards_) {
        const std::lock_guard lock{shard->mutex};
        total += shard->entries.size();
    }
    return total;
}

}  // namespace estuary::ocsp
