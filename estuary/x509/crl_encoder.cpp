#include "estuary/x509/crl_encoder.h"

#include <array>

#include "estuary/x509/crl_view.h"
#include "estuary/x509/parts.h"

namespace estuary::x509 {
namespace {

using der::Tag;
using der::Writer;

/// Identifier and a length of up to 4 octets.
constexpr std::size_t header_octets_max = 6;
/// Serial number of 20 octets, UTCTime, reasonCode, and their headers.
constexpr std::size_t entry_octets_expected = 54;
/// crlExtensions, signature (SLH-DSA has 50 kB) and headers: reserved so that the end does not move a large buffer.
constexpr std::size_t tail_octets_expected = 64 * 1024;

constexpr Time first_of_0{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};
constexpr Time last_of_9999{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + std::chrono::seconds{86399}};

// Entry extensions up to their varying octets. Extension ::= SEQUENCE { OID, OCTET STRING { value } }
constexpr std::array<std::uint8_t, 11> reason_front{0x30, 0x0A, 0x06, 0x03, 0x55, 0x1D, 0x15, 0x04, 0x03, 0x0A, 0x01};
constexpr std::array<std::uint8_t, 9> invalidity_front{0x30, 0x18, 0x06, 0x03, 0x55, 0x1D, 0x18, 0x04, 0x11};

/// One entry on the stack; every length in it is below 128, so each header has two octets.
class EntryWriter {
public:
    void octet(std::uint8_t value) noexcept { octets_[size_++] = value; }
    void octets(Bytes values) noexcept {
        std::ranges::copy(values, octets_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += values.size();
    }
    std::size_t begin(Tag tag) noexcept {
        octet(static_cast<std::uint8_t>(tag));
        octet(0);
        return size_;
    }
    void end(std::size_t mark) noexcept { octets_[mark - 1] = static_cast<std::uint8_t>(size_ - mark); }

    /// Positive, without leading zeros.
    void serial_number(Bytes big_endian) noexcept {
        const auto mark = begin(Tag::integer);
        if ((big_endian[0] & 0x80) != 0) octet(0);
        octets(big_endian);
        end(mark);
    }

    /// YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ (RFC 5280 4.1.2.5).
    void time(Time time, Tag tag) noexcept {
        const auto day = std::chrono::floor<std::chrono::days>(time);
        const std::chrono::year_month_day date{day};
        const auto seconds = static_cast<unsigned>((time - day).count());
        const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
        const auto mark = begin(tag);
        if (tag == Tag::generalized_time) two_digits(year / 100);
        two_digits(year % 100);
        two_digits(static_cast<unsigned>(date.month()));
        two_digits(static_cast<unsigned>(date.day()));
        two_digits(seconds / 3600);
        two_digits(seconds / 60 % 60);
        two_digits(seconds % 60);
        octet('Z');
        end(mark);
    }

    Bytes bytes() const noexcept { return Bytes{octets_}.first(size_); }

private:
    void two_digits(unsigned value) noexcept {
        octet(static_cast<std::uint8_t>('0' + value / 10));
        octet(static_cast<std::uint8_t>('0' + value % 10));
    }

    std::array<std::uint8_t, 128> octets_;  // at most 80 are ever used
    std::size_t size_ = 0;
};

bool is_by_utc_time(Time time) { return time >= first_of_1950 && time < first_of_2050; }
bool has_year_of_four_digits(Time time) { return time >= first_of_0 && time <= last_of_9999; }

Result<Bytes> check_serial(Bytes big_endian) {
    while (!big_endian.empty() && big_endian[0] == 0) big_endian = big_endian.subspan(1);
    if (big_endian.empty()) return fail(Code::malformed, "the serial number of a CRL entry is not positive");
    if (big_endian.size() > serial_octets_max)
        return fail(Code::malformed, "the serial number of a CRL entry is longer than 20 octets");
    return big_endian;
}

void write_entry_extensions(EntryWriter& entry, CrlReason reason, const std::optional<Time>& invalidity_date) {
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1
    //# the reason code CRL entry extension SHOULD be absent instead
    //# of using the unspecified (0) reasonCode value.
    const bool with_reason = reason != CrlReason::unspecified;
    if (!with_reason && !invalidity_date) return;
    const auto mark = entry.begin(Tag::sequence);
    if (with_reason) {
        entry.octets(reason_front);
        entry.octet(static_cast<std::uint8_t>(reason));
    }
    if (invalidity_date) {
        entry.octets(invalidity_front);
        entry.time(*invalidity_date, Tag::generalized_time);  // whatever the year (5.3.2)
    }
    entry.end(mark);
}

// version, signature, issuer, thisUpdate, nextUpdate
ByteVec make_prologue(const CrlTemplate& list) {
    Writer writer;
    writer.integer(crl::version_2).raw(list.signature_algorithm).raw(list.issuer.der());
    writer.time(list.this_update).time(list.next_update);
    return std::move(writer).take();
}

std::vector<Extension> make_extensions(const CrlTemplate& list) {
    std::vector<Extension> extensions{make_authority_key_identifier(list.authority_key_id), make_crl_number(list.number)};
    if (list.delta_base) extensions.push_back(make_delta_crl_indicator(*list.delta_base));
    if (list.scope) extensions.push_back(make_issuing_distribution_point(*list.scope));
    if (!list.freshest_crl_uris.empty()) extensions.push_back(make_freshest_crl(list.freshest_crl_uris));
    return extensions;
}

/// Puts `octets` in front of `at`, where there is room, and moves `at` there.
void prepend(ByteVec& buffer, std::size_t& at, Bytes octets) {
    at -= octets.size();
    std::ranges::copy(octets, buffer.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Puts the header of the SEQUENCE that reaches from `at` to the end of the buffer in front of `at`.
void prepend_header(ByteVec& buffer, std::size_t& at) {
    const auto length = buffer.size() - at;
    std::array<std::uint8_t, header_octets_max> header{static_cast<std::uint8_t>(Tag::sequence)};
    std::size_t size = 1;
    if (length < 0x80) {
        header[size++] = static_cast<std::uint8_t>(length);
    } else {
        std::size_t octets = 1;
        while (octets < 4 && (length >> (8 * octets)) != 0) ++octets;
        header[size++] = static_cast<std::uint8_t>(0x80 | octets);
        for (std::size_t i = octets; i-- > 0;) header[size++] = static_cast<std::uint8_t>(length >> (8 * i));
    }
    prepend(buffer, at, Bytes{header}.first(size));
}

}  // namespace

CrlEncoder::CrlEncoder(CrlTemplate list, std::size_t expected_entries)
    : list_{std::move(list)}, prologue_{make_prologue(list_)}, first_entry_{3 * header_octets_max + prologue_.size()} {
    buffer_.reserve(first_entry_ + expected_entries * entry_octets_expected + tail_octets_expected);
    buffer_.resize(first_entry_);
}

Result<void> CrlEncoder::add(Bytes serial_number, Time revoked_at, CrlReason reason, std::optional<Time> invalidity_date) {
    ESTUARY_TRY(const auto serial, check_serial(serial_number));
    if (!crl_reason(static_cast<std::uint8_t>(reason))) return fail(Code::malformed, "a CRL reason that RFC 5280 does not have");
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1
    //# The removeFromCRL (8) reasonCode value may only appear in delta CRLs
    if (reason == CrlReason::remove_from_crl && !list_.delta_base)
        return fail(Code::policy, "removeFromCRL is for delta CRLs only");
    if (!has_year_of_four_digits(revoked_at) || (invalidity_date && !has_year_of_four_digits(*invalidity_date)))
        return fail(Code::malformed, "a time of a CRL entry has no year of four digits");
    EntryWriter entry;
    const auto mark = entry.begin(Tag::sequence);
    entry.serial_number(serial);
    entry.time(revoked_at, is_by_utc_time(revoked_at) ? Tag::utc_time : Tag::generalized_time);
    write_entry_extensions(entry, reason, invalidity_date);
    entry.end(mark);
    append(buffer_, entry.bytes());
    ++entry_count_;
    return {};
}

// From the inside out: the header of the entries, then what stands before them, what comes after, and the header of all.
CrlToSign CrlEncoder::finish() && {
    auto at = first_entry_;
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.6
    //# When there are no revoked certificates, the revoked certificates list MUST be absent.
    if (entry_count_ != 0) prepend_header(buffer_, at);
    prepend(buffer_, at, prologue_);
    Writer tail;
    tail.constructed(der::context_constructed(0), [&] { write_extensions(tail, make_extensions(list_)); });
    append(buffer_, tail.bytes());
    prepend_header(buffer_, at);
    CrlToSign list;
    list.buffer_ = std::move(buffer_);
    list.begin_ = at;
    list.signature_algorithm_ = std::move(list_.signature_algorithm);
    return list;
}

Bytes CrlToSign::tbs() const noexcept { return Bytes{buffer_}.subspan(begin_); }

ByteVec CrlToSign::assemble(Bytes signature) && {
    Writer tail;
    tail.raw(signature_algorithm_).bit_string(signature);
    append(buffer_, tail.bytes());
    prepend_header(buffer_, begin_);
    // What room was not needed, at most 16 octets: one move of the whole, some 5 ms for 50 MB, and no second buffer.
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    return std::move(buffer_);
}

ByteVec encode_revocation_list(Bytes tbs, Bytes signature_algorithm, Bytes signature) {
    return encode_certificate(tbs, signature_algorithm, signature);  // CertificateList has the shape of Certificate
}

}  // namespace estuary::x509
