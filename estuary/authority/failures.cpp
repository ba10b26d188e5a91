#include "estuary/authority/failures.h"

#include <algorithm>

#include "estuary/x509/name.h"

namespace estuary::authority {
namespace {

/// An IPv6 host owns a /64 at least: it counts as one address. Text that is no address counts as it is.
std::string network_of(std::string_view address) {
    const auto parsed = x509::GeneralName::from_text("ip:" + std::string{address});
    if (!parsed || parsed->value.size() != 16) return std::string{address};
    return std::string{as_text(Bytes{parsed->value}.first(8))};
}

}  // namespace

Failures::Failures(crypto::Entropy& entropy) : table_(rows) { entropy.fill(key_); }

std::uint64_t Failures::tag(std::string_view address, std::string_view name) const {
    auto text = network_of(address);
    text += '\0';
    text += name;
    const auto mac = crypto::hmac_sha256(key_, as_bytes(text));
    std::uint64_t tag = 0;
    for (std::size_t i = 0; i < 8; ++i) tag = tag << 8 | mac[i];
    return tag;
}

std::uint32_t Failures::remembered(const Counter& counter, Time now) {
    const auto passed = std::max<std::int64_t>(0, now.time_since_epoch().count() - counter.last_s);
    const auto forgotten = passed / forget_one.count();
    return forgotten >= counter.failures ? 0 : counter.failures - static_cast<std::uint32_t>(forgotten);
}

unsigned Failures::wait(std::string_view address, std::string_view name, Time now) {
    const auto wanted = tag(address, name);
    const std::lock_guard lock{mutex_};
    for (const auto& counter : row(wanted)) {
        if (counter.tag != wanted) continue;
        const auto failures = remembered(counter, now);
        if (failures < free_failures) return 0;
        const unsigned doublings = std::min<unsigned>(failures - free_failures, 6);
        const auto pause = std::min<std::int64_t>(wait_s_max, std::int64_t{1} << doublings);
        const auto left = counter.last_s + pause - now.time_since_epoch().count();
        return left > 0 ? static_cast<unsigned>(std::min<std::int64_t>(left, pause)) : 0;
    }
    return 0;
}

void Failures::count(std::string_view address, std::string_view name, Time now) {
    const auto wanted = tag(address, name);
    const std::lock_guard lock{mutex_};
    auto& counters = row(wanted);
    auto slot = std::ranges::find(counters, wanted, &Counter::tag);
    if (slot == counters.end()) {
        slot = std::ranges::min_element(counters, {}, [&](const auto& counter) { return remembered(counter, now); });
        *slot = Counter{wanted, 0, 0};
    }
    const auto failures = remembered(*slot, now);
    // No further than the longest wait: who guessed for a day is not shut out for a week.
    slot->failures = std::min<std::uint32_t>(failures + 1, free_failures + 6);
    slot->last_s = now.time_since_epoch().count();
}

}  // namespace estuary::authority
