// Package lists as a server sends them, in XML and in JSON (RFC 8295 2): what is read is written in both forms to the same
// meaning, and holds what the RFC promises.
#include <cstdlib>

#include "estuary/est/pal.h"

namespace {

using namespace estuary;

void check(const est::Pal& pal) {
    for (std::size_t i = 0; i < pal.entries.size(); ++i) {
        const auto& entry = pal.entries[i];
        if (entry.type.size() != 4) std::abort();
        if (entry.type == "0001" && (i + 1 != pal.entries.size() || i == 0)) std::abort();
        if (entry.date && to_iso8601(*entry.date).size() != 20) std::abort();
    }
    const auto xml = est::Pal::parse_xml(pal.to_xml());
    const auto json = est::Pal::parse_json(pal.to_json());
    if (!xml || !json || !(*xml == pal) || !(*json == pal)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = as_text(Bytes{data, size});
    if (const auto pal = est::Pal::parse_xml(text)) check(*pal);
    if (const auto pal = est::Pal::parse_json(text)) check(*pal);
    return 0;
}
