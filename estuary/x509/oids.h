#pragma once
// Object identifiers of names, extensions, attributes and extended key usages, spelled as their RFCs spell them.
#include "estuary/asn1/oid.h"

namespace estuary::x509::oid {

using der::Oid;

// Attribute types of names (X.520, RFC 4519, RFC 5280 A.1)
inline constexpr Oid common_name{"2.5.4.3"};
inline constexpr Oid surname{"2.5.4.4"};
inline constexpr Oid serial_number{"2.5.4.5"};
inline constexpr Oid country_name{"2.5.4.6"};
inline constexpr Oid locality_name{"2.5.4.7"};
inline constexpr Oid state_or_province_name{"2.5.4.8"};
inline constexpr Oid street_address{"2.5.4.9"};
inline constexpr Oid organization_name{"2.5.4.10"};
inline constexpr Oid organizational_unit_name{"2.5.4.11"};
inline constexpr Oid title{"2.5.4.12"};
inline constexpr Oid description{"2.5.4.13"};
inline constexpr Oid business_category{"2.5.4.15"};
inline constexpr Oid postal_code{"2.5.4.17"};
inline constexpr Oid name{"2.5.4.41"};
inline constexpr Oid given_name{"2.5.4.42"};
inline constexpr Oid initials{"2.5.4.43"};
inline constexpr Oid generation_qualifier{"2.5.4.44"};
inline constexpr Oid dn_qualifier{"2.5.4.46"};
inline constexpr Oid pseudonym{"2.5.4.65"};
inline constexpr Oid organization_identifier{"2.5.4.97"};
inline constexpr Oid user_id{"0.9.2342.19200300.100.1.1"};
inline constexpr Oid domain_component{"0.9.2342.19200300.100.1.25"};
inline constexpr Oid email_address{"1.2.840.113549.1.9.1"};
inline constexpr Oid unstructured_name{"1.2.840.113549.1.9.2"};     ///< RFC 2985 5.4.3; routers send it
inline constexpr Oid unstructured_address{"1.2.840.113549.1.9.8"};  ///< RFC 2985 5.4.4

// Other names in GeneralName
inline constexpr Oid on_user_principal_name{"1.3.6.1.4.1.311.20.2.3"};  ///< Microsoft: UTF8String "user@realm"
inline constexpr Oid on_hardware_module_name{"1.3.6.1.5.5.7.8.4"};      ///< RFC 4108

// Extensions (RFC 5280 4.2)
inline constexpr Oid subject_key_identifier{"2.5.29.14"};
inline constexpr Oid key_usage{"2.5.29.15"};
inline constexpr Oid subject_alt_name{"2.5.29.17"};
inline constexpr Oid issuer_alt_name{"2.5.29.18"};
inline constexpr Oid basic_constraints{"2.5.29.19"};
inline constexpr Oid name_constraints{"2.5.29.30"};
inline constexpr Oid crl_distribution_points{"2.5.29.31"};
inline constexpr Oid certificate_policies{"2.5.29.32"};
inline constexpr Oid policy_mappings{"2.5.29.33"};
inline constexpr Oid authority_key_identifier{"2.5.29.35"};
inline constexpr Oid policy_constraints{"2.5.29.36"};
inline constexpr Oid ext_key_usage{"2.5.29.37"};
inline constexpr Oid freshest_crl{"2.5.29.46"};
inline constexpr Oid crl_number{"2.5.29.20"};
inline constexpr Oid crl_reason{"2.5.29.21"};  ///< id-ce-cRLReasons, of entries
inline constexpr Oid invalidity_date{"2.5.29.24"};
inline constexpr Oid delta_crl_indicator{"2.5.29.27"};
inline constexpr Oid issuing_distribution_point{"2.5.29.28"};
inline constexpr Oid certificate_issuer{"2.5.29.29"};
inline constexpr Oid inhibit_any_policy{"2.5.29.54"};
inline constexpr Oid authority_info_access{"1.3.6.1.5.5.7.1.1"};
inline constexpr Oid subject_info_access{"1.3.6.1.5.5.7.1.11"};
inline constexpr Oid tls_feature{"1.3.6.1.5.5.7.1.24"};
inline constexpr Oid any_policy{"2.5.29.32.0"};
inline constexpr Oid qt_cps{"1.3.6.1.5.5.7.2.1"};
inline constexpr Oid ad_ocsp{"1.3.6.1.5.5.7.48.1"};
inline constexpr Oid ocsp_no_check{"1.3.6.1.5.5.7.48.1.5"};
inline constexpr Oid ad_ca_issuers{"1.3.6.1.5.5.7.48.2"};

// Extended key usages
inline constexpr Oid any_extended_key_usage{"2.5.29.37.0"};
inline constexpr Oid kp_server_auth{"1.3.6.1.5.5.7.3.1"};
inline constexpr Oid kp_client_auth{"1.3.6.1.5.5.7.3.2"};
inline constexpr Oid kp_code_signing{"1.3.6.1.5.5.7.3.3"};
inline constexpr Oid kp_email_protection{"1.3.6.1.5.5.7.3.4"};
inline constexpr Oid kp_time_stamping{"1.3.6.1.5.5.7.3.8"};
inline constexpr Oid kp_ocsp_signing{"1.3.6.1.5.5.7.3.9"};
inline constexpr Oid kp_cmc_ca{"1.3.6.1.5.5.7.3.27"};  ///< RFC 6402 2.10
inline constexpr Oid kp_cmc_ra{"1.3.6.1.5.5.7.3.28"};  ///< RFC 6402 2.10

// Attributes of certification requests
inline constexpr Oid extension_request{"1.2.840.113549.1.9.14"};
inline constexpr Oid microsoft_extensions{"1.3.6.1.4.1.311.2.1.14"};  ///< szOID_CERT_EXTENSIONS: the same syntax
inline constexpr Oid challenge_password{"1.2.840.113549.1.9.7"};
inline constexpr Oid change_subject_name{"1.3.6.1.5.5.7.7.36"};           ///< RFC 6402 2.8
inline constexpr Oid otp_challenge{"1.2.840.113549.1.9.16.2.56"};         ///< RFC 7894
inline constexpr Oid revocation_challenge{"1.2.840.113549.1.9.16.2.57"};  ///< RFC 7894
inline constexpr Oid est_identity_linking{"1.2.840.113549.1.9.16.2.58"};  ///< RFC 7894

}  // namespace estuary::x509::oid
