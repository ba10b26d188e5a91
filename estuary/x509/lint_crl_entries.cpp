// CRL lint rules on entries (RFC 5280 5.1.2.6, 5.3): all of them in one pass over what may be a million entries.
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/x509/lint_crl_view.h"
#include "estuary/x509/parts.h"

namespace estuary::x509::lint {
namespace {

std::string where(const crl::EntryView& entry) { return "entry of serial number " + to_hex(entry.serial_number); }

void note(Complaint& fault, bool wrong, const crl::EntryView& entry, std::string_view what) {
    if (wrong && !fault) fault = fmt::format("{}: {}", where(entry), what);
}

/// Positive and at most 20 octets, as RFC 5280 4.1.2.2 has them.
bool is_good_serial(Bytes octets) {
    if ((octets[0] & 0x80) != 0 || (octets.size() == 1 && octets[0] == 0)) return false;
    return octets.size() <= serial_octets_max + (octets[0] == 0 ? 1 : 0);
}

bool comes_before(Bytes a, Bytes b) {
    if (a.size() != b.size()) return a.size() < b.size();
    return std::ranges::lexicographical_compare(a, b);
}

/// Whether some serial number occurs twice. While they ascend that is plain to see; only lists in another order cost a hash of
/// eight octets each, and the rare equal hashes are looked at again octet by octet.
class RepeatedSerial {
public:
    explicit RepeatedSerial(Bytes revoked) : revoked_{revoked} {}

    void see(Bytes serial) {
        ascending_ = ascending_ && (last_.empty() || comes_before(last_, serial));
        last_ = serial;
    }

    std::optional<ByteVec> find() const {
        if (ascending_) return {};
        std::vector<std::size_t> hashes;
        for_each([&](Bytes serial) { hashes.push_back(hash(serial)); });
        std::ranges::sort(hashes);
        std::unordered_map<std::size_t, std::vector<Bytes>> suspects;
        for (auto at = hashes.begin(); (at = std::adjacent_find(at, hashes.end())) != hashes.end(); ++at) suspects[*at];
        return suspects.empty() ? std::nullopt : find_among(suspects);
    }

private:
    using Suspects = std::unordered_map<std::size_t, std::vector<Bytes>>;

    static std::size_t hash(Bytes serial) { return std::hash<std::string_view>{}(as_text(serial)); }

    template <class Visit>
    void for_each(Visit&& visit) const {
        for (auto entries = crl::entries_of(revoked_); !entries.empty();) {
            const auto serial = crl::read_serial(entries);
            if (!serial) return;  // cannot be: the pass has read them all
            visit(*serial);
        }
    }

    std::optional<ByteVec> find_among(Suspects& suspects) const {
        std::optional<ByteVec> repeated;
        for_each([&](Bytes serial) {
            const auto found = suspects.find(hash(serial));
            if (repeated || found == suspects.end()) return;
            for (const auto& other : found->second)
                if (same(other, serial)) repeated = to_vec(serial);
            found->second.push_back(serial);
        });
        return repeated;
    }

