#pragma once
// DER (ITU-T X.690): one typed reader with a budget for every untrusted byte, and a writer.
#include <cstdint>
#include <optional>
#include <string_view>

#include "estuary/asn1/oid.h"
#include "estuary/base/bytes.h"
#include "estuary/base/clock.h"
#include "estuary/base/result.h"

namespace estuary::der {

/// An identifier octet. Only low tag numbers (up to 30) occur in what we read and write.
enum class Tag : std::uint8_t {
    boolean = 0x01,
    integer = 0x02,
    bit_string = 0x03,
    octet_string = 0x04,
    null = 0x05,
    oid = 0x06,
    enumerated = 0x0A,
    utf8_string = 0x0C,
    numeric_string = 0x12,
    printable_string = 0x13,
    teletex_string = 0x14,
    ia5_string = 0x16,
    utc_time = 0x17,
    generalized_time = 0x18,
    visible_string = 0x1A,
    universal_string = 0x1C,
    bmp_string = 0x1E,
    sequence = 0x30,
    set = 0x31,
};

/// [n] as IMPLICIT primitive: context(0) is 0x80.
constexpr Tag context(unsigned number) { return static_cast<Tag>(0x80 | number); }
/// [n] constructed (EXPLICIT, or IMPLICIT of a SEQUENCE or SET): context_constructed(0) is 0xA0.
constexpr Tag context_constructed(unsigned number) { return static_cast<Tag>(0xA0 | number); }
constexpr bool is_constructed(Tag tag) { return (static_cast<std::uint8_t>(tag) & 0x20) != 0; }

/// What a reader will put up with.
struct Limits {
    unsigned depth_max = 24;             ///< twice the deepest message known
    std::size_t bytes_max = 1u << 20;    ///< the largest SLH-DSA objects are below 64 kB; CMS bags hold several
};

/// One element: identifier, content octets, and the whole encoding.
struct Element {
    Tag tag{};
    Bytes content;
    Bytes whole;  ///< identifier, length and content
};

/// Reads a run of DER elements from front to back. It never allocates and never reads past its octets; every error
/// says what was expected. Views that it returns live as long as the octets it was made from.
class Reader {
public:
    explicit Reader(Bytes bytes, Limits limits = {}) noexcept
        : rest_{bytes}, depth_{limits.depth_max}, too_large_{bytes.size() > limits.bytes_max} {}

    bool empty() const noexcept { return rest_.empty(); }
    Bytes rest() const noexcept { return rest_; }
    /// The identifier of the next element; nothing at the end.
    std::optional<Tag> peek() const noexcept;
    bool next_is(Tag tag) const noexcept { return peek() == tag; }

    Result<Element> any();                  ///< the next element, whatever it is
    Result<Element> element(Tag tag);       ///< the next element, which must have this tag
    Result<Bytes> content(Tag tag);         ///< its content octets
    Result<Reader> enter(Tag tag);          ///< a reader of its content, one level off the depth budget
    Result<void> skip();                    ///< passes over the next element
    /// Enters the next element if it has this tag; nothing otherwise (OPTIONAL).
    Result<std::optional<Reader>> enter_if(Tag tag);
    Result<std::optional<Element>> element_if(Tag tag);

    Result<bool> boolean();                 ///< FALSE is 00, TRUE is FF
    /// DEFAULT FALSE: an encoded FALSE is an error (X.690 11.5).
    Result<bool> boolean_default_false();
    Result<std::int64_t> integer();         ///< minimal, fits 64 bits
    Result<Bytes> integer_octets();         ///< minimal two's-complement content octets, of any size
    Result<Oid> oid();
    Result<Bytes> octet_string();
    Result<Bytes> bit_string_octets();      ///< a BIT STRING of whole octets (0 unused bits)
    /// A named-bit list: bit 0 of the standard is bit 0 of the result. At most 32 bits, no trailing zero bits.
    Result<std::uint32_t> named_bits();
    Result<Time> utc_time();                ///< YYMMDDHHMMSSZ; 50..99 is 19xx (RFC 5280 4.1.2.5.1)
    Result<Time> generalized_time();        ///< YYYYMMDDHHMMSSZ
    Result<Time> time();                    ///< either: Time ::= CHOICE (RFC 5280 4.1)
    Result<void> null();

    /// Nothing may be left: leftovers are an error that names `what`.
    Result<void> finish(std::string_view what) const;

private:
    Reader(Bytes bytes, unsigned depth) noexcept : rest_{bytes}, depth_{depth} {}

    Bytes rest_;
    unsigned depth_;
    bool too_large_ = false;
};

/// Enters the one outermost element of `bytes`; octets after it are an error.
Result<Reader> enter_only(Bytes bytes, Tag tag, std::string_view what, Limits limits = {});

/// Whether `bytes` is exactly one DER element, checked to the bottom of every constructed element.
Result<void> check_der(Bytes bytes, std::string_view what, Limits limits = {});

/// Writes DER front to back. Lengths of constructed elements are put in when they end.
class Writer {
public:
    Writer() = default;
    /// Goes on at the end of an existing buffer (reuse saves allocations).
    explicit Writer(ByteVec buffer) noexcept : out_{std::move(buffer)} {}

    /// SEQUENCE, SET, [n] …: what `body()` writes becomes the content.
    template <class Body>
    Writer& constructed(Tag tag, Body&& body) {
        const auto mark = begin(tag);
        body();
        end(mark);
        return *this;
    }
    template <class Body>
    Writer& sequence(Body&& body) {
        return constructed(Tag::sequence, static_cast<Body&&>(body));
    }

    /// begin/end for bodies that are no lambda; `end` takes what `begin` gave.
    std::size_t begin(Tag tag);
    void end(std::size_t mark);

    Writer& raw(Bytes whole_elements);              ///< ready-made DER, unchanged
    Writer& primitive(Tag tag, Bytes content);
    Writer& boolean(bool value);
    Writer& integer(std::int64_t value);
    /// A non-negative INTEGER from big-endian octets: leading zeros dropped, one put before a set top bit.
    Writer& unsigned_integer(Bytes big_endian);
    Writer& oid(const Oid& oid);
    Writer& null();
    Writer& octet_string(Bytes content);
    Writer& bit_string(Bytes octets);               ///< 0 unused bits
    Writer& named_bits(std::uint32_t bits);         ///< bit 0 first; trailing zero bits dropped
    Writer& utf8_string(std::string_view text);
    Writer& printable_string(std::string_view text);
    Writer& ia5_string(std::string_view text);
    Writer& utc_time(Time time);
    Writer& generalized_time(Time time);
    /// UTCTime from 1950 through 2049, GeneralizedTime for all else (RFC 5280 4.1.2.5).
    Writer& time(Time time);

    Bytes bytes() const noexcept { return out_; }
    std::size_t size() const noexcept { return out_.size(); }
    ByteVec take() && noexcept { return std::move(out_); }

private:
    void header(Tag tag, std::size_t length);

    ByteVec out_;
};

}  // namespace estuary::der
