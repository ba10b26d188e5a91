#pragma once
// Keys and certificates of the server's own, in two files each: issued by our own CA through the same policy and signer as any
// other, and renewed before they end.
#include "apps/estuaryd/load.h"
#include "estuary/authority/authority.h"

namespace estuary::daemon {

/// What is to be certified, and where it goes.
struct OwnCertificate {
    std::filesystem::path certificate, key;
    std::string profile;                     ///< of the authority
    std::string ca;
    std::string key_type;
    x509::Name subject;
    std::vector<x509::GeneralName> names;    ///< subject alternative names
};

/// Whether the key of `issuer` signed it.
bool is_signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer);

/// Why it must be made anew: missing, unreadable, of another key, of a former CA, or a third of its lifetime left.
std::optional<std::string> why_renew(const Result<CertificateAndKey>& present, const authority::CaConfig& ca, Time now);

/// A new key and certificate; committed to the store before the files change.
Result<void> issue_own_certificate(const OwnCertificate& wanted, authority::Authority& authority, store::Store& store,
                                   const crypto::Secret* passphrase);

/// The certificate as it is now: issued, or issued anew, where that is due. Where it cannot be renewed, the former goes on while it
/// is valid, and `trouble` says why. Makes the directory of its files if it is missing.
struct CurrentOwnCertificate {
    CertificateAndKey certificate;
    std::optional<std::string> renewed;  ///< why
    std::optional<Error> trouble;
};
Result<CurrentOwnCertificate> current_own_certificate(const OwnCertificate& wanted, authority::Authority& authority, store::Store& store,
                                                      const crypto::Secret* passphrase, Time now);

}  // namespace estuary::daemon
