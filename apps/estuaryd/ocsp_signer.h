#pragma once
// The delegated OCSP responder of a CA (RFC 6960 4.2.2.2): a key and certificate of its own, renewed by itself.
#include "apps/estuaryd/own_certificate.h"

namespace estuary::daemon {

/// Profiles of OCSP signers are named so, with the CA's name; not for configuration files.
inline constexpr std::string_view ocsp_profile_prefix = "estuaryd-ocsp:";
authority::Profile ocsp_profile(const std::string& ca, const std::string& key_type);

/// DIR/ocsp/BASE.pem and .key. `base` tells generations of a CA apart.
OwnCertificate ocsp_signer(const std::filesystem::path& directory, const std::string& ca, const std::string& base,
                           const std::string& key_type);

/// The signer as it is now: issued, or issued anew, where that is due. Where it cannot be renewed, the former goes on while it
/// is valid, and `trouble` says why. Makes DIR/ocsp if it is missing.
struct OcspSigner {
    CertificateAndKey certificate;
    std::optional<std::string> renewed;  ///< why
    std::optional<Error> trouble;
};
Result<OcspSigner> current_ocsp_signer(const OwnCertificate& wanted, authority::Authority& authority, store::Store& store,
                                       const crypto::Secret* passphrase, Time now);

}  // namespace estuary::daemon
