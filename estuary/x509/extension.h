#pragma once
// Extensions (RFC 5280 4.2): the list as it stands, and typed readers and writers of the standard ones.
#include <optional>
#include <vector>

#include "estuary/x509/name.h"
#include "estuary/x509/oids.h"

namespace estuary::x509 {

struct Extension {
    der::Oid id;
    bool critical = false;
    ByteVec value;  ///< content of extnValue: the DER of the extension's own type
    bool operator==(const Extension&) const = default;
};

/// Extensions ::= SEQUENCE SIZE (1..MAX); each OID once (RFC 5280 4.2), at most 64. `der` is the whole SEQUENCE.
Result<std::vector<Extension>> parse_extensions(Bytes der);
void write_extensions(der::Writer& writer, const std::vector<Extension>& extensions);
const Extension* find(const std::vector<Extension>& extensions, const der::Oid& id);

/// KeyUsage bits as RFC 5280 4.2.1.3 numbers them.
enum KeyUsage : std::uint32_t {
    digital_signature = 1u << 0,
    non_repudiation = 1u << 1,
    key_encipherment = 1u << 2,
    data_encipherment = 1u << 3,
    key_agreement = 1u << 4,
    key_cert_sign = 1u << 5,
    crl_sign = 1u << 6,
    encipher_only = 1u << 7,
    decipher_only = 1u << 8,
};
Result<std::uint32_t> parse_key_usage(Bytes value);
Extension make_key_usage(std::uint32_t bits);
/// "digitalSignature", "keyCertSign" … as RFC 5280 spells them.
Result<std::uint32_t> key_usage_from_name(std::string_view name);
std::vector<std::string> key_usage_names(std::uint32_t bits);

struct BasicConstraints {
    bool ca = false;
    std::optional<std::uint32_t> path_length;
};
Result<BasicConstraints> parse_basic_constraints(Bytes value);
Extension make_basic_constraints(const BasicConstraints& value);

Result<std::vector<der::Oid>> parse_ext_key_usage(Bytes value);  ///< not empty (bug class 15)
Extension make_ext_key_usage(const std::vector<der::Oid>& purposes, bool critical = false);
/// "serverAuth", "clientAuth", "cmcRA", … or dotted.
Result<der::Oid> ext_key_usage_from_name(std::string_view name);
std::string ext_key_usage_name(const der::Oid& purpose);

Extension make_subject_alt_name(const std::vector<GeneralName>& names, bool critical);
Extension make_subject_key_identifier(Bytes key_identifier);
Result<Bytes> parse_subject_key_identifier(Bytes value);
Extension make_authority_key_identifier(Bytes key_identifier);
/// The keyIdentifier, if there is one.
Result<std::optional<Bytes>> parse_authority_key_identifier(Bytes value);
Extension make_certificate_policies(const std::vector<der::Oid>& policies, const std::string& cps_uri = {});
Extension make_crl_distribution_points(const std::vector<std::string>& uris);
Extension make_ocsp_no_check();  ///< for an OCSP signer's certificate (RFC 6960 4.2.2.2.1)
Extension make_authority_info_access(const std::vector<std::string>& ocsp_uris, const std::vector<std::string>& ca_issuer_uris);

/// Where the issuer's services are (RFC 5280 4.2.2.1); locations that are no URI, and other methods, are passed over.
struct AuthorityInfoAccess {
    std::vector<std::string> ocsp_uris, ca_issuer_uris;
    bool has_other_methods = false;  ///< some method is neither id-ad-ocsp nor id-ad-caIssuers
};
Result<AuthorityInfoAccess> parse_authority_info_access(Bytes value);

struct NameConstraints {
    std::vector<GeneralName> permitted, excluded;  ///< ip: address and mask (8 or 32 octets)
};
Result<NameConstraints> parse_name_constraints(Bytes value);
Extension make_name_constraints(const NameConstraints& value);
/// Whether subject and SAN satisfy the constraints (RFC 5280 4.2.1.10); policy error naming the first that does not.
Result<void> satisfies(const NameConstraints& constraints, const Name& subject, const std::vector<GeneralName>& names);

/// SHA-1 of the subjectPublicKey BIT STRING octets (RFC 5280 4.2.1.2 method 1) of a SubjectPublicKeyInfo.
Result<ByteVec> key_identifier(Bytes spki);

}  // namespace estuary::x509
