// An AlgorithmIdentifier of a stranger, tried with keys of three kinds: no signature of noise ever verifies.
#include <cstdlib>
#include <vector>

#include "estuary/crypto/key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    using namespace estuary::crypto;
    static const auto keys = [] {
        std::vector<PublicKey> made;
        for (const auto* type : {"p256", "rsa2048", "ed25519"})
            made.push_back(PrivateKey::generate(type).value().public_key());
        return made;
    }();
    const Bytes input{data, size};
    for (const auto& key : keys)
        if (key.verify(input, as_bytes("message"), ByteVec(256, 0x11))) std::abort();
    return 0;
}
