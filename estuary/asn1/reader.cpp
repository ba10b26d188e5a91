#include <fmt/format.h>

#include "estuary/asn1/der.h"

namespace estuary::der {
namespace {

std::string name_of(Tag tag) {
    switch (tag) {
        case Tag::boolean: return "BOOLEAN";
        case Tag::integer: return "INTEGER";
        case Tag::bit_string: return "BIT STRING";
        case Tag::octet_string: return "OCTET STRING";
        case Tag::null: return "NULL";
        case Tag::oid: return "OBJECT IDENTIFIER";
        case Tag::enumerated: return "ENUMERATED";
        case Tag::utf8_string: return "UTF8String";
        case Tag::numeric_string: return "NumericString";
        case Tag::printable_string: return "PrintableString";
        case Tag::teletex_string: return "TeletexString";
        case Tag::ia5_string: return "IA5String";
        case Tag::utc_time: return "UTCTime";
        case Tag::generalized_time: return "GeneralizedTime";
        case Tag::visible_string: return "VisibleString";
        case Tag::universal_string: return "UniversalString";
        case Tag::bmp_string: return "BMPString";
        case Tag::sequence: return "SEQUENCE";
        case Tag::set: return "SET";
    }
    return fmt::format("tag {:02x}", static_cast<unsigned>(tag));
}

tl::unexpected<Error> malformed(std::string detail) { return fail(Code::malformed, "DER: " + std::move(detail)); }

/// DER encodes universal types in one way only: EXTERNAL, EMBEDDED PDV, SEQUENCE, SET and CHARACTER STRING constructed,
/// all others primitive, strings too (X.690 8 and 10.2).
bool has_right_form(std::uint8_t identifier) {
    if ((identifier & 0xC0) != 0) return true;  // not universal: the form follows from the type behind the tag
    constexpr std::uint32_t constructed_types = 1u << 8 | 1u << 11 | 1u << 16 | 1u << 17 | 1u << 29;
    return ((constructed_types >> (identifier & 0x1F) & 1) != 0) == ((identifier & 0x20) != 0);
}

/// Two's-complement content is minimal (X.690 8.3.2).
bool is_minimal_integer(Bytes content) {
    if (content.empty()) return false;
    if (content.size() == 1) return true;
    return !(content[0] == 0x00 && (content[1] & 0x80) == 0) && !(content[0] == 0xFF && (content[1] & 0x80) != 0);
}

int two_digits(Bytes content, std::size_t at) {
    const int high = content[at] - '0';
    const int low = content[at + 1] - '0';
    return high < 0 || high > 9 || low < 0 || low > 9 ? -1 : high * 10 + low;
}

/// MMDDHHMMSSZ from `at` on; nothing may follow.
Result<Time> read_time(Bytes content, std::size_t at, int year, std::string_view kind) {
    const int month = two_digits(content, at), day = two_digits(content, at + 2), hour = two_digits(content, at + 4),
              minute = two_digits(content, at + 6), second = two_digits(content, at + 8);
    using namespace std::chrono;
    const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                              std::chrono::day{static_cast<unsigned>(day)}};
    if (month < 0 || day < 0 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 59 || content[at + 10] != 'Z')
        return malformed(fmt::format("{} is not a time in UTC with seconds", kind));
    return Time{sys_days{date}} + hours{hour} + minutes{minute} + seconds{second};
}

}  // namespace

std::optional<Tag> Reader::peek() const noexcept {
    if (rest_.empty()) return std::nullopt;
    return static_cast<Tag>(rest_[0]);
}

Result<Element> Reader::any() {
    if (too_large_) return fail(Code::too_large, "DER: input larger than its limit");
    if (rest_.size() < 2) return malformed(rest_.empty() ? "element missing" : "cut short in an element's header");
    const auto identifier = rest_[0];
    if ((identifier & 0x1F) == 0x1F) return malformed("tag numbers past 30 do not occur here");
    if (identifier == 0) return malformed("end-of-contents octets (BER indefinite length) are not DER");
    if (!has_right_form(identifier))
        return malformed(fmt::format("{} in primitive or constructed form that DER does not allow",
                                     name_of(static_cast<Tag>(identifier))));
    std::size_t header = 2;
    std::size_t length = rest_[1];
    if (length == 0x80) return malformed("indefinite length is BER, not DER");
    if (length > 0x80) {
        const std::size_t octets = length & 0x7F;
        if (octets > 4) return malformed("length of more than four octets");
        if (rest_.size() < 2 + octets) return malformed("cut short in a length");
        length = 0;
        for (std::size_t i = 0; i < octets; ++i) length = length << 8 | rest_[2 + i];
        if (rest_[2] == 0 || length < 0x80) return malformed("length not in its shortest form");
        header += octets;
    }
    if (length > rest_.size() - header)
        return malformed(fmt::format("{} of {} octets in only {}", name_of(static_cast<Tag>(identifier)), length,
                                     rest_.size() - header));
    const Element element{static_cast<Tag>(identifier), rest_.subspan(header, length), rest_.first(header + length)};
    rest_ = rest_.subspan(header + length);
    return element;
}

Result<Element> Reader::element(Tag tag) {
    const auto next = peek();
    if (next != tag)
        return malformed(fmt::format("expected {}, found {}", name_of(tag), next ? name_of(*next) : "the end"));
    return any();
}

Result<Bytes> Reader::content(Tag tag) {
    ESTUARY_TRY(const auto found, element(tag));
    return found.content;
}

Result<Reader> Reader::enter(Tag tag) {
    if (depth_ == 0) return fail(Code::too_large, "DER: nested too deeply");
    ESTUARY_TRY(const auto found, element(tag));
    return Reader{found.content, depth_ - 1};
}

