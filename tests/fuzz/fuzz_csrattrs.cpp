// CSR attributes as a server sends them (RFC 8951, RFC 9908): what is read is written back to the same meaning, and a plan can
// be made of it.
#include <cstdlib>

#include "estuary/est/client.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    const Bytes input{data, size};
    const auto attributes = est::CsrAttrs::parse(input);
    if (!attributes) return 0;
    const auto written = attributes->encode();
    const auto again = est::CsrAttrs::parse(written);
    if (!again || again->encode() != written) std::abort();
    if (again->items.size() != attributes->items.size()) std::abort();
    if (again->request_template.has_value() != attributes->request_template.has_value()) std::abort();
    est::Wishes wishes;
    wishes.subject = x509::Name::from_text("CN=host.example,O=Example").value();
    const auto plan = est::plan_request(wishes, *attributes);
    if (!plan) return 0;
    // Whatever a server asks, the person's own name stays, and the key is one that can be made.
    if (!crypto::key_type(plan->key_type)) std::abort();
    if (!attributes->request_template && !(plan->request.subject == wishes.subject)) std::abort();
    return 0;
}
