#pragma once
// The only place where a CA's key signs a certificate or a CRL.
#include <optional>

#include "estuary/authority/authorised.h"
#include "estuary/x509/certificate.h"
#include "estuary/x509/crl_encoder.h"

namespace estuary::authority {

/// A former root's key certified by its successor (RFC 4210 4.4): as old as that key, so older than its issuer.
struct LinkCertificate {
    x509::TbsCertificate tbs;
};

class Signer {
public:
    /// `issuer` is the certificate of `key`; nothing: for a self-signed root by this key. bad_key if the key does not sign or
    /// is not the certificate's.
    static Result<Signer> create(crypto::PrivateKey key, std::optional<x509::Certificate> issuer);

    /// The AlgorithmIdentifier that goes into certificates signed here.
    const ByteVec& algorithm() const noexcept { return algorithm_; }

    /// Serialises, lints exactly those octets, and signs exactly those octets. policy: the lint found something (the detail
    /// names the rule), nothing was signed. By value: what was approved is spent.
    Result<x509::Certificate> sign(Authorised<x509::TbsCertificate> approved) const;
    /// The same, but for the rule that a certificate lives within its issuer's validity.
    Result<x509::Certificate> sign(Authorised<LinkCertificate> approved) const;
    /// A CRL as DER, linted in the same way (RFC 5280 5).
    Result<ByteVec> sign(Authorised<x509::CrlToSign> approved) const;

private:
    Result<x509::Certificate> lint_and_sign(const x509::TbsCertificate& approved, std::string_view passed_rule) const;

    Signer(crypto::PrivateKey key, std::optional<x509::Certificate> issuer, ByteVec algorithm)
        : key_{std::move(key)}, issuer_{std::move(issuer)}, algorithm_{std::move(algorithm)} {}

    crypto::PrivateKey key_;
    std::optional<x509::Certificate> issuer_;
    ByteVec algorithm_;
};

}  // namespace estuary::authority
