#pragma once
// Object identifiers as values.
#include <array>
#include <compare>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "estuary/base/bytes.h"
#include "estuary/base/result.h"

namespace estuary::der {

/// An OBJECT IDENTIFIER, kept as its DER content octets (without tag and length); at most 38 of them.
class Oid {
public:
    static constexpr std::size_t octets_max = 38;

    constexpr Oid() = default;

    /// From dotted text. In a constant expression a wrong text fails the build; at run time it throws
    /// std::invalid_argument, so for text from outside use parse().
    constexpr explicit Oid(std::string_view dotted) {
        std::uint64_t first = 0;
        std::size_t arc_number = 0;
        std::size_t at = 0;
        while (at <= dotted.size()) {
            if (at == dotted.size() || dotted[at] == '.') throw std::invalid_argument{"empty arc in an OID"};
            std::uint64_t arc = 0;
            for (; at < dotted.size() && dotted[at] != '.'; ++at) {
                if (dotted[at] < '0' || dotted[at] > '9' || arc > (UINT64_MAX >> 4) / 10)
                    throw std::invalid_argument{"bad arc in an OID"};
                arc = arc * 10 + static_cast<std::uint64_t>(dotted[at] - '0');
            }
            ++at;
            if (arc_number == 0) {
                if (arc > 2) throw std::invalid_argument{"first arc of an OID past 2"};
                first = arc;
            } else if (arc_number == 1) {
                if (first < 2 && arc > 39) throw std::invalid_argument{"second arc of an OID past 39"};
                put(first * 40 + arc);
            } else {
                put(arc);
            }
            ++arc_number;
        }
        if (arc_number < 2) throw std::invalid_argument{"an OID has two arcs or more"};
    }

    /// From dotted text of the outside world.
    static Result<Oid> parse(std::string_view dotted);
    /// From DER content octets (without tag and length): minimal arcs, not empty.
    static Result<Oid> from_content(Bytes content);

    constexpr Bytes content() const noexcept { return {octets_.data(), size_}; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    /// "1.2.840.113549.1.1.11"
    std::string dotted() const;

    friend constexpr bool operator==(const Oid& a, const Oid& b) noexcept {
        return a.size_ == b.size_ && a.octets_ == b.octets_;
    }
    friend constexpr auto operator<=>(const Oid& a, const Oid& b) noexcept {
        if (const auto order = a.size_ <=> b.size_; order != 0) return order;
        return a.octets_ <=> b.octets_;
    }

private:
    constexpr void put(std::uint64_t arc) {
        std::size_t groups = 1;
        for (auto rest = arc >> 7; rest != 0; rest >>= 7) ++groups;
        if (size_ + groups > octets_max) throw std::invalid_argument{"OID too long"};
        for (std::size_t i = groups; i-- > 0;)
            octets_[size_++] = static_cast<std::uint8_t>((arc >> (7 * i) & 0x7F) | (i != 0 ? 0x80 : 0));
    }

    std::array<std::uint8_t, octets_max> octets_{};
    std::uint8_t size_ = 0;
};

}  // namespace estuary::der
