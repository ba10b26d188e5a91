#include "estuary/authority/serial.h"

namespace estuary::authority {

ByteVec make_serial_number(Time now, crypto::Entropy& entropy) {
    std::array<std::uint8_t, serial_octets_max> octets{};
    const auto ticks = static_cast<std::uint32_t>(now.time_since_epoch().count() >> 1) & 0x7FFF'FFFFu;
    for (std::size_t i = 0; i < 4; ++i) octets[i] = static_cast<std::uint8_t>(ticks >> (8 * (3 - i)));
    entropy.fill(std::span{octets}.subspan(4));
    return to_vec(without_leading_zeros(octets));
}

Bytes without_leading_zeros(Bytes serial_number) noexcept {
    while (!serial_number.empty() && serial_number[0] == 0) serial_number = serial_number.subspan(1);
    return serial_number;
}

}  // namespace estuary::authority
