// SignedData as a bag of certificates: every certificate read is there, and the bag that we write reads back the same.
#include <cstdlib>

#include "estuary/cms/certs_only.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const auto certificates = cms::parse_certs_only(input);
    if (!certificates) return 0;
    std::vector<Bytes> ders;
    for (const auto& certificate : *certificates) {
        check(!std::ranges::search(input, certificate.der()).empty());
        ders.push_back(certificate.der());
    }
    const auto encoded = cms::encode_certs_only(ders);
    const auto again = cms::parse_certs_only(encoded);
    check(again && again->size() == certificates->size());
    ders.clear();
    for (const auto& certificate : *again) ders.push_back(certificate.der());
    check(cms::encode_certs_only(ders) == encoded);
    return 0;
}
