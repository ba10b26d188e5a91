#pragma once
// Distribution points: where CRLs are found and what they cover (RFC 5280 4.2.1.13, 4.2.1.15, 5.2.5, 5.2.6).
#include "estuary/x509/extension.h"

namespace estuary::x509 {

/// ReasonFlags: bit n here is bit n of RFC 5280 4.2.1.13 (keyCompromise 1 … aACompromise 8; bit 0 is not used).
using ReasonFlags = std::uint32_t;
/// Every reason that there is a bit for.
inline constexpr ReasonFlags all_reasons = 0x1FE;

/// DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
struct DistributionPointName {
    std::vector<GeneralName> full_name;  ///< ways to one and the same CRL
    ByteVec relative_name;               ///< content octets of the RelativeDistinguishedName; empty: full_name is chosen

    /// The names as they are compared: full_name, or the one name made of `issuer` and the fragment.
    std::vector<GeneralName> names_below(const Name& issuer) const;
    std::vector<std::string> uris() const;
    bool operator==(const DistributionPointName&) const = default;
};
/// It under [0] EXPLICIT, as in a DistributionPoint and in CMP's CRLSource; nothing if the next element has another tag.
Result<std::optional<DistributionPointName>> read_distribution_point_name(der::Reader& reader);
void write_distribution_point_name(der::Writer& writer, const DistributionPointName& name);

struct DistributionPoint {
    std::optional<DistributionPointName> name;
    std::optional<ReasonFlags> reasons;   ///< absent: all
    std::vector<GeneralName> crl_issuer;  ///< empty: the certificate's issuer
    bool operator==(const DistributionPoint&) const = default;
};

/// CRLDistributionPoints, and FreshestCRL, which has its syntax: 1 to 64 points, each with a name or a cRLIssuer. malformed.
Result<std::vector<DistributionPoint>> parse_crl_distribution_points(Bytes value);
/// FreshestCRL: one point with these URIs; not critical (RFC 5280 5.2.6). For CRLs and for certificates.
Extension make_freshest_crl(const std::vector<std::string>& uris);

/// IssuingDistributionPoint (RFC 5280 5.2.5): the scope of a CRL.
struct IssuingDistributionPoint {
    std::optional<DistributionPointName> name;
    bool only_user_certificates = false, only_ca_certificates = false;
    std::optional<ReasonFlags> only_some_reasons;
    bool indirect = false, only_attribute_certificates = false;
    bool operator==(const IssuingDistributionPoint&) const = default;
};
/// At most one of the only_…_certificates may be set. malformed. The empty SEQUENCE is read: it limits nothing.
Result<IssuingDistributionPoint> parse_issuing_distribution_point(Bytes value);
Extension make_issuing_distribution_point(const IssuingDistributionPoint& scope);  ///< critical

/// The points of cRLDistributionPoints (or of freshestCRL, by its OID); empty if the extension is absent.
Result<std::vector<DistributionPoint>> distribution_points(const std::vector<Extension>& extensions,
                                                           const der::Oid& id = oid::crl_distribution_points);
/// Every URI of those points, in order.
Result<std::vector<std::string>> crl_uris(const std::vector<Extension>& extensions,
                                          const der::Oid& id = oid::crl_distribution_points);
/// authorityInfoAccess of a certificate or CRL; nothing in it if the extension is absent.
Result<AuthorityInfoAccess> authority_info_access(const std::vector<Extension>& extensions);

/// Whether some name is in both: directory names by RFC 5280 7.1, all others octet for octet.
bool have_name_in_common(const std::vector<GeneralName>& a, const std::vector<GeneralName>& b);

}  // namespace estuary::x509
