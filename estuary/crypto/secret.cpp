#include "estuary/crypto/secret.h"

#include <openssl/crypto.h>

namespace estuary::crypto {

void wipe(std::span<std::uint8_t> octets) noexcept {
    if (!octets.empty()) OPENSSL_cleanse(octets.data(), octets.size());
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe(octets_);
        octets_ = std::move(other.octets_);
        other.octets_.clear();
    }
    return *this;
}

Secret::~Secret() { wipe(octets_); }

}  // namespace estuary::crypto