Result<void> Reader::skip() {
    ESTUARY_CHECK(any());
    return {};
}

Result<std::optional<Reader>> Reader::enter_if(Tag tag) {
    if (!next_is(tag)) return std::optional<Reader>{};
    ESTUARY_TRY(auto inner, enter(tag));
    return std::optional<Reader>{inner};
}

Result<std::optional<Element>> Reader::element_if(Tag tag) {
    if (!next_is(tag)) return std::optional<Element>{};
    ESTUARY_TRY(auto found, any());
    return std::optional<Element>{found};
}

Result<bool> Reader::boolean() {
    ESTUARY_TRY(const auto octets, content(Tag::boolean));
    if (octets.size() != 1 || (octets[0] != 0x00 && octets[0] != 0xFF))
        return malformed("BOOLEAN is neither 00 nor FF");
    return octets[0] == 0xFF;
}

Result<bool> Reader::boolean_default_false() {
    if (!next_is(Tag::boolean)) return false;
    ESTUARY_TRY(const auto value, boolean());
    if (!value) return malformed("BOOLEAN that is its default (FALSE) must be absent");
    return true;
}

Result<Bytes> Reader::integer_octets() {
    ESTUARY_TRY(const auto octets, content(Tag::integer));
    if (!is_minimal_integer(octets)) return malformed("INTEGER not in its shortest form");
    return octets;
}

Result<std::int64_t> Reader::integer() {
    ESTUARY_TRY(const auto octets, integer_octets());
    if (octets.size() > 8) return malformed("INTEGER larger than 64 bits");
    std::uint64_t value = (octets[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const auto octet : octets) value = value << 8 | octet;
    return static_cast<std::int64_t>(value);
}

Result<Oid> Reader::oid() {
    ESTUARY_TRY(const auto octets, content(Tag::oid));
    return Oid::from_content(octets);
}

Result<Bytes> Reader::octet_string() { return content(Tag::octet_string); }

Result<Bytes> Reader::bit_string_octets() {
    ESTUARY_TRY(const auto octets, content(Tag::bit_string));
    if (octets.empty() || octets[0] != 0) return malformed("BIT STRING is not of whole octets");
    return octets.subspan(1);
}

Result<std::uint32_t> Reader::named_bits() {
    ESTUARY_TRY(const auto octets, content(Tag::bit_string));
    if (octets.empty() || octets[0] > 7 || octets.size() > 5) return malformed("BIT STRING of named bits is malformed");
    const unsigned unused = octets[0];
    if (octets.size() == 1) {
        if (unused != 0) return malformed("empty BIT STRING with unused bits");
        return 0u;
    }
    const auto last = octets.back();
    if ((last & ((1u << unused) - 1)) != 0) return malformed("BIT STRING with unused bits set");
    if ((last >> unused & 1) == 0) return malformed("BIT STRING of named bits ends in a zero bit");
    std::uint32_t bits = 0;
    for (std::size_t i = 1; i < octets.size(); ++i)
        for (unsigned bit = 0; bit < 8; ++bit)
            if ((octets[i] & (0x80u >> bit)) != 0) bits |= 1u << ((i - 1) * 8 + bit);
    return bits;
}

Result<Time> Reader::utc_time() {
    ESTUARY_TRY(const auto text, content(Tag::utc_time));
    if (text.size() != 13) return malformed("UTCTime is not YYMMDDHHMMSSZ");
    const int year = two_digits(text, 0);
    if (year < 0) return malformed("UTCTime is not YYMMDDHHMMSSZ");
    return read_time(text, 2, year + (year >= 50 ? 1900 : 2000), "UTCTime");
}

Result<Time> Reader::generalized_time() {
    ESTUARY_TRY(const auto text, content(Tag::generalized_time));
    if (text.size() != 15) return malformed("GeneralizedTime is not YYYYMMDDHHMMSSZ");
    const int century = two_digits(text, 0), year = two_digits(text, 2);
    if (century < 0 || year < 0) return malformed("GeneralizedTime is not YYYYMMDDHHMMSSZ");
    return read_time(text, 4, century * 100 + year, "GeneralizedTime");
}

Result<Time> Reader::time() {
    if (next_is(Tag::utc_time)) return utc_time();
    if (next_is(Tag::generalized_time)) return generalized_time();
    return malformed("expected a Time (UTCTime or GeneralizedTime)");
}

Result<void> Reader::null() {
    ESTUARY_TRY(const auto octets, content(Tag::null));
    if (!octets.empty()) return malformed("NULL with content");
    return {};
}

Result<void> Reader::finish(std::string_view what) const {
    if (!rest_.empty()) return malformed(fmt::format("{} unexpected octets at the end of {}", rest_.size(), what));
    return {};
}

Result<Reader> enter_only(Bytes bytes, Tag tag, std::string_view what, Limits limits) {
    Reader outer{bytes, limits};
    auto inner = outer.enter(tag);
    if (!inner) return fail(in_context(what, std::move(inner).error()));
    ESTUARY_CHECK(outer.finish(what));
    return inner;
}

namespace {
Result<void> check_all(Reader& reader, std::string_view what) {
    while (!reader.empty()) {
        const auto tag = *reader.peek();
        if (is_constructed(tag)) {
            ESTUARY_TRY(auto inner, reader.enter(tag));
            ESTUARY_CHECK(check_all(inner, what));
        } else {
            ESTUARY_CHECK(reader.skip());
        }
    }
    return {};
}
}  // namespace

Result<void> check_der(Bytes bytes, std::string_view what, Limits limits) {
    Reader probe{bytes, limits};
    ESTUARY_CHECK(probe.skip());
    ESTUARY_CHECK(probe.finish(what));
    Reader reader{bytes, limits};
    return check_all(reader, what);
}

}  // namespace estuary::der
