// base64 has one encoding but for blanks: what is read is written as the same characters. Any octets survive a round
// trip.
#include <cstdlib>

#include "estuary/base/encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    const Bytes input{data, size};
    if (const auto octets = from_base64(as_text(input))) {
        std::string without_blanks{as_text(input)};
        std::erase_if(without_blanks, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
        if (to_base64(*octets) != without_blanks) std::abort();
    }
    for (const auto& text : {to_base64(input), to_base64_lines(input)}) {
        const auto octets = from_base64(text);
        if (!octets || !same(*octets, input)) std::abort();
    }
    return 0;
}
