// A SubjectPublicKeyInfo of a stranger: read, judged, and used to verify. What our reader accepts, the library's
// accepts too and sees the same key in.
#include <cstdlib>

#include <openssl/x509.h>

#include "estuary/crypto/key.h"
#include "estuary/crypto/openssl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    using namespace estuary::crypto;
    const Bytes input{data, size};
    const auto key = PublicKey::from_spki(input);
    if (!key) return 0;
    if (!same(key->spki(), input) || key->type_name().empty()) std::abort();
    (void)check_key_strength(*key);
    const std::uint8_t* at = data;
    const openssl::Pkey theirs{d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(size), nullptr, nullptr)};
    if (!theirs || EVP_PKEY_eq(theirs.get(), key->handle()) != 1) std::abort();
    return 0;
}
