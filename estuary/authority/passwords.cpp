#include "estuary/authority/passwords.h"

namespace estuary::authority {
namespace {

/// Long enough for a device's whole enrollment, short enough to forget.
constexpr Seconds remember_for{600};
/// 300 kB at most; a fleet with chosen passwords larger than this pays a hash now and then.
constexpr std::size_t remembered_max = 4096;
/// scrypt and HMAC cost in proportion to this; HTTP heads are smaller anyway.
constexpr std::size_t password_octets_max = 1024;

tl::unexpected<Error> busy(std::string detail, unsigned retry_after_s) {
    return fail(Error{Code::too_busy, std::move(detail), {}, retry_after_s});
}

/// Counts a slow hash for as long as it runs; does not wait for its turn.
class SlowHash {
public:
    SlowHash(std::atomic<unsigned>& running, unsigned max) : running_{running}, admitted_{++running <= max} {}
    SlowHash(const SlowHash&) = delete;
    SlowHash& operator=(const SlowHash&) = delete;
    ~SlowHash() { --running_; }
    bool admitted() const noexcept { return admitted_; }

private:
    std::atomic<unsigned>& running_;
    bool admitted_;
};

}  // namespace

PasswordChecker::PasswordChecker(const crypto::Secret& password_key, unsigned slow_hashes_max, crypto::Entropy& entropy)
    : password_key_{password_key}, slow_hashes_max_{slow_hashes_max}, failures_{entropy} {
    entropy.fill(process_key_);
    unknown_hash_ = crypto::hash_generated_password(crypto::generate_password(), password_key_);
}

tl::unexpected<Error> PasswordChecker::refused() { return fail(Code::not_authenticated, "name or password is wrong"); }

Result<void> PasswordChecker::check(const std::optional<store::CredentialRecord>& record, std::string_view name,
                                    const crypto::Secret& password, std::string_view address, Time now) {
    if (password.reveal().size() > password_octets_max) return failure(name, address, now);
    if (record && crypto::is_slow_hash(record->password_hash)) return check_slow(*record, password, name, address, now);
    return check_fast(record ? &*record : nullptr, password, name, address, now);
}

Result<void> PasswordChecker::check_fast(const store::CredentialRecord* record, const crypto::Secret& password,
                                         std::string_view name, std::string_view address, Time now) {
    // An unknown name, and a credential with Digest's value only, cost the same MAC.
    const bool has_hash = record != nullptr && !record->password_hash.empty();
    ESTUARY_TRY(const bool right, crypto::verify_password(password, has_hash ? record->password_hash : unknown_hash_, password_key_));
    const bool live = has_hash && (!record->expires_at || now < *record->expires_at);
    if (right && live) return {};
    if (const auto seconds = failures_.wait(address, {}, now); seconds != 0) {
        failures_.count(address, {}, now);
        return busy("too many failures from this address", seconds);
    }
    return failure(name, address, now);
}

Result<void> PasswordChecker::check_slow(const store::CredentialRecord& record, const crypto::Secret& password,
                                         std::string_view name, std::string_view address, Time now) {
    const bool live = !record.expires_at || now < *record.expires_at;
    const auto key = memory_key(record, password);
    if (live && remembers(key, now)) return {};
    // Whoever has not proved anything yet waits behind the failures of this address, and of this name from this address. Never
    // behind a name's failures from elsewhere: a stranger could lock out anybody.
    if (const auto seconds = std::max(failures_.wait(address, {}, now), failures_.wait(address, name, now)); seconds != 0)
        return busy("too many failures from this address", seconds);
    ESTUARY_CHECK(hash_slowly(record, password, name, address, now));
    if (!live) return failure(name, address, now);
    remember(key, now);
    return {};
}

Result<void> PasswordChecker::hash_slowly(const store::CredentialRecord& record, const crypto::Secret& password,
                                          std::string_view name, std::string_view address, Time now) {
    const SlowHash turn{slow_hashes_, slow_hashes_max_};
    if (!turn.admitted()) return busy("busy checking passwords", 1);
    ESTUARY_TRY(const bool right, crypto::verify_password(password, record.password_hash, password_key_));
    if (!right) return failure(name, address, now);
    return {};
}

tl::unexpected<Error> PasswordChecker::failure(std::string_view name, std::string_view address, Time now) {
    failed(name, address, now);
    return refused();
}

Result<void> PasswordChecker::may_try(std::string_view name, std::string_view address, Time now) {
    if (const auto seconds = failures_.wait(address, name, now); seconds != 0)
        return busy("too many failures of this name from this address", seconds);
    return {};
}

void PasswordChecker::failed(std::string_view name, std::string_view address, Time now) {
    failures_.count(address, {}, now);
    if (!name.empty()) failures_.count(address, name, now);
}

crypto::Sha256 PasswordChecker::memory_key(const store::CredentialRecord& record, const crypto::Secret& password) const {
    ByteVec joined;
    joined.reserve(8 + record.password_hash.size() + 1 + password.reveal().size());
    for (unsigned i = 0; i < 8; ++i) joined.push_back(static_cast<std::uint8_t>(record.id >> (8 * i)));
    append(joined, as_bytes(record.password_hash));
    joined.push_back(0);
    append(joined, password.reveal());
    const crypto::Secret input{std::move(joined)};
    return crypto::hmac_sha256(process_key_, input.reveal());
}

bool PasswordChecker::remembers(const crypto::Sha256& key, Time now) {
    const std::lock_guard lock{mutex_};
    const auto found = remembered_.find(key);
    return found != remembered_.end() && now < found->second;
}

void PasswordChecker::remember(const crypto::Sha256& key, Time now) {
    const std::lock_guard lock{mutex_};
    if (remembered_.size() >= remembered_max) {
        std::erase_if(remembered_, [&](const auto& entry) { return entry.second <= now; });
        if (remembered_.size() >= remembered_max) remembered_.erase(remembered_.begin());  // keys are random, so this one is too
    }
    remembered_[key] = now + remember_for;
}

}  // namespace estuary::authority
