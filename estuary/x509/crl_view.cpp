#include "estuary/x509/crl_view.h"

#include <array>

#include "estuary/x509/certificate.h"
#include "estuary/x509/parts.h"

namespace estuary::x509::crl {
namespace {

using der::Reader;
using der::Tag;

constexpr std::size_t entry_extensions_max = 16;

Result<TimeView> read_time(Reader& reader, std::string_view what) {
    const auto tag = reader.peek().value_or(Tag{});
    auto time = reader.time();
    if (!time) return fail(in_context(what, std::move(time).error()));
    return TimeView{tag, *time};
}

/// The OIDs seen in one entry: each may occur once.
class SeenOnce {
public:
    Result<void> add(Bytes id) {
        for (std::size_t i = 0; i < size_; ++i)
            if (same(ids_[i], id)) return fail(Code::malformed, "an extension of a CRL entry occurs more than once");
        if (size_ == ids_.size()) return fail(Code::too_large, "more than 16 extensions of a CRL entry");
        ids_[size_++] = id;
        return {};
    }

private:
    std::array<Bytes, entry_extensions_max> ids_{};
    std::size_t size_ = 0;
};

// CRLReason ::= ENUMERATED
Result<std::uint8_t> read_reason(Bytes value) {
    Reader reader{value};
    ESTUARY_TRY(const auto octets, reader.content(Tag::enumerated));
    ESTUARY_CHECK(reader.finish("reasonCode"));
    if (octets.size() != 1 || (octets[0] & 0x80) != 0) return fail(Code::malformed, "reasonCode is no small ENUMERATED");
    return octets[0];
}

Result<Time> read_invalidity_date(Bytes value) {
    Reader reader{value};
    ESTUARY_TRY(const auto time, reader.generalized_time());
    ESTUARY_CHECK(reader.finish("invalidityDate"));
    return time;
}

/// The value of one entry extension into `entry`; values of unknown ones are not looked at.
Result<void> read_value(EntryView& entry, Bytes id, bool critical, Bytes value) {
    if (same(id, oid::crl_reason.content())) {
        ESTUARY_TRY(entry.reason, read_reason(value));
        entry.reason_critical = critical;
    } else if (same(id, oid::invalidity_date.content())) {
        ESTUARY_TRY(entry.invalidity_date, read_invalidity_date(value));
        entry.invalidity_critical = critical;
    } else if (same(id, oid::certificate_issuer.content())) {
        ESTUARY_CHECK(parse_general_names(value));
        entry.certificate_issuer = value;
        entry.issuer_critical = critical;
    } else if (critical) {
        entry.unknown_critical = id;
    }
    return {};
}

Result<void> read_entry_extensions(EntryView& entry, Reader& list) {
    if (list.empty()) return fail(Code::malformed, "crlEntryExtensions is empty");
    for (SeenOnce seen; !list.empty();) {
        ESTUARY_TRY(auto extension, list.enter(Tag::sequence));
        // The octets themselves: an Oid a million times over is what this loop can do without.
        ESTUARY_TRY(const auto id, extension.content(Tag::oid));
        ESTUARY_TRY(const bool critical, extension.boolean_default_false());
        ESTUARY_TRY(const auto value, extension.octet_string());
        ESTUARY_CHECK(extension.finish("Extension"));
        ESTUARY_CHECK(seen.add(id));
        ESTUARY_CHECK(read_value(entry, id, critical, value));
    }
    return {};
}

/// crlEntryExtensions of a reasonCode alone, not critical, up to the reason.
constexpr std::array<std::uint8_t, 13> only_reason{0x30, 0x0C, 0x30, 0x0A, 0x06, 0x03, 0x55, 0x1D, 0x15, 0x04, 0x03, 0x0A, 0x01};
constexpr std::size_t utc_time_octets = 15;

/// The shape of nearly every entry: a positive serial number, a UTCTime, and nothing more than perhaps a reasonCode. Held
/// against its octets it takes a fraction of the time of reading element by element, which is what all else is left to:
/// false, with `entry` as it was.
bool read_plain_entry(EntryView& entry, Bytes content) {
    constexpr std::size_t least = 2 + 1 + utc_time_octets;
    if (content.size() < least || content[0] != static_cast<std::uint8_t>(Tag::integer)) return false;
    const std::size_t serial_size = content[1];
    if (serial_size == 0 || serial_size >= 0x80 || serial_size > content.size() - (least - 1)) return false;
    const auto serial = content.subspan(2, serial_size);
    const bool negative = (serial[0] & 0x80) != 0;
    const bool not_minimal = serial_size > 1 && serial[0] == 0 && (serial[1] & 0x80) == 0;
    if (negative || not_minimal) return false;
    Reader date{content.subspan(2 + serial_size, utc_time_octets)};
    const auto time = date.utc_time();
    if (!time || !date.empty()) return false;
    const auto last = content.subspan(2 + serial_size + utc_time_octets);
    const bool with_reason = last.size() == only_reason.size() + 1 && same(last.first(only_reason.size()), only_reason);
    if (!last.empty() && (!with_reason || (last.back() & 0x80) != 0)) return false;
    entry.serial_number = serial;
    entry.revoked_at = {Tag::utc_time, *time};
    entry.has_extensions = with_reason;
    if (with_reason) entry.reason = last.back();
    return true;
}

}  // namespace

bool is_of_its_kind(const TimeView& time) noexcept {
    const bool by_utc_time = time.time >= first_of_1950 && time.time < first_of_2050;
    return by_utc_time == (time.tag == Tag::utc_time);
}

// TBSCertList ::= SEQUENCE { version Version OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time,
//     nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF … OPTIONAL, crlExtensions [0] EXPLICIT Extensions OPTIONAL }
Result<TbsView> read_tbs(Bytes tbs) {
    ESTUARY_TRY(auto reader, der::enter_only(tbs, Tag::sequence, "TBSCertList", {.bytes_max = bytes_max}));
    TbsView view;
    if (reader.next_is(Tag::integer)) {
        ESTUARY_TRY(view.version, reader.integer());
    }
    ESTUARY_TRY(view.signature_algorithm, read_algorithm_identifier(reader));
    ESTUARY_TRY(const auto issuer, reader.element(Tag::sequence));
    view.issuer = issuer.whole;
    ESTUARY_TRY(view.this_update, read_time(reader, "thisUpdate"));
    if (reader.next_is(Tag::utc_time) || reader.next_is(Tag::generalized_time)) {
        ESTUARY_TRY(view.next_update, read_time(reader, "nextUpdate"));
    }
    if (reader.next_is(Tag::sequence)) {
        ESTUARY_TRY(view.revoked, reader.content(Tag::sequence));
    }
    ESTUARY_TRY(auto wrapper, reader.enter_if(der::context_constructed(0)));
    if (wrapper) {
        ESTUARY_TRY(const auto extensions, wrapper->element(Tag::sequence));
        ESTUARY_CHECK(wrapper->finish("crlExtensions"));
        view.extensions = extensions.whole;
    }
    ESTUARY_CHECK(reader.finish("TBSCertList"));
    return view;
}

// SEQUENCE { userCertificate CertificateSerialNumber, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }
Result<EntryView> read_entry(Reader& entries) {
    auto here = entries;
    ESTUARY_TRY(const auto whole, entries.element(Tag::sequence));
    EntryView entry;
    if (read_plain_entry(entry, whole.content)) return entry;
    ESTUARY_TRY(auto reader, here.enter(Tag::sequence));
    ESTUARY_TRY(entry.serial_number, reader.integer_octets());
    ESTUARY_TRY(entry.revoked_at, read_time(reader, "revocationDate"));
    ESTUARY_TRY(auto extensions, reader.enter_if(Tag::sequence));
    if (extensions) {
        entry.has_extensions = true;
        ESTUARY_CHECK(read_entry_extensions(entry, *extensions));
    }
    ESTUARY_CHECK(reader.finish("CRL entry"));
    return entry;
}

Result<Bytes> read_serial(Reader& entries) {
    ESTUARY_TRY(auto reader, entries.enter(Tag::sequence));
    return reader.integer_octets();
}

}  // namespace estuary::x509::crl
