#include "estuary/est/digest_nonces.h"

#include "estuary/base/encoding.h"

namespace estuary::est {
namespace {

constexpr std::size_t part_octets = 8;
constexpr std::size_t mac_octets = 16;
constexpr std::size_t nonce_octets = 2 * part_octets + mac_octets;

void put(ByteVec& to, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint64_t take(Bytes from) {
    std::uint64_t value = 0;
    for (const auto octet : from.first(part_octets)) value = value << 8 | octet;
    return value;
}

crypto::Secret new_key(crypto::Entropy& entropy) {
    ByteVec key(32);
    entropy.fill(key);
    return crypto::Secret{std::move(key)};
}

}  // namespace

DigestNonces::DigestNonces(Seconds lifetime, const Clock& clock, crypto::Entropy& entropy, std::size_t counted)
    : lifetime_{lifetime}, clock_{clock}, counted_max_{counted}, key_{new_key(entropy)} {}

std::string DigestNonces::make() {
    ByteVec nonce;
    nonce.reserve(nonce_octets);
    put(nonce, static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()));
    {
        const std::scoped_lock lock{mutex_};
        put(nonce, next_++);
    }
    const auto mac = crypto::hmac_sha256(key_.reveal(), nonce);
    append(nonce, Bytes{mac}.first(mac_octets));
    return to_hex(nonce);
}

std::optional<DigestNonces::Parts> DigestNonces::open(std::string_view nonce) const {
    if (nonce.size() != 2 * nonce_octets) return std::nullopt;
    const auto octets = from_hex(nonce);
    if (!octets || octets->size() != nonce_octets) return std::nullopt;
    const auto body = Bytes{*octets}.first(2 * part_octets);
    const auto mac = crypto::hmac_sha256(key_.reveal(), body);
    if (!crypto::equal_in_constant_time(Bytes{mac}.first(mac_octets), Bytes{*octets}.subspan(2 * part_octets)))
        return std::nullopt;
    return Parts{static_cast<std::int64_t>(take(body)), take(body.subspan(part_octets))};
}

bool DigestNonces::is_fresh(std::string_view nonce) const {
    const auto parts = open(nonce);
    if (!parts) return false;
    const auto age = clock_.now().time_since_epoch().count() - parts->time;
    if (age < 0 || age > lifetime_.count()) return false;
    const std::scoped_lock lock{mutex_};
    return parts->sequence > forgotten_up_to_;
}

bool DigestNonces::use(std::string_view nonce, std::uint32_t count) {
    const auto parts = open(nonce);
    if (!parts || count == 0) return false;
    const std::scoped_lock lock{mutex_};
    if (parts->sequence <= forgotten_up_to_) return false;
    auto& seen = counts_[parts->sequence];
    if (count <= seen) return false;
    seen = count;
    if (counts_.size() > counted_max_) {
        // Forgetting a count must not let it be used again: the nonce, and all older ones, go stale with it.
        forgotten_up_to_ = counts_.begin()->first;
        counts_.erase(counts_.begin());
    }
    return true;
}

}  // namespace estuary::est
