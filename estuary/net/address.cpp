#include "estuary/net/address.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace estuary::net {
namespace {

using Octets = std::span<const std::uint8_t>;

template <std::size_t N>
struct Block {
    std::array<std::uint8_t, N> prefix;
    unsigned bits;

    bool holds(Octets address) const {
        const auto whole = bits / 8, rest = bits % 8;
        if (!std::equal(address.begin(), address.begin() + whole, prefix.begin())) return false;
        return rest == 0 || ((address[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
    }
};

// IANA IPv4 Special-Purpose Address Registry, with multicast and class E.
constexpr std::array special_v4{
    Block<4>{{0, 0, 0, 0}, 8},      Block<4>{{10, 0, 0, 0}, 8},     Block<4>{{100, 64, 0, 0}, 10},   Block<4>{{127, 0, 0, 0}, 8},
    Block<4>{{169, 254, 0, 0}, 16}, Block<4>{{172, 16, 0, 0}, 12},  Block<4>{{192, 0, 0, 0}, 24},    Block<4>{{192, 0, 2, 0}, 24},
    Block<4>{{192, 31, 196, 0}, 24}, Block<4>{{192, 52, 193, 0}, 24}, Block<4>{{192, 88, 99, 0}, 24}, Block<4>{{192, 168, 0, 0}, 16},
    Block<4>{{192, 175, 48, 0}, 24}, Block<4>{{198, 18, 0, 0}, 15},  Block<4>{{198, 51, 100, 0}, 24}, Block<4>{{203, 0, 113, 0}, 24},
    Block<4>{{224, 0, 0, 0}, 3}};
// Global unicast is 2000::/3; these of it are not (IANA IPv6 Special-Purpose Address Registry): protocol assignments with Teredo,
// documentation, 6to4 (which hides an IPv4 address), the direct delegation of AS112.
constexpr Block<16> global_v6{{0x20}, 3};
constexpr std::array special_v6{Block<16>{{0x20, 0x01, 0x00}, 23}, Block<16>{{0x20, 0x01, 0x0d, 0xb8}, 32}, Block<16>{{0x20, 0x02}, 16},
                                Block<16>{{0x26, 0x20, 0x00, 0x4f, 0x80}, 48}, Block<16>{{0x3f, 0xff}, 20}};

bool is_public_v4(Octets address) {
    return std::ranges::none_of(special_v4, [&](const auto& block) { return block.holds(address); });
}

bool is_public_v6(Octets address) {
    // IPv4 in other clothes: mapped (RFC 4291 2.5.5.2), and translated, as DNS64 gives it (RFC 6052 2.1).
    constexpr Block<16> mapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, translated{{0x00, 0x64, 0xff, 0x9b}, 96};
    if (mapped.holds(address) || translated.holds(address)) return is_public_v4(address.last(4));
    return global_v6.holds(address) && std::ranges::none_of(special_v6, [&](const auto& block) { return block.holds(address); });
}

}  // namespace

bool is_public_address(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        std::array<std::uint8_t, 4> octets{};
        std::memcpy(octets.data(), &v4.sin_addr, octets.size());
        return is_public_v4(octets);
    }
    if (address.sa_family != AF_INET6) return false;
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    return is_public_v6(v6.sin6_addr.s6_addr);
}

}  // namespace estuary::net
