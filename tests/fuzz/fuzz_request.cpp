// Certification requests: whoever holds one holds a proof of possession, so a change to any octet of one is refused.
#include <cstdlib>

#include "agreement_key.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

/// The same of a MAC in place of the signature (RFC 6955).
void check_agreement(Bytes input) {
    const auto request = x509::parse_agreement_request(input, fuzz::agreement_key());
    if (!request) return;
    check(x509::is_agreement_request(input) && same(request->der(), input));
    check(request->possession() == x509::Possession::key_agreement && !x509::SignedRequest::parse(input));
    auto changed = to_vec(input);
    changed[input.size() / 2] ^= 1;
    check(!x509::parse_agreement_request(changed, fuzz::agreement_key()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    check_agreement(input);
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
