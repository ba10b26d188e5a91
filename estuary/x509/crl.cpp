#include "estuary/x509/crl.h"

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/x509/crl_view.h"
#include "estuary/x509/parts.h"

namespace estuary::x509 {

using der::Reader;
using der::Tag;

struct RevocationList::Fields {
    ByteVec der;  // everything of type Bytes below is a view into it
    Bytes tbs;
    crl::TbsView view;
    Bytes signature;
    Name issuer;
    std::vector<Extension> extensions;
    std::optional<ByteVec> authority_key_id;
    std::optional<CrlNumber> number, delta_base;
    std::optional<IssuingDistributionPoint> scope;
    std::size_t entry_count = 0;
    std::optional<Error> unusable;  ///< the first reason not to use the list

    Result<void> read();

private:
    Result<void> read_version() const;
    Result<void> read_extensions();
    Result<void> read_entries();
    Result<void> judge_entry(const crl::EntryView& entry);
    void set_unusable(Code code, std::string detail);
};

namespace {

/// Those that may be critical, since they are understood.
bool is_known(const der::Oid& id) {
    return id == oid::authority_key_identifier || id == oid::issuer_alt_name || id == oid::crl_number ||
           id == oid::delta_crl_indicator || id == oid::issuing_distribution_point || id == oid::freshest_crl ||
           id == oid::authority_info_access;
}

CrlEntry entry_from(const crl::EntryView& view, Bytes certificate_issuer) {
    const auto reason = crl_reason(view.reason.value_or(0)).value_or(CrlReason::unspecified);
    return {view.serial_number, view.revoked_at.time, reason, view.invalidity_date, certificate_issuer};
}

/// RFC 5280 5.3.3: whether the entry is about certificates of `issuer`.
bool is_of_issuer(const CrlEntry& entry, const Name& list_issuer, const Name& issuer) {
    if (entry.certificate_issuer.empty()) return list_issuer.matches(issuer);
    const auto names = parse_general_names(entry.certificate_issuer);
    return names && have_name_in_common(*names, {{GeneralName::Kind::directory, to_vec(issuer.der())}});
}

}  // namespace

// CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
Result<void> RevocationList::Fields::read() {
    ESTUARY_TRY(auto outer, der::enter_only(der, Tag::sequence, "CertificateList", {.bytes_max = crl::bytes_max}));
    ESTUARY_TRY(const auto tbs_element, outer.element(Tag::sequence));
    tbs = tbs_element.whole;
    ESTUARY_TRY(view, crl::read_tbs(tbs));
    ESTUARY_TRY(const auto outer_algorithm, read_algorithm_identifier(outer));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.1.2
    //# This field MUST contain the same algorithm identifier as the
    //# signature field in the sequence tbsCertList (Section 5.1.2.2).
    if (!same(outer_algorithm, view.signature_algorithm))
        return fail(Code::malformed, "the list's two signature algorithms differ");
    ESTUARY_TRY(signature, outer.bit_string_octets());
    ESTUARY_CHECK(outer.finish("CertificateList"));
    ESTUARY_TRY(issuer, named("issuer", Name::parse(view.issuer)));
    ESTUARY_CHECK(read_version());
    ESTUARY_CHECK(read_extensions());
    return read_entries();
}

//= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.1
//# When extensions are used, as required by this profile, this field MUST be
//# present and MUST specify version 2 (the integer value is 1).
Result<void> RevocationList::Fields::read_version() const {
    if (view.version && *view.version != crl::version_2) return fail(Code::malformed, "version is neither absent nor v2");
    if (!view.version && view.extensions) return fail(Code::malformed, "extensions in a list of version 1");
    return {};
}

void RevocationList::Fields::set_unusable(Code code, std::string detail) {
    if (!unusable) unusable = Error{code, std::move(detail)};
}

Result<void> RevocationList::Fields::read_extensions() {
    if (!view.extensions) return {};
    ESTUARY_TRY(extensions, parse_extensions(*view.extensions));
    for (const auto& [id, critical, value] : extensions) {
        if (id == oid::authority_key_identifier) {
            ESTUARY_TRY(const auto key_id, named("authorityKeyIdentifier", parse_authority_key_identifier(value)));
            if (key_id) authority_key_id = to_vec(*key_id);
        } else if (id == oid::crl_number) {
            ESTUARY_TRY(number, named("cRLNumber", CrlNumber::parse(value)));
        } else if (id == oid::delta_crl_indicator) {
            ESTUARY_TRY(delta_base, named("deltaCRLIndicator", CrlNumber::parse(value)));
        } else if (id == oid::issuing_distribution_point) {
            ESTUARY_TRY(scope, parse_issuing_distribution_point(value));
        } else if (critical && !is_known(id)) {
            set_unusable(Code::unsupported, "critical CRL extension " + id.dotted() + " is not known");
        }
    }
    return {};
}

Result<void> RevocationList::Fields::judge_entry(const crl::EntryView& entry) {
    if (entry.has_extensions && !view.version) return fail(Code::malformed, "entry extensions in a list of version 1");
    if (!entry.unknown_critical.empty()) {
        const auto id = der::Oid::from_content(entry.unknown_critical);
        set_unusable(Code::unsupported, "critical CRL entry extension " + (id ? id->dotted() : "") + " is not known");
    }
    if (!entry.certificate_issuer.empty() && !(scope && scope->indirect))
        set_unusable(Code::malformed, "certificateIssuer in a CRL that is not indirect (RFC 5280 5.3.3)");
    if (entry.reason == static_cast<std::uint8_t>(CrlReason::remove_from_crl) && !delta_base)
        set_unusable(Code::malformed, "removeFromCRL in a complete CRL (RFC 5280 5.3.1)");
    return {};
}

Result<void> RevocationList::Fields::read_entries() {
    if (!view.revoked) return {};
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.1.2.6
    //# When there are no revoked certificates, the revoked certificates list
    //# MUST be absent.
    if (view.revoked->empty()) return fail(Code::malformed, "revokedCertificates is empty");
    for (auto entries = crl::entries_of(*view.revoked); !entries.empty(); ++entry_count) {
        const auto entry = crl::read_entry(entries);
        if (!entry) return fail(in_context(fmt::format("entry {}", entry_count + 1), entry.error()));
        ESTUARY_CHECK(judge_entry(*entry));
    }
    return {};
}

Result<RevocationList> RevocationList::parse(Bytes der) {
    return adopt(to_vec(der.first(std::min(der.size(), crl::bytes_max + 1))));
}

Result<RevocationList> RevocationList::adopt(ByteVec der) {
    auto fields = std::make_shared<Fields>();
    fields->der = std::move(der);
    ESTUARY_CHECK(named("CRL", fields->read()));
    RevocationList list;
    list.fields_ = std::move(fields);
    return list;
}

Result<RevocationList> RevocationList::from_bytes(Bytes pem_or_der) {
    ESTUARY_TRY(auto all, parse_revocation_lists(pem_or_der));
    if (all.size() != 1) return fail(Code::malformed, fmt::format("expected one CRL, found {}", all.size()));
    return std::move(all.front());
}

Result<std::vector<RevocationList>> parse_revocation_lists(Bytes pem_or_der) {
    std::vector<RevocationList> lists;
    if (looks_like_der(pem_or_der)) {
        ESTUARY_TRY(lists.emplace_back(), RevocationList::parse(pem_or_der));
        return lists;
    }
    ESTUARY_TRY(auto blocks, parse_pem(as_text(pem_or_der)));
    for (auto& block : blocks) {
        if (block.label != "X509 CRL") continue;  // bundles carry certificates beside the lists
        ESTUARY_TRY(lists.emplace_back(), RevocationList::adopt(std::move(block.der)));
    }
    if (lists.empty()) return fail(Code::malformed, "no CRL found, neither PEM nor DER");
    return lists;
}

std::optional<CrlEntry> CrlEntries::next() {
    if (rest_.empty()) return {};
    const auto entry = crl::read_entry(rest_);
    if (!entry) return {};  // cannot be: every entry was read when the list was parsed
    if (!entry->certificate_issuer.empty()) certificate_issuer_ = entry->certificate_issuer;
    return entry_from(*entry, certificate_issuer_);
}

CrlEntries RevocationList::entries() const noexcept {
    return CrlEntries{crl::entries_of(fields_->view.revoked.value_or(Bytes{}))};
}

namespace {

/// Keeps the better of the entries found; true: no other can be better.
bool take(std::optional<CrlEntry>& found, CrlEntry entry) {
    const bool revokes = entry.reason != CrlReason::remove_from_crl;
    if (!found || revokes) found = std::move(entry);
    return revokes;
}

/// In a list of one issuer the other entries are passed over by their headers.
std::optional<CrlEntry> find_direct(Bytes revoked, Bytes serial_number) {
    std::optional<CrlEntry> found;
    for (auto entries = crl::entries_of(revoked); !entries.empty();) {
        auto here = entries;
        const auto serial = crl::read_serial(entries);
        if (!serial) break;
        if (!same(*serial, serial_number)) continue;
        const auto entry = crl::read_entry(here);
        if (entry && take(found, entry_from(*entry, {}))) break;
    }
    return found;
}

}  // namespace

std::optional<CrlEntry> RevocationList::find(Bytes serial_number, const Name& certificate_issuer) const {
    if (!scope() || !scope()->indirect) {
        if (!issuer().matches(certificate_issuer)) return {};
        return find_direct(fields_->view.revoked.value_or(Bytes{}), serial_number);
    }
    std::optional<CrlEntry> found;
    auto all = entries();
    while (auto entry = all.next())
        if (same(entry->serial_number, serial_number) && is_of_issuer(*entry, issuer(), certificate_issuer) &&
            take(found, std::move(*entry)))
            break;
    return found;
}

Bytes RevocationList::der() const noexcept { return fields_->der; }
Bytes RevocationList::tbs() const noexcept { return fields_->tbs; }
unsigned RevocationList::version() const noexcept { return fields_->view.version ? 2 : 1; }
const Name& RevocationList::issuer() const noexcept { return fields_->issuer; }
Time RevocationList::this_update() const noexcept { return fields_->view.this_update.time; }
std::optional<Time> RevocationList::next_update() const noexcept {
    if (!fields_->view.next_update) return {};
    return fields_->view.next_update->time;
}
Bytes RevocationList::signature_algorithm() const noexcept { return fields_->view.signature_algorithm; }
Bytes RevocationList::signature() const noexcept { return fields_->signature; }
const std::vector<Extension>& RevocationList::extensions() const noexcept { return fields_->extensions; }
std::optional<ByteVec> RevocationList::authority_key_id() const { return fields_->authority_key_id; }
const std::optional<CrlNumber>& RevocationList::crl_number() const noexcept { return fields_->number; }
const std::optional<CrlNumber>& RevocationList::delta_base() const noexcept { return fields_->delta_base; }
const std::optional<IssuingDistributionPoint>& RevocationList::scope() const noexcept { return fields_->scope; }
std::size_t RevocationList::entry_count() const noexcept { return fields_->entry_count; }

Result<std::vector<std::string>> RevocationList::freshest_crl_uris() const { return crl_uris(extensions(), oid::freshest_crl); }

Result<void> RevocationList::check_usable() const {
    if (fields_->unusable) return fail(*fields_->unusable);
    return {};
}

bool RevocationList::is_current(Time now) const noexcept {
    return this_update() <= now && (!next_update() || now <= *next_update());
}

Result<void> RevocationList::verify_signed_by(const crypto::PublicKey& issuer_key) const {
    return issuer_key.verify(signature_algorithm(), tbs(), signature());
}

std::string RevocationList::to_pem() const { return estuary::to_pem("X509 CRL", der()); }

}  // namespace estuary::x509
