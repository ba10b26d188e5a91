#pragma once
// The layers of a package with their signatures; used inside this room only.
#include "estuary/cms/signed_data.h"
#include "estuary/est/packages.h"

namespace estuary::est::detail {

struct OpenLayers {
    Layers seen;
    std::vector<cms::SignedData> signatures;   ///< of the layers that have signers, outermost first
    bool has_content = true;                   ///< false: the innermost SignedData has none (certs-only, crls-only)
    bool hidden = false;                       ///< it is encrypted, and was not opened
};
/// Goes as deep as it can: with an opener, also into what is encrypted for it.
Result<OpenLayers> open_layers(Bytes der, const KeyOpener& opener = {});

/// Whether a PFX (RFC 7292 4) keeps its private keys and secrets encrypted. malformed.
Result<bool> pfx_is_encrypted(Bytes der);

/// keyUsage, where there is one, lets the key sign data.
inline bool may_sign(const x509::Certificate& certificate) {
    const auto usage = certificate.key_usage();
    return !usage || (*usage & (x509::digital_signature | x509::non_repudiation)) != 0;
}

inline cms::Limits package_limits() {
    cms::Limits limits;
    limits.bytes_max = package_octets_max;
    return limits;
}
inline der::Limits package_der_limits() { return cms::der_limits(package_limits()); }

}  // namespace estuary::est::detail
