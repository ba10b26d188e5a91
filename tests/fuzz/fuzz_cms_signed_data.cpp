// SignedData: what is read lies inside of the message, every signer is tried with every certificate, and who is found to have
// signed is found so a second time.
#include <cstdlib>

#include "estuary/cms/ber.h"
#include "estuary/cms/key_package.h"
#include "estuary/cms/signed_data.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

bool inside(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void use(const cms::SignedData& data) {
    const auto der = data.der();
    if (data.content()) check(inside(*data.content(), der));
    for (const auto crl : data.crls()) check(inside(crl, der));
    for (const auto& signer : data.signers()) {
        check(inside(signer.whole, der) && inside(signer.signature, der));
        (void)signer.signing_time();
        const auto* own = data.certificate_of(signer);
        if (own != nullptr) (void)cms::verify_signer(data, signer, *own, {.signed_attributes_required = false});
        for (const auto& certificate : data.certificates()) {
            const auto key = certificate.public_key();
            if (key && cms::verify_signer(data, signer, *key)) check(cms::verify_signer(data, signer, *key).has_value());
        }
    }
    (void)cms::key_of_package(data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto der = cms::to_der(Bytes{data, size});
    if (!der) return 0;
    const auto parsed = cms::SignedData::parse(*der);
    if (parsed) use(*parsed);
    return 0;
}
