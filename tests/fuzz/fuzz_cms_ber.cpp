// From BER to DER: DER stays as it is, and what comes out does not change a second time.
#include <cstdlib>

#include "estuary/cms/ber.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const auto der = cms::to_der(input);
    if (der::check_der(input, "input")) check(der && same(*der, input));
    if (der) check(cms::to_der(*der) == *der);
    return 0;
}
