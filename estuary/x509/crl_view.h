#pragma once
// Inside of the CRL codec and its lint: a TBSCertList laid open without copies, and the walk over its entries.
#include "estuary/x509/crl_extension.h"

namespace estuary::x509::crl {

/// As a TBSCertList states v2.
inline constexpr std::int64_t version_2 = 1;
/// The largest list that is read: five million entries with long serial numbers and reasons.
inline constexpr std::size_t bytes_max = std::size_t{256} << 20;

struct TimeView {
    der::Tag tag{};  ///< UTCTime or GeneralizedTime
    Time time{};
};
/// RFC 5280 5.1.2.4: UTCTime through 2049, GeneralizedTime from 2050 on.
bool is_of_its_kind(const TimeView& time) noexcept;

/// A TBSCertList (RFC 5280 5.1) with its fields found; views into the octets read. Extensions and entries are not looked at.
struct TbsView {
    std::optional<std::int64_t> version;  ///< as encoded (v2 is 1); absent: v1
    Bytes signature_algorithm;            ///< whole AlgorithmIdentifier
    Bytes issuer;                         ///< whole Name, not looked at
    TimeView this_update;
    std::optional<TimeView> next_update;
    std::optional<Bytes> revoked;     ///< content of revokedCertificates
    std::optional<Bytes> extensions;  ///< whole Extensions
};
Result<TbsView> read_tbs(Bytes tbs);

/// One entry of revokedCertificates, with what its extensions say.
struct EntryView {
    Bytes serial_number;  ///< INTEGER content octets
    TimeView revoked_at;
    bool has_extensions = false;
    std::optional<std::uint8_t> reason;  ///< as encoded: also of numbers that RFC 5280 5.3.1 does not have
    std::optional<Time> invalidity_date;
    Bytes certificate_issuer;  ///< whole GeneralNames; empty: absent
    bool reason_critical = false, invalidity_critical = false, issuer_critical = false;
    Bytes unknown_critical;  ///< content octets of the OID of a critical extension that is not known; empty: none
};
/// A reader of all entries, for read_entry and read_serial.
inline der::Reader entries_of(Bytes revoked) { return der::Reader{revoked, {.bytes_max = bytes_max}}; }
/// The next entry. malformed: also extensions that occur twice; too_large: more than 16 extensions.
Result<EntryView> read_entry(der::Reader& entries);
/// Passes over the next entry and looks at its serial number only.
Result<Bytes> read_serial(der::Reader& entries);

}  // namespace estuary::x509::crl
