#include <array>

#include "estuary/est/pal.h"

namespace estuary::est {
namespace {

using enum PalAction;
using enum Operation;

constexpr std::array package_types{
    PalType{"0001", "more", more, pal},
    PalType{"0002", "ca-certificate", fetch, cacerts},
    PalType{"0003", "ee-certificate", fetch, eecerts},
    PalType{"0004", "arl", fetch, crls},
    PalType{"0005", "crl", fetch, crls},
    PalType{"0006", "start-enrollment-with-csr-attributes", start, csrattrs},
    PalType{"0007", "start-enrollment", start, simpleenroll},
    PalType{"0008", "enrollment-success", poll, simpleenroll},
    PalType{"0009", "enrollment-failure", poll, simpleenroll},
    PalType{"0010", "start-reenrollment", start, simplereenroll},
    PalType{"0011", "reenrollment-success", poll, simplereenroll},
    PalType{"0012", "reenrollment-failure", poll, simplereenroll},
    PalType{"0013", "start-ke-enrollment-with-csr-attributes", start, csrattrs},
    PalType{"0014", "start-ke-enrollment", start, simpleenroll},
    PalType{"0015", "ke-enrollment-success", poll, simpleenroll},
    PalType{"0016", "ke-enrollment-failure", poll, simpleenroll},
    PalType{"0017", "start-ke-reenrollment", start, simplereenroll},
    PalType{"0018", "ke-reenrollment-success", poll, simplereenroll},
    PalType{"0019", "ke-reenrollment-failure", poll, simplereenroll},
    PalType{"0020", "asymmetric-key-pkcs8", fetch, serverkeygen},
    PalType{"0021", "asymmetric-key", fetch, serverkeygen},
    PalType{"0022", "asymmetric-key-pkcs12", fetch, serverkeygen, {}, "application/pkcs12"},
    PalType{"0023", "asymmetric-key-receipt", give, serverkeygen, "0020"},
    PalType{"0024", "symmetric-key", fetch, symmetrickeys},
    PalType{"0025", "symmetric-key-receipt", give, symmetrickeys, "0024"},
    PalType{"0026", "firmware", fetch, firmware},
    PalType{"0027", "firmware-receipt", give, firmware, "0026"},
    PalType{"0028", "tamp-status-query", fetch, tamp, {}, "application/tamp-status-query"},
    PalType{"0029", "tamp-status-response", give, tamp, "0028", "application/tamp-status-response"},
    PalType{"0030", "trust-anchor-update", fetch, tamp, {}, "application/tamp-update"},
    PalType{"0031", "trust-anchor-update-confirm", give, tamp, "0030", "application/tamp-update-confirm"},
    PalType{"0032", "apex-trust-anchor-update", fetch, tamp, {}, "application/tamp-apex-update"},
    PalType{"0033", "apex-trust-anchor-update-confirm", give, tamp, "0032", "application/tamp-apex-update-confirm"},
    PalType{"0034", "community-update", fetch, tamp, {}, "application/tamp-community-update"},
    PalType{"0035", "community-update-confirm", give, tamp, "0034", "application/tamp-community-update-confirm"},
    PalType{"0036", "sequence-number-adjust", fetch, tamp, {}, "application/tamp-sequence-adjust"},
    PalType{"0037", "sequence-number-adjust-confirm", give, tamp, "0036", "application/tamp-sequence-adjust-confirm"},
};

}  // namespace

std::span<const PalType> pal_types() noexcept { return package_types; }

const PalType* pal_type(std::string_view number_or_name) noexcept {
    for (const auto& type : package_types)
        if (type.number == number_or_name || type.name == number_or_name) return &type;
    return nullptr;
}

const PalType* receipt_type_for(const PalType& package) noexcept {
    if (package.action != fetch) return nullptr;
    for (const auto& type : package_types) {
        if (type.action != give || type.operation != package.operation) continue;
        // One receipt serves all kinds of asymmetric key packages; TAMP's messages have one each.
        if (type.given_for == package.number || package.operation == serverkeygen) return &type;
    }
    return nullptr;
}

}  // namespace estuary::est
