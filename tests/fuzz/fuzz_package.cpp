// Packages and receipts from outside (RFC 8295): an operator's file, a client's receipt, a server's package. Whatever the octets,
// what is told of them holds together, and nothing unsigned passes for signed.
#include <cstdlib>

#include "estuary/est/packages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    const Bytes input{data, size};
    const auto layers = est::read_layers(input);
    if (layers && layers->signed_ && layers->names.empty()) std::abort();
    if (layers) {
        const auto media_type = est::cms_media_type(*layers);
        if (!media_type.starts_with(est::media_cms)) std::abort();
    }
    for (const auto& type : est::pal_types()) {
        const auto checked = est::check_package(type, input);
        if (!checked) continue;
        if (type.number != "0022" && !layers) std::abort();
        if (type.operation == est::Operation::tamp && !checked->layers.signed_) std::abort();
        if (checked->encrypted != checked->layers.encrypted) std::abort();
    }
    for (const auto operation : {est::Operation::symmetrickeys, est::Operation::firmware, est::Operation::tamp, est::Operation::serverkeygen}) {
        const auto media_type = est::receipt_media_type(operation, input);
        if (!media_type) continue;
        const auto checked = est::check_receipt(operation, *media_type, input);
        if (!checked || checked->package_types.empty()) std::abort();
        if (checked->layers.content == "keyPackageReceipt" && !checked->layers.signed_) std::abort();
    }
    // Nobody is trusted: a signature that is seen is an error, also inside of what the key opens.
    static const est::KeyOpener opener{{}, cms::SharedKey{{1, 2}, crypto::Secret{ByteVec(32, 7)}}};
    static const est::KeyOpener none;
    for (const auto* with : {&none, &opener}) {
        const auto verified = est::verify_package(input, {}, *with);
        if (verified && (!layers || layers->signed_ || !verified->signers.empty())) std::abort();
    }
    return 0;
}
