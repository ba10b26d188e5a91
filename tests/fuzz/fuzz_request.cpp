// Certification requests: whoever holds one holds a proof of possession, so a change to any octet of one is refused.
#include <cstdlib>

#include "estuary/x509/certification_request.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const auto request = x509::SignedRequest::parse(input);
    if (!request) return 0;
    check(same(request->der(), input));
    check(same(request->spki(), request->public_key().spki()));
    for (const auto& name : request->subject_alt_names()) check(name.check().has_value());
    (void)x509::change_subject_name(*request);
    (void)x509::directory_string_attribute(request->attributes(), x509::oid::otp_challenge);
    // The subject lies in the signed part: its name cannot be changed without its signature.
    auto changed = to_vec(input);
    changed[size / 2] ^= 1;
    check(!x509::SignedRequest::parse(changed) || same(changed, input));
    return 0;
}
