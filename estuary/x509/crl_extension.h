#pragma once
// The small values of CRLs: reasons and numbers (RFC 5280 5.2.3, 5.2.4, 5.3.1).
#include <compare>

#include "estuary/x509/distribution_point.h"

namespace estuary::x509 {

/// CRLReason of RFC 5280 5.3.1; 7 is not used.
enum class CrlReason : std::uint8_t {
    unspecified = 0,
    key_compromise = 1,
    ca_compromise = 2,
    affiliation_changed = 3,
    superseded = 4,
    cessation_of_operation = 5,
    certificate_hold = 6,
    remove_from_crl = 8,
    privilege_withdrawn = 9,
    aa_compromise = 10,
};
/// "keyCompromise", as RFC 5280 spells it.
std::string_view to_string(CrlReason reason) noexcept;
/// Nothing for 7 and for numbers past 10.
std::optional<CrlReason> crl_reason(std::uint8_t number) noexcept;
/// The reason's bit in ReasonFlags; 0 for unspecified and removeFromCRL, which have none.
ReasonFlags reason_flag(CrlReason reason) noexcept;

/// CRLNumber ::= INTEGER (0..MAX), of at most 20 octets (RFC 5280 5.2.3).
struct CrlNumber {
    ByteVec octets{0};  ///< big-endian, without leading zero octets; zero is one 00

    CrlNumber() = default;
    explicit CrlNumber(std::uint64_t value);
    /// Big-endian octets of any length up to 20 after leading zeros; too_large.
    static Result<CrlNumber> from_octets(Bytes big_endian);
    /// The INTEGER of cRLNumber or deltaCRLIndicator. malformed: negative; too_large: over 20 octets.
    static Result<CrlNumber> parse(Bytes value);
    std::string to_hex() const;

    bool operator==(const CrlNumber&) const = default;
    std::strong_ordering operator<=>(const CrlNumber& other) const noexcept;
};
Extension make_crl_number(const CrlNumber& number);
Extension make_delta_crl_indicator(const CrlNumber& base);  ///< critical

}  // namespace estuary::x509
