#pragma once
// The Package Availability List (RFC 8295 section 2) as values, and its two forms, XML and JSON.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "estuary/base/clock.h"
#include "estuary/est/messages.h"

namespace estuary::est {

inline constexpr std::string_view media_xml = "application/xml";
inline constexpr std::string_view media_json = "application/json";

/// What the client does with an entry of a type.
enum class PalAction : std::uint8_t {
    more,    ///< fetch another PAL
    fetch,   ///< GET the package
    start,   ///< begin a transaction: enroll or re-enroll
    poll,    ///< GET the outcome of an enrollment
    give,    ///< POST a receipt, response, confirm or error
};

/// One of the registry "PAL Package Types" (RFC 8295 2.1.1).
struct PalType {
    std::string_view number;         ///< "0026"
    std::string_view name;           ///< for command lines and people: "firmware"
    PalAction action{};
    Operation operation{};           ///< whose path its entries point to
    std::string_view given_for = {}; ///< of a receipt: the first package type that it can be for
    std::string_view media_type = {};///< of a package or receipt; empty: application/cms, or the operation's own
};
/// All that are registered, in order, without the reserved 0000.
std::span<const PalType> pal_types() noexcept;
/// By number or name; null: not registered.
const PalType* pal_type(std::string_view number_or_name) noexcept;
/// The receipt type that answers packages of this type; null: there is none.
const PalType* receipt_type_for(const PalType& package) noexcept;

struct PalDn {
    std::string text;                ///< RFC 4514
    bool operator==(const PalDn&) const = default;
};
struct PalSki {
    ByteVec octets;
    bool operator==(const PalSki&) const = default;
};
struct PalIssuerAndSerial {
    std::string issuer;              ///< RFC 4514
    std::string serial;              ///< decimal digits without leading zeros: serial numbers outgrow every integer type
    bool operator==(const PalIssuerAndSerial&) const = default;
};
struct PalUri {
    std::string text;
    bool operator==(const PalUri&) const = default;
};
using PalInfo = std::variant<PalDn, PalSki, PalIssuerAndSerial, PalUri>;

struct PalEntry {
    std::string type;                ///< four digits; also of types that are not known here
    std::optional<Time> date;        ///< when the client last downloaded the package, as far as the server knows
    std::uint64_t size = 0;          ///< octets of the package's DER; 0: something begins, or is to be returned
    PalInfo info;
    bool operator==(const PalEntry&) const = default;
};

struct Pal {
    std::vector<PalEntry> entries;
    bool operator==(const Pal&) const = default;

    /// UTF-8 in the namespace urn:ietf:params:xml:ns:pal (RFC 8295 2.1.2).
    std::string to_xml() const;
    /// An array of objects (RFC 8295 2.1.3).
    std::string to_json() const;

    /// Strict: the elements of the schema, each once and in any order, and no others; no document type, at most 1 MiB and 4096
    /// entries, texts within the schema's lengths. What stands behind an entry 0001 is left out, for it is to be ignored
    /// (RFC 8295 2). malformed: also a list with nothing but an entry 0001; too_large.
    static Result<Pal> parse_xml(std::string_view text);
    /// The same of JSON; a name twice in one object is an error.
    static Result<Pal> parse_json(std::string_view text);
};

}  // namespace estuary::est
