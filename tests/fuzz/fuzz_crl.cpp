// CRLs and the extensions that lead to them: what is accepted holds together, and is written back with the same meaning.
#include <cstdlib>

#include "estuary/base/encoding.h"
#include "estuary/x509/crl_encoder.h"
#include "estuary/x509/lint_crl.h"

using namespace estuary;
using namespace estuary::x509;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

/// Some certificate, to be asked for: its names are empty, its key is nonsense.
const Certificate& subject() {
    static const auto certificate = [] {
        const auto algorithm = from_hex("300a06082a8648ce3d040302").value();
        const auto tbs = encode_tbs({{1}, algorithm, Name{}, {}, {}, Name{}, {0x30, 0}, {make_key_usage(crl_sign)}});
        return Certificate::parse(encode_certificate(tbs, algorithm, {})).value();
    }();
    return certificate;
}

void check_values(Bytes input) {
    if (const auto scope = parse_issuing_distribution_point(input)) {
        check(same(make_issuing_distribution_point(*scope).value, input));
        if (scope->name) (void)scope->name->names_below(Name{});
    }
    if (const auto points = parse_crl_distribution_points(input)) {
        check(!points->empty());
        for (const auto& point : *points) check(point.name || !point.crl_issuer.empty());
    }
    if (const auto number = CrlNumber::parse(input)) check(same(make_crl_number(*number).value, input));
    (void)parse_authority_info_access(input);
}

void check_entries(const RevocationList& list) {
    std::size_t count = 0;
    for (auto entries = list.entries(); const auto entry = entries.next(); ++count)
        if (entry->certificate_issuer.empty()) check(list.find(entry->serial_number).has_value());
    check(count == list.entry_count());
}

/// Our writer's list of the same entries, as far as it can say them, says the same.
void check_rewritten(const RevocationList& list) {
    if (!list.next_update() || !list.crl_number() || list.scope() || list.is_delta()) return;
    CrlEncoder encoder{{list.issuer(),
                        to_vec(list.signature_algorithm()),
                        list.this_update(),
                        *list.next_update(),
                        *list.crl_number(),
                        list.authority_key_id().value_or(ByteVec{}),
                        {},
                        {},
                        {}},
                       list.entry_count()};
    for (auto entries = list.entries(); const auto entry = entries.next();)
        if (!encoder.add(entry->serial_number, entry->revoked_at, entry->reason, entry->invalidity_date)) return;
    const auto again = RevocationList::adopt(std::move(encoder).finish().assemble(list.signature()));
    check(again && again->entry_count() == list.entry_count() && again->crl_number() == list.crl_number());
    auto ours = again->entries(), theirs = list.entries();
    for (auto mine = ours.next(); mine; mine = ours.next()) {
        const auto other = theirs.next();
        // A negative serial number comes back as the positive one of the same octets.
        check(mine->revoked_at == other->revoked_at && mine->reason == other->reason &&
              mine->invalidity_date == other->invalidity_date);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    check_values(input);
    const auto list = RevocationList::parse(input);
    if (!list) return 0;
    check(same(list->der(), input));
    check(same(encode_revocation_list(list->tbs(), list->signature_algorithm(), list->signature()), input));
    for (const auto& extension : list->extensions()) check_values(extension.value);
    check_entries(*list);
    check_rewritten(*list);
    check(RevocationList::from_bytes(as_bytes(list->to_pem())).value() == *list);
    (void)lint_crl(list->tbs(), subject());
    (void)status_in_crls(subject(), *list, &*list);
    (void)status_in_crls(subject(), *list);
    return 0;
}
