#pragma once
// Certificate revocation lists read (RFC 5280 5), and what they say of a certificate (6.3.3).
#include "estuary/x509/certificate.h"
#include "estuary/x509/crl_extension.h"

namespace estuary::x509 {

/// One revoked certificate. Octets are views into its list.
struct CrlEntry {
    Bytes serial_number;  ///< INTEGER content octets, as Certificate::serial_number() gives them
    Time revoked_at{};
    CrlReason reason = CrlReason::unspecified;  ///< unspecified also if it is absent, or a number that RFC 5280 does not have
    std::optional<Time> invalidity_date;
    Bytes certificate_issuer;  ///< whole GeneralNames in force for this entry (RFC 5280 5.3.3); empty: the issuer of the list
};

/// The entries from first to last, in the order of the list (which need not be any order at all).
class CrlEntries {
public:
    std::optional<CrlEntry> next();

private:
    friend class RevocationList;
    explicit CrlEntries(der::Reader rest) noexcept : rest_{rest} {}
    der::Reader rest_;
    Bytes certificate_issuer_;
};

/// A parsed CertificateList: owns its DER; entries are walked where they lie. Copies share.
class RevocationList {
public:
    /// Strict DER to the bottom of every entry, in one pass (about 0.1 s for a million). malformed: also both signature
    /// algorithms not alike, a version other than v2 or absent, extensions in a v1 list, an empty revokedCertificates, an
    /// extension more than once; too_large: over 256 MiB, or a CRL number over 20 octets.
    static Result<RevocationList> parse(Bytes der);
    /// The same without a copy of the octets.
    static Result<RevocationList> adopt(ByteVec der);
    /// One PEM X509 CRL, or DER.
    static Result<RevocationList> from_bytes(Bytes pem_or_der);

    Bytes der() const noexcept;
    Bytes tbs() const noexcept;         ///< the signed octets
    unsigned version() const noexcept;  ///< 1 or 2
    const Name& issuer() const noexcept;
    Time this_update() const noexcept;
    std::optional<Time> next_update() const noexcept;
    Bytes signature_algorithm() const noexcept;  ///< whole AlgorithmIdentifier
    Bytes signature() const noexcept;
    const std::vector<Extension>& extensions() const noexcept;

    std::optional<ByteVec> authority_key_id() const;
    const std::optional<CrlNumber>& crl_number() const noexcept;
    const std::optional<CrlNumber>& delta_base() const noexcept;  ///< BaseCRLNumber: this is a delta CRL
    bool is_delta() const noexcept { return delta_base().has_value(); }
    const std::optional<IssuingDistributionPoint>& scope() const noexcept;  ///< issuingDistributionPoint
    Result<std::vector<std::string>> freshest_crl_uris() const;

    std::size_t entry_count() const noexcept;
    CrlEntries entries() const noexcept;
    /// The entry of that serial number (INTEGER content octets) of certificates of the list's own issuer.
    std::optional<CrlEntry> find(Bytes serial_number) const { return find(serial_number, issuer()); }
    /// … of certificates of any issuer: only indirect lists have such. One walk over the list (some 50 ms for a million
    /// entries). Should several entries match, one that revokes wins over removeFromCRL.
    std::optional<CrlEntry> find(Bytes serial_number, const Name& certificate_issuer) const;

    /// An error if the list must not be used to determine the status of any certificate, listed or not: critical extensions
    /// of list or entries that are not known (RFC 5280 5.2, 5.3), certificateIssuer in a list that is not indirect,
    /// removeFromCRL in a complete list. unsupported, malformed.
    Result<void> check_usable() const;
    /// thisUpdate <= now <= nextUpdate. A list without nextUpdate stays current: RFC 5280 5.1.2.5 leaves that open.
    bool is_current(Time now) const noexcept;
    /// Only the signature, by that key.
    Result<void> verify_signed_by(const crypto::PublicKey& issuer_key) const;
    /// RFC 5280 6.3.3 (f), (g) without the path to `crl_issuer`: its subject is the list's issuer, its keyUsage, if it has one,
    /// allows cRLSign, and its key verifies the signature. not_authorised, bad_proof, …
    Result<void> verify_issued_by(const Certificate& crl_issuer) const;

    /// The reasons for which this list, complete or delta, speaks about `certificate` (6.3.3 (b), (d)): by its issuer, by
    /// basicConstraints against the scope, and by the names of the certificate's distribution points. not_found: the
    /// certificate is out of scope; malformed: its cRLDistributionPoints cannot be read.
    Result<ReasonFlags> covers(const Certificate& certificate) const;
    /// Whether `delta` may be combined with this complete list (5.2.4, 6.3.3 (c)): same issuer, scope and authority key
    /// identifier; base number <= this number < delta's number. conflict, naming what is not so.
    Result<void> check_updated_by(const RevocationList& delta) const;

    std::string to_pem() const;
    bool operator==(const RevocationList& other) const { return same(der(), other.der()); }

private:
    struct Fields;
    std::shared_ptr<const Fields> fields_;
};

/// Every X509 CRL of a PEM text, or one in DER.
Result<std::vector<RevocationList>> parse_revocation_lists(Bytes pem_or_der);

/// What lists say about one certificate.
struct CrlStatus {
    enum class Kind : std::uint8_t {
        good,          ///< covered for every reason, and not listed
        revoked,       ///< listed; also on hold (reason certificateHold)
        undetermined,  ///< not listed, but `reasons` are not all: more lists are needed
    };
    Kind kind = Kind::undetermined;
    ReasonFlags reasons = 0;  ///< that these lists cover
    // Of a revoked one:
    Time revoked_at{};
    CrlReason reason = CrlReason::unspecified;
    std::optional<Time> invalidity_date;
};
/// RFC 5280 6.3.3 (b) to (l) for one complete list and, if there is one, the delta to it. Signatures and times are the
/// caller's to check first: verify_issued_by(), is_current(). An error: the lists cannot be used for this certificate.
Result<CrlStatus> status_in_crls(const Certificate& certificate, const RevocationList& complete,
                                 const RevocationList* delta = nullptr);

}  // namespace estuary::x509
