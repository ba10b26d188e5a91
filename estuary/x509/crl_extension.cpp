#include "estuary/x509/crl_extension.h"

#include <array>

#include "estuary/base/encoding.h"

namespace estuary::x509 {
namespace {

constexpr std::size_t number_octets_max = 20;

Bytes without_leading_zeros(Bytes octets) {
    while (octets.size() > 1 && octets[0] == 0) octets = octets.subspan(1);
    return octets;
}

Extension make_number(const der::Oid& id, bool critical, const CrlNumber& number) {
    der::Writer writer;
    writer.unsigned_integer(number.octets);
    return {id, critical, std::move(writer).take()};
}

}  // namespace

std::string_view to_string(CrlReason reason) noexcept {
    switch (reason) {
        case CrlReason::unspecified: return "unspecified";
        case CrlReason::key_compromise: return "keyCompromise";
        case CrlReason::ca_compromise: return "cACompromise";
        case CrlReason::affiliation_changed: return "affiliationChanged";
        case CrlReason::superseded: return "superseded";
        case CrlReason::cessation_of_operation: return "cessationOfOperation";
        case CrlReason::certificate_hold: return "certificateHold";
        case CrlReason::remove_from_crl: return "removeFromCRL";
        case CrlReason::privilege_withdrawn: return "privilegeWithdrawn";
        case CrlReason::aa_compromise: return "aACompromise";
    }
    return "unspecified";
}

std::optional<CrlReason> crl_reason(std::uint8_t number) noexcept {
    if (number == 7 || number > 10) return {};
    return static_cast<CrlReason>(number);
}

ReasonFlags reason_flag(CrlReason reason) noexcept {
    switch (reason) {
        case CrlReason::key_compromise: return 1u << 1;
        case CrlReason::ca_compromise: return 1u << 2;
        case CrlReason::affiliation_changed: return 1u << 3;
        case CrlReason::superseded: return 1u << 4;
        case CrlReason::cessation_of_operation: return 1u << 5;
        case CrlReason::certificate_hold: return 1u << 6;
        // The numbers of CRLReason and of ReasonFlags part ways after 6.
        case CrlReason::privilege_withdrawn: return 1u << 7;
        case CrlReason::aa_compromise: return 1u << 8;
        case CrlReason::unspecified:
        case CrlReason::remove_from_crl: return 0;
    }
    return 0;
}

CrlNumber::CrlNumber(std::uint64_t value) {
    std::array<std::uint8_t, 8> big_endian{};
    for (std::size_t i = 0; i < 8; ++i) big_endian[i] = static_cast<std::uint8_t>(value >> (8 * (7 - i)));
    octets = to_vec(without_leading_zeros(big_endian));
}

Result<CrlNumber> CrlNumber::from_octets(Bytes big_endian) {
    big_endian = without_leading_zeros(big_endian);
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.3
    //# CRL verifiers MUST be able to handle CRLNumber values up to 20 octets.
    if (big_endian.size() > number_octets_max) return fail(Code::too_large, "CRL number is longer than 20 octets");
    CrlNumber number;
    if (!big_endian.empty()) number.octets = to_vec(big_endian);
    return number;
}

Result<CrlNumber> CrlNumber::parse(Bytes value) {
    der::Reader reader{value};
    ESTUARY_TRY(const auto octets, reader.integer_octets());
    ESTUARY_CHECK(reader.finish("CRLNumber"));
    if ((octets[0] & 0x80) != 0) return fail(Code::malformed, "CRL number is negative");
    return from_octets(octets);
}

std::string CrlNumber::to_hex() const { return estuary::to_hex(octets); }

std::strong_ordering CrlNumber::operator<=>(const CrlNumber& other) const noexcept {
    if (const auto order = octets.size() <=> other.octets.size(); order != 0) return order;
    return octets <=> other.octets;
}

Extension make_crl_number(const CrlNumber& number) { return make_number(oid::crl_number, false, number); }
Extension make_delta_crl_indicator(const CrlNumber& base) { return make_number(oid::delta_crl_indicator, true, base); }

}  // namespace estuary::x509
