#pragma once
// A PAL laid open, whichever form it came in; used inside this room only.
#include "estuary/est/pal.h"

namespace estuary::est::detail {

inline constexpr std::size_t pal_octets_max = 1u << 20;
inline constexpr std::size_t pal_entries_max = 4096;
inline constexpr std::size_t pal_depth_max = 5;            ///< pal, message, info, iasn, serial; in JSON one less
inline constexpr std::size_t pal_text_octets_max = 8192;   ///< of one value: the schema's 1024 characters, white space around them

/// An XML element, or a member of a JSON object.
struct PalNode {
    enum class Kind : std::uint8_t { text, number, parent };
    std::string name;
    Kind kind = Kind::text;
    std::string text;                 ///< of a number: as it was written
    std::vector<PalNode> children;
};

/// The list from its entries: children of `root`. `typed`: numbers are to be numbers, and texts texts (JSON).
Result<Pal> pal_of(const PalNode& root, bool typed);

}  // namespace estuary::est::detail
