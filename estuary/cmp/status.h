#pragma once
// PKIStatusInfo (RFC 9810 5.2.3): how a request went.
#include <initializer_list>

#include "estuary/cmp/free_text.h"

namespace estuary::cmp {

enum class PkiStatus : std::uint8_t {
    accepted = 0,
    granted_with_mods = 1,
    rejection = 2,
    waiting = 3,
    revocation_warning = 4,
    revocation_notification = 5,
    key_update_warning = 6,
};
/// "grantedWithMods", as RFC 9810 spells it.
std::string_view to_string(PkiStatus status) noexcept;
/// PKIStatus ::= INTEGER. unsupported: a number that RFC 9810 does not have.
Result<PkiStatus> read_pki_status(der::Reader& reader);

/// Bits of PKIFailureInfo, by number.
enum class PkiFailure : std::uint8_t {
    bad_alg = 0,
    bad_message_check = 1,
    bad_request = 2,
    bad_time = 3,
    bad_cert_id = 4,
    bad_data_format = 5,
    wrong_authority = 6,
    incorrect_data = 7,
    missing_time_stamp = 8,
    bad_pop = 9,
    cert_revoked = 10,
    cert_confirmed = 11,
    wrong_integrity = 12,
    bad_recipient_nonce = 13,
    time_not_available = 14,
    unaccepted_policy = 15,
    unaccepted_extension = 16,
    add_info_not_available = 17,
    bad_sender_nonce = 18,
    bad_cert_template = 19,
    signer_not_trusted = 20,
    transaction_id_in_use = 21,
    unsupported_version = 22,
    not_authorized = 23,
    system_unavail = 24,
    system_failure = 25,
    duplicate_cert_req = 26,
};
inline constexpr unsigned pki_failures = 27;
/// "badMessageCheck", as RFC 9810 spells it.
std::string_view to_string(PkiFailure failure) noexcept;

/// PKIFailureInfo ::= BIT STRING: a set of failures. Bits that are not known (up to 31) are kept.
class PkiFailureInfo {
public:
    constexpr PkiFailureInfo() = default;
    constexpr PkiFailureInfo(std::initializer_list<PkiFailure> failures) {
        for (const auto failure : failures) bits_ |= bit(failure);
    }
    static constexpr PkiFailureInfo from_bits(std::uint32_t bits) {
        PkiFailureInfo info;
        info.bits_ = bits;
        return info;
    }

    constexpr bool has(PkiFailure failure) const noexcept { return (bits_ & bit(failure)) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr std::uint32_t bits() const noexcept { return bits_; }
    /// "badPOP, notAuthorized"; unknown ones as "bit 29".
    std::string to_text() const;
    bool operator==(const PkiFailureInfo&) const = default;

private:
    static constexpr std::uint32_t bit(PkiFailure failure) { return std::uint32_t{1} << static_cast<unsigned>(failure); }
    std::uint32_t bits_ = 0;
};

/// PKIStatusInfo ::= SEQUENCE { status PKIStatus, statusString PKIFreeText OPTIONAL, failInfo PKIFailureInfo OPTIONAL }
struct PkiStatusInfo {
    PkiStatus status = PkiStatus::accepted;
    PkiFreeText status_string;
    std::optional<PkiFailureInfo> fail_info;

    bool operator==(const PkiStatusInfo&) const = default;
    /// accepted or grantedWithMods.
    bool is_granted() const noexcept { return status == PkiStatus::accepted || status == PkiStatus::granted_with_mods; }
    /// "rejection: badPOP (the signature is wrong)", safe to show.
    std::string to_text() const;

    static Result<PkiStatusInfo> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};
/// Status rejection with one failure and one text.
PkiStatusInfo rejection(PkiFailure failure, std::string text = {});

}  // namespace estuary::cmp
