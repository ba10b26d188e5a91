#pragma once
// CRLs written (RFC 5280 5): entries are put straight into the buffer that the whole list is then made in.
#include "estuary/x509/crl.h"

namespace estuary::x509 {

/// Everything of a TBSCertList but its entries.
struct CrlTemplate {
    Name issuer;
    ByteVec signature_algorithm;  ///< whole AlgorithmIdentifier
    Time this_update{}, next_update{};
    CrlNumber number;
    ByteVec authority_key_id;             ///< the issuer's subjectKeyIdentifier
    std::optional<CrlNumber> delta_base;  ///< BaseCRLNumber: makes it a delta CRL
    std::optional<IssuingDistributionPoint> scope;
    std::vector<std::string> freshest_crl_uris;  ///< where deltas are; not in deltas (5.2.6)
};

/// A list that wants its signature.
class CrlToSign {
public:
    Bytes tbs() const noexcept;  ///< the exact octets to be signed
    /// The CertificateList, in the same buffer.
    ByteVec assemble(Bytes signature) &&;

private:
    friend class CrlEncoder;
    CrlToSign() = default;
    ByteVec buffer_;
    std::size_t begin_ = 0;  ///< of the tbsCertList in the buffer; before it is room for the outer header
    ByteVec signature_algorithm_;
};

/// Takes entries one by one. Needs about 40 to 54 octets for each (20-octet serial numbers), all of them in one buffer that is
/// never copied when `expected_entries` is not passed.
class CrlEncoder {
public:
    explicit CrlEncoder(CrlTemplate list, std::size_t expected_entries = 0);

    /// `serial_number`: big-endian, positive, at most 20 octets after leading zeros. Leaves unspecified out (RFC 5280 5.3.1).
    /// malformed: the serial number, a reason without name, a year outside 0 to 9999; policy: removeFromCRL in a complete list.
    Result<void> add(Bytes serial_number, Time revoked_at, CrlReason reason, std::optional<Time> invalidity_date = {});
    std::size_t entry_count() const noexcept { return entry_count_; }

    CrlToSign finish() &&;

private:
    CrlTemplate list_;
    ByteVec prologue_;  ///< version to nextUpdate
    ByteVec buffer_;    ///< room for headers and prologue, then the entries
    std::size_t first_entry_ = 0;
    std::size_t entry_count_ = 0;
};

/// SEQUENCE { tbs, algorithm, signature }, for signatures that come from elsewhere.
ByteVec encode_revocation_list(Bytes tbs, Bytes signature_algorithm, Bytes signature);

}  // namespace estuary::x509
