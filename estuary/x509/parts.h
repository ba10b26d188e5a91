#pragma once
// Shared by the sources of certificates and of revocation lists.
#include "estuary/asn1/der.h"

namespace estuary::x509 {

/// RFC 5280 4.1.2.2, without the octet that keeps a large number positive.
inline constexpr std::size_t serial_octets_max = 20;
/// RFC 5280 4.1.2.5: times before it are UTCTime, from it on GeneralizedTime.
inline constexpr Time first_of_2050{std::chrono::sys_days{std::chrono::year{2050} / 1 / 1}};
/// Where UTCTime begins; before it there is GeneralizedTime only.
inline constexpr Time first_of_1950{std::chrono::sys_days{std::chrono::year{1950} / 1 / 1}};

/// The result, with `what` before the detail of an error.
template <class T>
Result<T> named(std::string_view what, Result<T> parsed) {
    if (!parsed) return fail(in_context(what, std::move(parsed).error()));
    return parsed;
}

/// Whether the octets are one SEQUENCE, and so no PEM.
inline bool looks_like_der(Bytes bytes) {
    der::Reader reader{bytes, {.bytes_max = SIZE_MAX}};
    return reader.element(der::Tag::sequence).has_value() && reader.empty();
}

}  // namespace estuary::x509
