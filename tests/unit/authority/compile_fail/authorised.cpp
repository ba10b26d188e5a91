// Compiled twice: once as it is, which must succeed, and once with FORGE defined, which must fail. Only Policy makes an
// Authorised value and only Signer opens it.
#include "estuary/authority/signer.h"

namespace estuary::authority {

Result<x509::Certificate> spend(const Signer& signer, Authorised<x509::TbsCertificate> approved) {
#if defined(FORGE) && FORGE == 1
    return signer.sign(Authorised<x509::TbsCertificate>{x509::TbsCertificate{}});
#elif defined(FORGE) && FORGE == 2
    return signer.sign(approved);  // a copy
#elif defined(FORGE) && FORGE == 3
    return signer.sign(x509::TbsCertificate{});
#elif defined(FORGE) && FORGE == 4
    approved.value_.subject = x509::Name{};  // opened and changed
#endif
    return signer.sign(std::move(approved));
}

}  // namespace estuary::authority

#if defined(FORGE) && FORGE == 5
#include "estuary/authority/policy.h"
auto forged() { return estuary::authority::Policy::approve_ca({}); }  // without the ceremony
#endif
