#pragma once
// The single rules that Policy puts together; each looks at one part of a request.
#include "estuary/authority/prepared.h"

namespace estuary::authority {

/// Whom a certificate names.
struct Identity {
    x509::Name subject;
    std::vector<x509::GeneralName> names;
};

/// Of a certificate (RFC 5280 4.1.2.5): both ends belong to it.
struct Validity {
    Time not_before{}, not_after{};
};

/// Where names come from: a request, which the profile may shape, or a certificate that goes on as it is, octet for octet.
enum class NameSource : std::uint8_t { request, certificate };

/// The subject that a certificate gets for `wanted`: fixed attributes put in, unwanted ones dropped or refused (from a
/// certificate: always refused, nothing is changed). Untouched names keep their octets (bug class 34).
Result<x509::Name> apply_subject_rules(const Rules& rules, const x509::Name& wanted, NameSource source);
/// The same for subject alternative names; duplicates are dropped.
Result<std::vector<x509::GeneralName>> apply_san_rules(const Rules& rules, const std::vector<x509::GeneralName>& wanted,
                                                       NameSource source);
/// What subject and names must fulfil together: somebody is named, and a host name in CN is among the names.
Result<void> check_names_together(const x509::Name& subject, const std::vector<x509::GeneralName>& names, bool server_auth);
/// A credential's own patterns (bug class 8). not_authorised otherwise.
Result<void> check_credential_patterns(const CredentialProof& credential, const x509::Name& subject,
                                       const std::vector<x509::GeneralName>& names);

/// Kind and size against the profile, strength, and that it is none of the CA's own keys (bug class 32).
Result<void> check_key(const Rules& rules, const x509::CertificationRequest& request, const crypto::BlockedKeys& blocked);

/// What of the requested extensions goes into the certificate; everything else was dropped or refused (bug classes 3, 4).
struct RequestedExtensions {
    std::uint32_t key_usage = 0;
    std::optional<x509::Extension> ext_key_usage;
    bool server_auth = false;                 ///< the certificate may be used by a TLS server
    std::vector<x509::Extension> passed;
    // Of CA certificates (policy_ca.cpp).
    std::optional<x509::BasicConstraints> basic_constraints{};
    std::optional<x509::NameConstraints> name_constraints{};
    std::optional<ByteVec> subject_key_identifier{};   ///< as the CA itself has it; otherwise it is computed
};
Result<RequestedExtensions> apply_extension_rules(const Rules& rules, const x509::CertificationRequest& request);
// policy_ca.cpp: cross-certificates, and those of subordinate CAs (RFC 9810 6.6)
/// Whether the profile's certificates can be issued at all, and how far they may reach; policy naming what is wrong.
Result<void> prepare_ca_rules(Rules& rules);
/// A profile for CAs goes with Verb::cross_certify and the other way round; and who may ask for a CA certificate.
Result<void> check_for_ca(const Rules& rules, const EnrollRequest& request);
/// The name of the other CA, octet for octet; it is nobody's here.
Result<Identity> ca_names(const Rules& rules, const EnrollRequest& request);
Result<RequestedExtensions> apply_ca_extension_rules(const Rules& rules, const x509::CertificationRequest& request);

/// Whether a profile may let this extension through from a request.
bool may_pass(const der::Oid& extension);

}  // namespace estuary::authority
