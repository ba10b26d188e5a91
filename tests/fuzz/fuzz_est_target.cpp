// Request targets of EST, and bodies in every encoding: labels never hold what could be taken for another path, and decoded
// bodies come out the same from base64.
#include <cstdlib>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/est/server.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    const auto text = as_text(Bytes{data, size});
    if (const auto target = est::parse_target(text)) {
        const auto& label = target->label;
        if (label.find('/') != std::string::npos || label == "." || label == ".." || !text::is_plain_utf8(label)) std::abort();
        if (est::operation_named(label)) std::abort();
        if (est::operation_named(est::to_string(target->operation)) != target->operation) std::abort();
    }
    for (const auto label : {est::pem_request, est::pem_pkcs7}) {
        const auto der = est::decode_body(text, label);
        if (!der) continue;
        if (der->empty()) std::abort();
        const auto again = est::decode_body(to_base64_lines(*der), label);
        if (!again || *again != *der) std::abort();
    }
    return 0;
}
