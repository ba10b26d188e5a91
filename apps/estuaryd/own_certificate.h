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

/// The first of these that fits into a common name (64 characters, RFC 5280 A.1); empty if none does.
x509::Name first_common_name(const std::vector<std::string>& texts);

/// Of one of this server's services, which signs its messages: FILE.pem and FILE.key in `directory`.
OwnCertificate service_certificate(const std::filesystem::path& directory, const std::string& file, std::string profile,
                                   const std::string& ca, const std::string& key_type, x509::Name subject);

inline constexpr Seconds service_validity{365 * 86400LL};
/// The authority's profile for it: one key, of this type, which signs; nothing but a common name.
authority::Profile service_profile(std::string name, const std::string& ca, const std::string& key_type, const der::Oid& purpose,
                                   Seconds validity = service_validity);

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
