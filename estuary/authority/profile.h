#pragma once
// Profiles: what a certificate of one kind may and must hold. The configuration makes them; policy applies them.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "estuary/x509/extension.h"

namespace estuary::authority {

/// What happens to something in a request that the profile does not allow.
enum class Unwanted : std::uint8_t { refuse, drop };

struct SubjectRules {
    /// Attribute types that a request may carry; others are unwanted. Empty: only the empty subject.
    std::vector<der::Oid> allowed;
    std::vector<der::Oid> required;
    /// Whole-subject patterns in RFC 4514 text with '*' for any run of characters within one attribute value; the subject must
    /// match one of them. Empty: no pattern.
    std::vector<std::string> patterns;
    /// Attributes put by the CA: replace what the request says ("O=Example").
    x509::Name fixed;
    Unwanted unwanted = Unwanted::refuse;
    bool may_be_empty = false;      ///< then a SAN is needed, and critical (RFC 5280 4.1.2.6)
};

struct SanRules {
    std::vector<x509::GeneralName::Kind> allowed;       ///< kinds; others are unwanted
    /// "dns:*.devices.example" ('*' is one or more labels there), "ip:192.0.2.0/24", "email:*@example.com", "uri:urn:dev:*".
    std::vector<std::string> patterns;                  ///< empty: any value of an allowed kind
    bool required = false;
    std::size_t count_max = 16;
    Unwanted unwanted = Unwanted::refuse;
};

/// Of CA certificates: cross-certificates and those of subordinate CAs (RFC 9810 5.3.11, RFC 5280 3.2).
struct CaRules {
    std::uint32_t path_length = 0;               ///< the most that pathLenConstraint says; a request may ask for less
    std::optional<x509::NameConstraints> name_constraints{};   ///< a request may narrow them
};

struct Profile {
    std::string name;
    std::string ca;                              ///< which CA signs
    Seconds validity{90 * 86400};
    Seconds backdate{60};                        ///< notBefore is this much before now, for devices with slow clocks
    std::vector<std::string> key_types;          ///< "p256", "rsa3072" (RSA: that size or larger) …
    /// Of keys that are made here (RFC 7030 4.4): the first where the request wishes for none of them. Kinds that do not sign can be
    /// among them. Empty: key_types.
    std::vector<std::string> generated_key_types;
    bool archive_keys = false;                   ///< those, for the recovery agents
    SubjectRules subject;
    SanRules san;
    /// Certificates of CAs, by Verb::cross_certify alone and never without a person; absent: of end entities. Their key usage is
    /// keyCertSign and cRLSign.
    std::optional<CaRules> ca_certificate{};
    std::uint32_t key_usage = x509::digital_signature;   ///< for keys that sign; keyEncipherment is left out for others than RSA
    std::vector<der::Oid> ext_key_usage;
    std::vector<der::Oid> policies;
    std::string cps_uri;
    std::vector<std::string> crl_uris, ocsp_uris, ca_issuer_uris;  ///< empty: what the CA's StatusConfig has
    bool ocsp_no_check = false;                  ///< id-pkix-ocsp-nocheck, and no pointer to status: for an OCSP signer
    std::vector<der::Oid> pass_extensions;       ///< extensions of the request that go into the certificate as they are
    Unwanted other_extensions = Unwanted::drop;  ///< bug class 4
    bool manual_approval = false;
    Seconds approval_expires{7 * 86400};
    Seconds poll_interval{600};                  ///< Retry-After while a person decides
    bool may_change_names = false;               ///< ChangeSubjectName on renewal (RFC 6402 2.8)
    /// Renewal asks for a certificate that is still valid, or expired for at most this long.
    Seconds renew_after_expiry{0};
    std::optional<Seconds> renew_before_expiry;  ///< refuse a renewal earlier than this before the end; nothing: any time
    /// CSR attributes asked for over EST (RFC 8951, RFC 9908).
    bool ask_for_key_type = true, ask_for_san = false, ask_for_linking = false;
    bool csrattrs_template = true;               ///< RFC 9908 template beside the old form

    /// SHA-256 over everything above: what was decided under one text is not issued under another (bug class 22).
    std::array<std::uint8_t, 32> digest() const;
};

/// Whether RFC 4514 text or a SAN in text form matches a pattern as above. Case is folded for DNS names and e-mail hosts only.
bool subject_matches(const x509::Name& subject, std::string_view pattern);
bool san_matches(const x509::GeneralName& name, std::string_view pattern);
/// Syntax of patterns, for `estuaryd check` and `credential add`.
Result<void> check_subject_pattern(std::string_view pattern);
Result<void> check_san_pattern(std::string_view pattern);

/// What a new installation starts with (see docs/configuration.md).
Profile default_device_profile(std::string ca);
Profile tls_server_profile(std::string ca);      ///< for estuaryd's own certificate: serverAuth, cmcRA

}  // namespace estuary::authority
