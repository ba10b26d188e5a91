// What is read from a PEM text, written again, is read as the same blocks.
#include <cstdlib>

#include "estuary/base/encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    const auto blocks = parse_pem(as_text({data, size}));
    if (!blocks) return 0;
    std::string text;
    for (const auto& block : *blocks) text += to_pem(block.label, block.der);
    const auto again = parse_pem(text);
    if (!again || again->size() != blocks->size()) std::abort();
    for (std::size_t i = 0; i < blocks->size(); ++i)
        if ((*again)[i].label != (*blocks)[i].label || (*again)[i].der != (*blocks)[i].der) std::abort();
    return 0;
}
