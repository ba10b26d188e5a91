#include "estuary/asn1/oid.h"

#include <fmt/format.h>

namespace estuary::der {

Result<Oid> Oid::parse(std::string_view dotted) {
    try {
        return Oid{dotted};
    } catch (const std::invalid_argument& error) {
        return fail(Code::malformed, fmt::format("'{}' is not an object identifier: {}", dotted, error.what()));
    }
}

Result<Oid> Oid::from_content(Bytes content) {
    if (content.empty()) return fail(Code::malformed, "DER: empty OBJECT IDENTIFIER");
    if (content.size() > octets_max) return fail(Code::too_large, "DER: OBJECT IDENTIFIER too long");
    bool at_start = true;
    std::size_t arc_octets = 0;
    for (const auto octet : content) {
        if (at_start && octet == 0x80) return fail(Code::malformed, "DER: OBJECT IDENTIFIER arc with leading zeros");
        at_start = (octet & 0x80) == 0;
        arc_octets = at_start ? 0 : arc_octets + 1;
        if (arc_octets > 8) return fail(Code::too_large, "DER: OBJECT IDENTIFIER arc too large");
    }
    if (!at_start) return fail(Code::malformed, "DER: OBJECT IDENTIFIER cut short");
    Oid oid;
    std::ranges::copy(content, oid.octets_.begin());
    oid.size_ = static_cast<std::uint8_t>(content.size());
    return oid;
}

std::string Oid::dotted() const {
    std::string text;
    std::uint64_t arc = 0;
    for (const auto octet : content()) {
        arc = arc << 7 | (octet & 0x7F);
        if ((octet & 0x80) != 0) continue;
        if (text.empty()) {
            const auto first = std::min<std::uint64_t>(arc / 40, 2);
            text = fmt::format("{}.{}", first, arc - first * 40);
        } else {
            text += fmt::format(".{}", arc);
        }
        arc = 0;
    }
    return text;
}

}  // namespace estuary::der
