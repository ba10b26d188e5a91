// OCSP requests: what is read is written and read back the same, and no path of a GET reads past its end.
#include <cstdlib>

#include "estuary/ocsp/server.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    if (const auto text = ocsp::decode_get_path(as_text(input))) (void)ocsp::readings_of(*text);
    const auto request = ocsp::Request::parse(input);
    if (!request) return 0;
    check(!request->certificates.empty() && request->certificates.size() <= 64);
    if (request->nonce) check(!request->nonce->empty() && request->nonce->size() <= ocsp::nonce_octets_max);
    const auto again = ocsp::Request::parse(ocsp::encode_request(*request));
    check(again && again->certificates == request->certificates && again->nonce == request->nonce &&
          again->acceptable_responses == request->acceptable_responses &&
          again->preferred_algorithms.size() == request->preferred_algorithms.size());
    const auto path = ocsp::decode_get_path(ocsp::encode_get_path(input));
    check(path && ocsp::readings_of(*path).value() == std::vector<ByteVec>(1, to_vec(input)));
    return 0;
}
