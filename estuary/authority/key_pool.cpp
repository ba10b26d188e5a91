#include "estuary/authority/key_pool.h"

#include <chrono>
#include <set>

#include "estuary/base/log.h"

namespace estuary::authority {
namespace {

constexpr std::chrono::seconds pause_after_failure{10};
constexpr unsigned retry_s = 3;  // about what an RSA key of 4096 bits takes

/// Seconds rather than milliseconds, now and then.
bool is_slow(crypto::KeyKind kind) noexcept {
    switch (kind) {
        case crypto::KeyKind::rsa:
        case crypto::KeyKind::slh_dsa: return true;
        case crypto::KeyKind::ec:
        case crypto::KeyKind::ed25519:
        case crypto::KeyKind::ed448:
        case crypto::KeyKind::ml_dsa:
        case crypto::KeyKind::ml_kem:
        case crypto::KeyKind::other: return false;
    }
    return true;
}

}  // namespace

KeyPool::KeyPool(KeyPoolOptions options) : options_{std::move(options)} {}
KeyPool::~KeyPool() { stop(); }

void KeyPool::start() {
    const std::scoped_lock lock{mutex_};
    if (!threads_.empty()) return;
    for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

void KeyPool::stop() {
    std::vector<std::jthread> threads;
    {
        const std::scoped_lock lock{mutex_};
        threads.swap(threads_);
    }
    for (auto& thread : threads) thread.request_stop();
    threads.clear();  // joins
    const std::scoped_lock lock{mutex_};
    ready_.clear();
}

void KeyPool::configure(KeyPoolOptions options) {
    const std::scoped_lock lock{mutex_};
    options_ = std::move(options);
    changed_.notify_all();
}

Result<crypto::PrivateKey> KeyPool::take(const std::string& type) {
    ESTUARY_TRY(const auto* const known, crypto::key_type(type));
    {
        const std::scoped_lock lock{mutex_};
        auto& ready = ready_[type];
        if (!ready.empty()) {
            auto key = std::move(ready.back());
            ready.pop_back();
            changed_.notify_one();
            return key;
        }
    }
    return is_slow(known->kind) ? make_directly(type) : crypto::PrivateKey::generate(type);
}

Result<crypto::PrivateKey> KeyPool::make_directly(const std::string& type) {
    {
        const std::scoped_lock lock{mutex_};
        if (direct_ >= options_.direct_max) return fail(Error{Code::too_busy, "no key is ready; ask again soon", "key pool: " + type, retry_s});
        ++direct_;
    }
    auto key = crypto::PrivateKey::generate(type);
    const std::scoped_lock lock{mutex_};
    --direct_;
    return key;
}

void KeyPool::give_back(crypto::PrivateKey key) {
    const auto& type = key.public_key().type_name();
    const std::scoped_lock lock{mutex_};
    const auto wanted = options_.ready.find(type);
    auto& ready = ready_[type];
    if (wanted != options_.ready.end() && ready.size() < wanted->second) ready.push_back(std::move(key));
}

std::optional<std::string> KeyPool::lacking() const {
    for (const auto& [type, wanted] : options_.ready) {
        const auto ready = ready_.find(type);
        const auto under_way = under_way_.find(type);
        const auto there = (ready == ready_.end() ? 0 : ready->second.size()) + (under_way == under_way_.end() ? 0 : under_way->second);
        if (there < wanted) return type;
    }
    return std::nullopt;
}

void KeyPool::work(const std::stop_token& stop) {
    std::set<std::string> told;  // the first filling only: after that it happens all the time
    for (std::unique_lock lock{mutex_};;) {
        if (!changed_.wait(lock, stop, [this] { return lacking().has_value(); })) return;
        const auto type = *lacking();
        ++under_way_[type];
        lock.unlock();
        auto key = crypto::PrivateKey::generate(type);
        lock.lock();
        --under_way_[type];
        if (stop.stop_requested()) return;
        if (key) {
            auto& ready = ready_[type];
            ready.push_back(std::move(*key));
            const auto wanted = options_.ready.find(type);
            if (wanted != options_.ready.end() && ready.size() == wanted->second && told.insert(type).second)
                log::info("keys ready", {{"type", type}, {"count", ready.size()}});
        } else {
            log::error("no key made", {{"type", type}, {"detail", key.error().detail}, {"cause", key.error().cause}});
            changed_.wait_for(lock, stop, pause_after_failure, [] { return false; });
        }
    }
}

std::vector<KeyPool::Level> KeyPool::levels() const {
    const std::scoped_lock lock{mutex_};
    std::vector<Level> levels;
    for (const auto& [type, wanted] : options_.ready) {
        const auto ready = ready_.find(type);
        levels.push_back({type, ready == ready_.end() ? 0 : ready->second.size(), wanted});
    }
    return levels;
}

}  // namespace estuary::authority
