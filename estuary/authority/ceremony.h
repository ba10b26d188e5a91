#pragma once
// Making and rolling over CAs: root, issuing CA, and the link certificates of RFC 7030 4.1.3. Still only policy and signer sign.
#include "estuary/authority/authority.h"

namespace estuary::authority {

struct CaPlan {
    std::string organisation_name;        ///< used in the default names: "CN=NAME Root CA" …
    std::string key_type = "p256";
    Seconds root_validity{20 * 365 * 86400LL};
    Seconds issuing_validity{10 * 365 * 86400LL};
    std::optional<x509::NameConstraints> name_constraints;   ///< on the issuing CA
    std::uint32_t path_length = 0;        ///< of the issuing CA: how many CAs may follow below it
    /// Where the list and the certificate of a root are found: cRLDistributionPoints and authorityInfoAccess of what it signs. "{key}"
    /// stands for the root's key identifier in hexadecimal, so that several roots share nothing. Empty: neither is written.
    std::vector<std::string> root_crl_uris{}, root_certificate_uris{};
};
/// The URIs of this root: "{key}" put in. A root without a key identifier gets the one that RFC 5280 4.2.1.2 (1) has.
Result<std::vector<std::string>> root_uris(std::vector<std::string> uris, const x509::Certificate& root);
/// What "{key}" stands for.
Result<std::string> root_key_text(const x509::Certificate& root);
struct NewCa {
    crypto::PrivateKey root_key, issuing_key;
    x509::Certificate root, issuing;
};
/// A new root and an issuing CA below it; records them in `work` under the CA names "root" and "issuing".
Result<NewCa> make_ca(const CaPlan& plan, const Clock& clock, crypto::Entropy& entropy, store::UnitOfWork& work);

struct RolledOver {
    NewCa next;
    x509::Certificate old_with_new;   ///< the old root's key certified by the new root (RFC 4210 4.4)
    x509::Certificate new_with_old;   ///< the new root's key certified by the old root
};
/// A new root and issuing CA, linked with the old root both ways.
Result<RolledOver> roll_over(const CaPlan& plan, const x509::Certificate& old_root, const crypto::PrivateKey& old_root_key,
                             const Clock& clock, crypto::Entropy& entropy, store::UnitOfWork& work);

}  // namespace estuary::authority
