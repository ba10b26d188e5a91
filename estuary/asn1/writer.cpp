#include <array>

#include <fmt/format.h>

#include "estuary/asn1/der.h"

namespace estuary::der {
namespace {

std::size_t length_octets(std::size_t length) {
    std::size_t octets = 0;
    for (; length != 0; length >>= 8) ++octets;
    return octets;
}

std::string clock_text(Time time, bool four_digit_year) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    const int year = static_cast<int>(date.year());
    const auto rest = fmt::format("{:02}{:02}{:02}{:02}{:02}Z", static_cast<unsigned>(date.month()),
                                  static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                                  clock.seconds().count());
    return four_digit_year ? fmt::format("{:04}{}", year, rest) : fmt::format("{:02}{}", year % 100, rest);
}

constexpr Time first_of_1950{std::chrono::sys_days{std::chrono::year{1950} / 1 / 1}};
constexpr Time first_of_2050{std::chrono::sys_days{std::chrono::year{2050} / 1 / 1}};

}  // namespace

void Writer::header(Tag tag, std::size_t length) {
    out_.push_back(static_cast<std::uint8_t>(tag));
    if (length < 0x80) {
        out_.push_back(static_cast<std::uint8_t>(length));
        return;
    }
    const auto octets = length_octets(length);
    out_.push_back(static_cast<std::uint8_t>(0x80 | octets));
    for (std::size_t i = octets; i-- > 0;) out_.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
}

std::size_t Writer::begin(Tag tag) {
    out_.push_back(static_cast<std::uint8_t>(tag));
    out_.push_back(0);  // room for a short length; end() makes more where needed
    return out_.size();
}

void Writer::end(std::size_t mark) {
    const std::size_t length = out_.size() - mark;
    if (length < 0x80) {
        out_[mark - 1] = static_cast<std::uint8_t>(length);
        return;
    }
    const auto octets = length_octets(length);
    std::array<std::uint8_t, 8> encoded{};
    for (std::size_t i = 0; i < octets; ++i) encoded[i] = static_cast<std::uint8_t>(length >> (8 * (octets - 1 - i)));
    out_[mark - 1] = static_cast<std::uint8_t>(0x80 | octets);
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(mark), encoded.begin(),
                encoded.begin() + static_cast<std::ptrdiff_t>(octets));
}

Writer& Writer::raw(Bytes whole_elements) {
    append(out_, whole_elements);
    return *this;
}

Writer& Writer::primitive(Tag tag, Bytes content) {
    header(tag, content.size());
    append(out_, content);
    return *this;
}

Writer& Writer::boolean(bool value) {
    const std::uint8_t octet = value ? 0xFF : 0x00;
    return primitive(Tag::boolean, {&octet, 1});
}

Writer& Writer::integer(std::int64_t value) {
    std::array<std::uint8_t, 8> octets{};
    for (std::size_t i = 0; i < 8; ++i) octets[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * (7 - i)));
    std::size_t first = 0;
    while (first < 7 && ((octets[first] == 0x00 && (octets[first + 1] & 0x80) == 0) ||
                         (octets[first] == 0xFF && (octets[first + 1] & 0x80) != 0)))
        ++first;
    return primitive(Tag::integer, Bytes{octets}.subspan(first));
}

Writer& Writer::unsigned_integer(Bytes big_endian) {
    while (!big_endian.empty() && big_endian[0] == 0) big_endian = big_endian.subspan(1);
    if (big_endian.empty()) return integer(0);
    const bool pad = (big_endian[0] & 0x80) != 0;
    header(Tag::integer, big_endian.size() + (pad ? 1 : 0));
    if (pad) out_.push_back(0);
    append(out_, big_endian);
    return *this;
}

Writer& Writer::oid(const Oid& oid) { return primitive(Tag::oid, oid.content()); }
Writer& Writer::null() { return primitive(Tag::null, {}); }
Writer& Writer::octet_string(Bytes content) { return primitive(Tag::octet_string, content); }

Writer& Writer::bit_string(Bytes octets) {
    header(Tag::bit_string, octets.size() + 1);
    out_.push_back(0);
    append(out_, octets);
    return *this;
}

Writer& Writer::named_bits(std::uint32_t bits) {
    std::array<std::uint8_t, 5> content{};
    std::size_t size = 1;
    for (unsigned bit = 0; bit < 32; ++bit) {
        if ((bits >> bit & 1) == 0) continue;
        content[1 + bit / 8] = static_cast<std::uint8_t>(content[1 + bit / 8] | 0x80u >> (bit % 8));
        size = 2 + bit / 8;
        content[0] = static_cast<std::uint8_t>(7 - bit % 8);
    }
    return primitive(Tag::bit_string, Bytes{content}.first(size));
}

Writer& Writer::utf8_string(std::string_view text) { return primitive(Tag::utf8_string, as_bytes(text)); }
Writer& Writer::printable_string(std::string_view text) { return primitive(Tag::printable_string, as_bytes(text)); }
Writer& Writer::ia5_string(std::string_view text) { return primitive(Tag::ia5_string, as_bytes(text)); }
Writer& Writer::utc_time(Time time) { return primitive(Tag::utc_time, as_bytes(clock_text(time, false))); }
Writer& Writer::generalized_time(Time time) { return primitive(Tag::generalized_time, as_bytes(clock_text(time, true))); }

Writer& Writer::time(Time time) {
    // Two digits of a year reach from 1950 to 2049.
    return time >= first_of_1950 && time < first_of_2050 ? utc_time(time) : generalized_time(time);
}

}  // namespace estuary::der