    Bytes revoked_;
    Bytes last_;
    bool ascending_ = true;
};

void check_reason(EntryFaults& faults, const CrlView& view, const crl::EntryView& entry) {
    if (!entry.reason) return;
    note(faults.reason_critical, entry.reason_critical, entry, "reasonCode is critical");
    const auto reason = crl_reason(*entry.reason);
    note(faults.reason_unknown, !reason, entry, "reasonCode is none of RFC 5280 5.3.1");
    if (!reason) return;
    note(faults.reason_unspecified, *reason == CrlReason::unspecified, entry, "reasonCode unspecified is to be absent");
    note(faults.remove_from_complete, *reason == CrlReason::remove_from_crl && !view.is_delta(), entry,
         "removeFromCRL in a complete CRL");
    const auto covered = view.scope ? view.scope->only_some_reasons : std::nullopt;
    const auto flag = reason_flag(*reason);
    note(faults.reason_out_of_scope, covered && flag != 0 && (*covered & flag) == 0, entry,
         "reasonCode is none of onlySomeReasons");
}

/// RFC 5280 5.3.3: critical, in indirect lists only, with the DN of the certificate's issuer.
void check_certificate_issuer(EntryFaults& faults, bool indirect, const crl::EntryView& entry) {
    if (entry.certificate_issuer.empty()) return;
    note(faults.certificate_issuer, !entry.issuer_critical, entry, "certificateIssuer is not critical");
    note(faults.certificate_issuer, !indirect, entry, "certificateIssuer in a CRL that is not indirect");
    const auto names = parse_general_names(entry.certificate_issuer);
    const auto is_dn = [](const GeneralName& name) { return name.kind == GeneralName::Kind::directory; };
    note(faults.certificate_issuer, !names || std::ranges::none_of(*names, is_dn), entry, "certificateIssuer without a DN");
}

void check_entry(EntryFaults& faults, const CrlView& view, const crl::EntryView& entry) {
    note(faults.serial_number, !is_good_serial(entry.serial_number), entry, "not positive, or longer than 20 octets");
    note(faults.date_kind, !crl::is_of_its_kind(entry.revoked_at), entry,
         "revocationDate is through 2049 and not a UTCTime, or later and not a GeneralizedTime");
    note(faults.unknown_critical, !entry.unknown_critical.empty(), entry, "an unknown critical extension");
    note(faults.invalidity_critical, entry.invalidity_critical, entry, "invalidityDate is critical");
    check_reason(faults, view, entry);
    check_certificate_issuer(faults, view.scope && view.scope->indirect, entry);
}

/// A rule that tells what the pass has found.
template <Complaint EntryFaults::*fault>
Complaint tell(const CrlSubject& subject) {
    return subject.list.faults.*fault;
}

}  // namespace

EntryFaults check_entries(const CrlView& view) {
    EntryFaults faults;
    if (!view.tbs.revoked) return faults;
    // In indirect lists several issuers may have given the same number.
    const bool one_issuer = !(view.scope && view.scope->indirect);
    RepeatedSerial repeated{*view.tbs.revoked};
    std::size_t count = 0;
    for (auto entries = crl::entries_of(*view.tbs.revoked); !entries.empty(); ++count) {
        const auto entry = crl::read_entry(entries);
        if (!entry) {
            faults.syntax = fmt::format("entry {}: {}", count + 1, entry.error().detail);
            return faults;
        }
        check_entry(faults, view, *entry);
        if (one_issuer) repeated.see(entry->serial_number);
    }
    if (const auto serial = repeated.find()) faults.repeated = "serial number " + to_hex(*serial) + " is listed more than once";
    return faults;
}

std::span<const CrlRule> crl_entry_rules() {
    static constexpr std::array rules{
        CrlRule{"rfc5280_5_1_2_6_serial_number", "RFC 5280 5.1.2.6, 4.1.2.2", tell<&EntryFaults::serial_number>},
        CrlRule{"rfc5280_5_1_2_6_listed_once", "RFC 5280 5.1.2.6", tell<&EntryFaults::repeated>},
        CrlRule{"rfc5280_5_1_2_6_revocation_date_kind", "RFC 5280 5.1.2.6", tell<&EntryFaults::date_kind>},
        CrlRule{"rfc5280_5_3_no_unknown_critical", "RFC 5280 5.3", tell<&EntryFaults::unknown_critical>},
        CrlRule{"rfc5280_5_3_1_reason_not_critical", "RFC 5280 5.3.1", tell<&EntryFaults::reason_critical>},
        CrlRule{"rfc5280_5_3_1_reason_known", "RFC 5280 5.3.1", tell<&EntryFaults::reason_unknown>},
        CrlRule{"rfc5280_5_3_1_reason_not_unspecified", "RFC 5280 5.3.1", tell<&EntryFaults::reason_unspecified>},
        CrlRule{"rfc5280_5_3_1_remove_only_in_delta", "RFC 5280 5.3.1", tell<&EntryFaults::remove_from_complete>},
        CrlRule{"rfc5280_5_2_5_reason_in_scope", "RFC 5280 5.2.5", tell<&EntryFaults::reason_out_of_scope>},
        CrlRule{"rfc5280_5_3_2_invalidity_date_not_critical", "RFC 5280 5.3.2", tell<&EntryFaults::invalidity_critical>},
        CrlRule{"rfc5280_5_3_3_certificate_issuer", "RFC 5280 5.3.3", tell<&EntryFaults::certificate_issuer>},
    };
    return rules;
}

}  // namespace estuary::x509::lint
